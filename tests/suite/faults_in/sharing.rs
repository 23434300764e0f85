//! Several processes: on PostgreSQL they share the mailboxes, a SQLite file has one.

use std::collections::HashSet;

use postkey::app::AppError;
use postkey::store::RunState;
use tokio_util::sync::CancellationToken;

use super::scene::{LONG, PASSWORD, Scene, open, serve};
use crate::support::database::TestDatabase;
use crate::support::wait::until;
use crate::support::world::{add_owner, count, letter};

const ADDRESSES: [&str; 6] =
    ["b1@shop.test", "b2@shop.test", "b3@shop.test", "b4@shop.test", "b5@shop.test", "b6@shop.test"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_watch_each_mailbox_once_and_answer_each_mail_once() {
    let database = TestDatabase::postgres().await;
    let scene = Scene::begin(&database).await;
    for address in ADDRESSES {
        scene.imap.add_account(address, PASSWORD);
        scene.smtp.add_account(address, PASSWORD);
    }
    let desks = add_owner(&scene.store, &scene.servers, &ADDRESSES).await;
    let mails = 60;
    let deliver = |from: usize| {
        for number in from..from + mails {
            let address = ADDRESSES[number % ADDRESSES.len()];
            scene.imap.deliver(address, &letter(number, address));
        }
    };
    let replied = |expected: usize| {
        let (store, user) = (&scene.store, desks[0].user);
        until("all are replied", LONG, move || async move {
            count(store, user, RunState::Replied).await == expected
        })
    };
    let (first, second) = (serve(&scene.config).await, serve(&scene.config).await);
    deliver(0);
    replied(mails).await;
    // One connection for each mailbox, the scene's own one included.
    assert_eq!(scene.imap.open(), ADDRESSES.len() + 1);
    assert_eq!(scene.imap.accepted(), ADDRESSES.len() + 1);
    // One process ends; the other takes over what it watched.
    first.end().await;
    deliver(mails);
    replied(2 * mails).await;
    until("the other took over", LONG, async || scene.imap.open() == ADDRESSES.len() + 1).await;
    second.end().await;
    let parents: HashSet<_> =
        scene.replies().iter().map(|reply| reply.in_reply_to[0].as_str().to_owned()).collect();
    assert_eq!(scene.smtp.accepted().len(), 2 * mails);
    assert_eq!(parents.len(), 2 * mails, "each mail once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_service_on_the_same_file_is_refused_and_disturbs_nothing() {
    let database = TestDatabase::sqlite().await;
    let scene = Scene::begin(&database).await;
    let served = scene.serve().await;
    scene.deliver(&letter(1, super::scene::ANN));
    scene.all_replied(1).await;
    let second = open(&scene.config).await.serve(CancellationToken::new()).await;
    assert!(matches!(second, Err(AppError::AlreadyServed(_))));
    scene.deliver(&letter(2, super::scene::ANN));
    scene.all_replied(2).await;
    assert_eq!(scene.imap.accepted(), 1, "the first one keeps its mailbox");
    served.end().await;
    let third = scene.serve().await;
    scene.deliver(&letter(3, super::scene::ANN));
    scene.all_replied(3).await;
    third.end().await;
}
