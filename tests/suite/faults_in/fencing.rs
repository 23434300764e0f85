//! A watcher that has lost its mailbox while it waited for the mail server: it changes nothing any more (EM-104).

use std::time::Duration;

use postkey::config::Config;
use postkey::store::Holder;

use super::scene::{ANN, LONG, PASSWORD, Scene};
use crate::support::database::on_both;
use crate::support::imap_server::{Fault, Rule};
use crate::support::wait::until;
use crate::support::world::letter;

const MOVED: &str = "moved@shop.test";
const MINUTE: Duration = Duration::from_secs(60);

/// The service does not look who has the mailbox, so that only the database can tell.
fn unaware(config: &mut Config) {
    config.mailbox.refresh = MINUTE;
    config.mailbox.lease = 3 * MINUTE;
    config.mailbox.command_timeout = MINUTE;
}

/// The watcher gets its answer and sees that the mailbox is no longer its own.
async fn until_it_leaves(scene: &Scene) {
    scene.imap.clear_rules();
    until("it leaves", LONG, async || scene.imap.open() == 0).await;
}

on_both! {
    async fn em_104_a_late_watcher_files_nothing(database: TestDatabase) {
        let scene = Scene::begin_with(&database, unaware).await;
        // Between the question what is to be filed and the filing.
        scene.imap.rule(Rule::on("LIST", Fault::Wait));
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        until("it is about to file", LONG, async || scene.imap.count(ANN, "LIST") == 1).await;
        scene.store.release_mailboxes(None).await.unwrap();
        let other = Holder::new(scene.store.clock());
        assert_eq!(scene.store.lease_mailboxes(other, MINUTE, 1).await.unwrap().len(), 1);
        until_it_leaves(&scene).await;
        served.end().await;
        assert_eq!((scene.imap.count(ANN, "UID STORE"), scene.imap.count(ANN, "APPEND")), (0, 0));
        // Whoever has the mailbox files it, since nobody has noted that it was filed.
        scene.store.release_mailboxes(None).await.unwrap();
        let served = scene.serve().await;
        until("the copy", LONG, async || scene.imap.sent(ANN).len() == 1).await;
        served.end().await;
        assert_eq!(scene.imap.flags(ANN, 1), ["\\Answered"]);
    }

    async fn em_104_a_watcher_of_the_old_inbox_moves_no_cursor_of_the_new_one(database: TestDatabase) {
        let scene = Scene::begin_with(&database, unaware).await;
        scene.imap.add_account(MOVED, PASSWORD);
        let served = scene.serve().await;
        for number in 1..=3 {
            scene.deliver(&letter(number, ANN));
        }
        scene.all_replied(3).await;
        scene.cursor_at(4).await;
        scene.imap.rule(Rule::on("UID FETCH", Fault::Wait));
        let fetched = scene.imap.count(ANN, "UID FETCH");
        scene.deliver(&letter(4, ANN));
        until("it fetches", LONG, async || scene.imap.count(ANN, "UID FETCH") > fetched).await;
        scene.change_mailbox(|mailbox| mailbox.imap.username = MOVED.into()).await;
        until_it_leaves(&scene).await;
        served.end().await;
        let mailbox = scene.mailbox().await;
        assert_eq!((mailbox.uid_validity, mailbox.next_uid), (None, None));
        // The same UIDVALIDITY, and UIDs that were settled in the old inbox.
        for number in 5..=10 {
            scene.imap.deliver(MOVED, &letter(number, ANN));
        }
        let served = scene.serve().await;
        scene.all_replied(9).await;
        served.end().await;
    }
}
