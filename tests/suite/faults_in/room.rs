//! What this process holds in memory while it takes mail in: one owner's slow mail server costs the others nothing.

use std::time::Duration;

use super::scene::{ANN, LONG, PASSWORD, Scene};
use crate::support::database::on_both;
use crate::support::imap_server::{Fault, Rule};
use crate::support::wait::until;
use crate::support::world::{Desk, add_owner, letter};

/// A letter of about a hundred kilobytes, for which a little less than 200 KiB are taken.
fn long_letter(number: usize, to: &str) -> Vec<u8> {
    let mut letter = letter(number, to);
    letter.extend("And what about this?\r\n".repeat(5_000).into_bytes());
    letter
}

/// Another owner, whose mail server never hands over a mail that it has shown.
async fn add_slow_owner(scene: &Scene, addresses: &[&str]) -> Vec<Desk> {
    for address in addresses {
        scene.imap.add_account(address, PASSWORD);
        scene.smtp.add_account(address, PASSWORD);
        scene.imap.rule(Rule::on("UID FETCH", Fault::Hang).containing("BODY.PEEK[").account(address));
        scene.imap.deliver(address, &long_letter(100, address));
    }
    add_owner(&scene.store, &scene.servers, addresses).await
}

/// How many mails of the account were asked for.
fn fetches(scene: &Scene, address: &str) -> usize {
    scene.imap.commands(address).iter().filter(|line| line.contains("BODY.PEEK[")).count()
}

async fn until_described(scene: &Scene, address: &str) {
    let described = |line: &String| line.contains("RFC822.SIZE");
    until("it is described", LONG, async || scene.imap.commands(address).iter().any(described)).await;
}

on_both! {
    async fn a_slow_mail_server_does_not_hold_up_other_owners(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.bytes_in_hand = 1 << 20;
            config.mailbox.command_timeout = Duration::from_secs(600);
        }).await;
        let slow = ["b1@shop.test", "b2@shop.test", "b3@shop.test", "b4@shop.test", "b5@shop.test", "b6@shop.test"];
        add_slow_owner(&scene, &slow).await;
        let served = scene.serve().await;
        for address in slow {
            until_described(&scene, address).await;
        }
        scene.deliver(&long_letter(1, ANN));
        scene.all_replied(1).await;
        let at_once: usize = slow.iter().map(|address| fetches(&scene, address)).sum();
        assert_eq!(at_once, 1, "more than a quarter of the room");
        // What is taken is given back.
        scene.imap.clear_rules();
        scene.imap.cut();
        until("all are replied", LONG, async || scene.smtp.accepted().len() == 1 + slow.len()).await;
        served.end().await;
    }

    async fn a_mail_that_waited_for_room_is_not_to_blame_for_what_the_server_did_meanwhile(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.bytes_in_hand = 200 << 10;
            config.mailbox.command_timeout = Duration::from_secs(600);
        }).await;
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        add_slow_owner(&scene, &["bob@shop.test"]).await;
        until("the other's mail is asked for", LONG, async || fetches(&scene, "bob@shop.test") == 1).await;
        scene.deliver(&long_letter(2, ANN));
        until("the connection is kept alive", LONG, async || scene.imap.count(ANN, "NOOP") >= 3).await;
        let connections = scene.imap.accepted();
        scene.imap.rule(Rule::on("NOOP", Fault::Bye("you have been away for too long")).account(ANN));
        until("it was logged out often", LONG, async || scene.imap.accepted() >= connections + 8).await;
        scene.imap.clear_rules();
        scene.imap.cut();
        until("all are replied", LONG, async || scene.smtp.accepted().len() == 3).await;
        served.end().await;
        for run in scene.runs().await {
            let message = scene.store.find_message(scene.desk.user, run.id.message()).await.unwrap().unwrap();
            assert!(!message.truncated);
        }
    }
}
