//! What was there before is left alone; nothing newer is lost.

use std::time::Duration;

use postkey::run::explain::ANSWERED_ALREADY;
use postkey::store::RunState;

use super::scene::{ANN, Scene};
use crate::support::database::on_both;
use crate::support::imap_server::{Fault, Rule};
use crate::support::world::letter;

on_both! {
    async fn em_25_only_mail_from_a_minute_before_the_activation_on_is_answered(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let activated = scene.mailbox().await.activated_at;
        let before = |seconds| activated.minus(Duration::from_secs(seconds));
        for (number, seconds) in [(1, 86_400), (2, 3_600), (3, 62)] {
            scene.imap.deliver_dated(ANN, &letter(number, ANN), before(seconds));
        }
        scene.imap.deliver_dated(ANN, &letter(4, ANN), before(58));
        // Old mail can stand behind new one.
        scene.imap.deliver_dated(ANN, &letter(5, ANN), before(1_000_000));
        scene.imap.deliver_dated(ANN, &letter(6, ANN), activated.plus(Duration::from_secs(3_600)));
        let served = scene.serve().await;
        scene.all_replied(2).await;
        scene.cursor_at(7).await;
        scene.deliver(&letter(7, ANN));
        scene.all_replied(3).await;
        served.end().await;
        let answered: Vec<_> =
            scene.replies().iter().map(|reply| reply.in_reply_to[0].as_str().to_owned()).collect();
        let mut numbers = answered.clone();
        numbers.sort();
        assert_eq!(numbers, ["question-4@else.test", "question-6@else.test", "question-7@else.test"]);
        assert!(!scene.imap.commands(ANN).iter().any(|line| line.starts_with("UID FETCH 1:") && line.contains("BODY")));
    }

    async fn em_26_drafts_and_deleted_mails_are_left_alone(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.deliver_flagged(ANN, &letter(1, ANN), &["\\Draft"]);
        scene.imap.deliver_flagged(ANN, &letter(2, ANN), &["\\Seen", "\\Deleted"]);
        scene.imap.deliver_flagged(ANN, &letter(3, ANN), &["\\Seen"]);
        let served = scene.serve().await;
        scene.all_replied(1).await;
        scene.cursor_at(4).await;
        served.end().await;
        assert_eq!(scene.replies()[0].in_reply_to[0].as_str(), "question-3@else.test");
    }

    async fn a_mail_that_somebody_has_answered_is_answered_by_the_owners_word_alone(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.deliver_flagged(ANN, &letter(1, ANN), &["\\Seen", "\\Answered"]);
        scene.imap.deliver_flagged(ANN, &letter(2, ANN), &["\\Seen"]);
        let served = scene.serve().await;
        let runs = scene.settled(2).await;
        let told: Vec<_> = runs.iter().map(|run| (run.state, run.reason.as_deref())).collect();
        assert_eq!(told, [(RunState::Skipped, Some(ANSWERED_ALREADY)), (RunState::Replied, None)]);
        assert_eq!(scene.replies()[0].in_reply_to[0].as_str(), "question-2@else.test");
        assert!(scene.store.retry_run(scene.desk.user, runs[0].id, true).await.unwrap());
        scene.all_replied(2).await;
        served.end().await;
    }

    async fn mail_that_comes_while_the_first_look_is_cut_is_not_lost(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let old = scene.mailbox().await.activated_at.minus(Duration::from_secs(3_600));
        for number in 1..=600 {
            scene.imap.deliver_dated(ANN, &letter(number, ANN), old);
        }
        scene.imap.rule(Rule::on("UID FETCH", Fault::Cut).times(1));
        scene.imap.rule(Rule::on("UID FETCH 501", Fault::Cut).times(1));
        for number in 601..=603 {
            scene.deliver(&letter(number, ANN));
        }
        let served = scene.serve().await;
        scene.all_replied(3).await;
        scene.cursor_at(604).await;
        served.end().await;
    }

    async fn em_25_a_server_that_hides_dates_gets_no_old_mail_answered(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.hide_dates(ANN);
        for number in 1..=3 {
            scene.deliver(&letter(number, ANN));
        }
        let served = scene.serve().await;
        scene.cursor_at(4).await;
        scene.deliver(&letter(4, ANN));
        scene.all_replied(1).await;
        scene.imap.change_uid_validity(ANN);
        scene.imap.cut();
        scene.looked().await;
        scene.deliver(&letter(5, ANN));
        scene.all_replied(2).await;
        served.end().await;
    }
}
