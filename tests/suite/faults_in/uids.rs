//! UIDs that start anew, go down, or are answered although nobody asked; and the cursor that follows them.

use super::scene::{ANN, LONG, QUICK, Scene, serve};
use crate::support::database::{TestDatabase, on_both};
use crate::support::imap_server::{Fault, Rule};
use crate::support::proxy::Proxy;
use crate::support::wait::until;
use crate::support::world::letter;

on_both! {
    async fn another_uidvalidity_answers_no_mail_again_and_the_new_one_once(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        for number in 1..=3 {
            scene.deliver(&letter(number, ANN));
        }
        scene.all_replied(3).await;
        for number in 4..=6 {
            scene.imap.change_uid_validity(ANN);
            scene.deliver(&letter(number, ANN));
            scene.imap.cut();
            scene.all_replied(number).await;
        }
        scene.looked().await;
        served.end().await;
        scene.all_replied(6).await;
        assert_eq!(scene.mailbox().await.next_uid, Some(7));
    }

    async fn another_uidvalidity_is_seen_without_a_cut_by_the_full_check(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.full_check = std::time::Duration::from_millis(500);
        }).await;
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.deliver(&letter(2, ANN));
        scene.all_replied(2).await;
        // What is still to be marked would be marked by its old number, in the open folder.
        until("both are marked", LONG, async || [1, 2].iter().all(|uid| scene.imap.flags(ANN, *uid) == ["\\Answered"])).await;
        scene.imap.remove(ANN, 1);
        scene.imap.change_uid_validity(ANN);
        scene.deliver(&letter(3, ANN)); // its UID is one that was settled before
        scene.all_replied(3).await;
        served.end().await;
    }

    async fn uids_that_go_down_without_notice_make_it_look_at_everything_again(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.set_next_uid(ANN, 50);
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        scene.cursor_at(51).await;
        scene.imap.remove(ANN, 50);
        scene.imap.set_next_uid(ANN, 10);
        scene.deliver(&letter(2, ANN));
        scene.imap.cut();
        scene.all_replied(2).await;
        scene.cursor_at(11).await;
        served.end().await;
    }

    async fn the_last_mail_is_named_by_every_search_and_taken_in_once(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        scene.cursor_at(2).await;
        let fetched = scene.imap.count(ANN, "UID FETCH");
        scene.looked().await;
        scene.looked().await;
        assert!(scene.imap.commands(ANN).iter().any(|line| line == "UID SEARCH UID 2:*"));
        assert_eq!(scene.imap.count(ANN, "UID FETCH"), fetched, "the server named it, and it was dropped");
        served.end().await;
        scene.all_replied(1).await;
    }

    async fn the_highest_uid_there_is_does_not_trap_the_watcher(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.deliver(&letter(1, ANN));
        // 4294967295 is named whatever is asked, and there is no such mail.
        scene.imap.rule(Rule::on("UID SEARCH", Fault::Say(b"* SEARCH 4294967295\r\n")));
        let served = scene.serve().await;
        until("it goes on to rest", LONG, async || scene.imap.count(ANN, "IDLE") > 2).await;
        scene.all_replied(1).await;
        served.end().await;
    }

    async fn mails_that_vanish_between_search_and_fetch_hold_up_nothing(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.deliver(&letter(1, ANN));
        scene.imap.set_next_uid(ANN, 9);
        scene.imap.rule(Rule::on("UID SEARCH", Fault::Say(b"* SEARCH 5 6 7 8\r\n")).times(1));
        let served = scene.serve().await;
        // UIDs of which a clean answer says twice that there is no such mail are settled.
        scene.cursor_at(9).await;
        scene.deliver(&letter(2, ANN));
        scene.all_replied(2).await;
        served.end().await;
    }

    async fn in_a_folder_of_many_old_mails_the_new_ones_are_answered(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let old = scene.mailbox().await.activated_at.minus(std::time::Duration::from_secs(3_600));
        scene.imap.set_next_uid(ANN, 1_000_000_000);
        for _ in 0..20_500 {
            scene.imap.deliver_dated(ANN, b"", old);
        }
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        // So many take a while.
        let passed = async || scene.mailbox().await.next_uid == Some(1_000_020_501);
        until("all are looked at", 5 * LONG, passed).await;
        scene.deliver(&letter(2, ANN));
        scene.all_replied(2).await;
        served.end().await;
        assert!(scene.imap.commands(ANN).iter().any(|line| line == "UID SEARCH UID 1:1000019999"));
    }

    async fn what_was_taken_in_before_the_end_is_not_answered_again_after_a_start(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        for round in 0..3 {
            let served = scene.serve().await;
            for number in 1..=4 {
                scene.deliver(&letter(10 * round + number, ANN));
            }
            until("some are taken in", LONG, async || scene.runs().await.len() > 4 * round).await;
            served.end().await;
        }
        let served = scene.serve().await;
        scene.all_replied(12).await;
        scene.looked().await;
        served.end().await;
        scene.all_replied(12).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cursor_never_passes_a_mail_that_is_not_stored() {
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(database.server_address()).await;
    let scene = Scene::begin(&database).await;
    let mut config = scene.config.clone();
    config.database.url = database.url_through(&proxy);
    config.database.acquire_timeout = QUICK;
    let served = serve(&config).await;
    let mut mails = 0;
    for _ in 0..6 {
        for _ in 0..5 {
            mails += 1;
            scene.deliver(&letter(mails, ANN));
        }
        proxy.take_away();
        until("the watcher gives up for want of a store", LONG, async || {
            never_passes(&scene).await;
            scene.imap.open() == 0
        })
        .await;
        proxy.bring_back();
        let taken_in = scene.runs().await.len();
        until("something is stored", LONG, async || {
            never_passes(&scene).await;
            let runs = scene.runs().await.len();
            runs > taken_in || runs == mails
        })
        .await;
    }
    scene.all_replied(mails).await;
    scene.cursor_at(u32::try_from(mails).unwrap() + 1).await;
    served.end().await;
}

/// The cursor is read before the rows, so that what is true then can only become truer.
async fn never_passes(scene: &Scene) {
    let passed = scene.mailbox().await.next_uid.unwrap_or(1) - 1;
    let stored = scene.runs().await.len();
    assert!(stored >= passed as usize, "the cursor has passed {passed} mails, {stored} are stored");
}
