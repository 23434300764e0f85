//! Copies in the Sent folder, answered flags, and replies of which nobody knows whether they went out.

use postkey::config::SentCopy;
use postkey::store::{AmbiguousPolicy, MailboxState, RunState};

use super::scene::{ANN, LONG, Scene};
use crate::support::database::on_both;
use crate::support::imap_server::{Fault, Rule};
use crate::support::smtp_server::{Fault as SmtpFault, Rule as SmtpRule, Step};
use crate::support::wait::until;
use crate::support::world::letter;

on_both! {
    async fn em_60_every_reply_has_one_copy_and_every_answered_mail_its_flag(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        for number in 1..=25 {
            scene.deliver(&letter(number, ANN));
        }
        scene.all_replied(25).await;
        until("copies", LONG, async || scene.imap.sent(ANN).len() >= 25).await;
        until("flags", LONG, async || (1..=25).all(|uid| scene.imap.flags(ANN, uid) == ["\\Answered"])).await;
        scene.looked().await;
        served.end().await;
        let mut copies = scene.imap.sent(ANN);
        let mut sent: Vec<_> = scene.smtp.accepted().into_iter().map(|mail| mail.bytes).collect();
        copies.sort();
        sent.sort();
        assert_eq!(copies, sent, "byte for byte, each once");
        let again = scene.serve().await;
        scene.looked().await;
        again.end().await;
        assert_eq!(scene.imap.sent(ANN).len(), 25, "a start files nothing twice");
    }

    async fn em_60_a_refused_copy_is_neither_sent_again_nor_tried_for_ever(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        let refusals = ["[OVERQUOTA] full", "[TRYCREATE] no such folder", "[NOPERM] no", "[CANNOT] no", "no"];
        for (number, text) in (1..).zip(refusals) {
            scene.imap.clear_rules();
            scene.imap.rule(Rule::on("APPEND", Fault::No(text)));
            scene.imap.rule(Rule::on("UID STORE", Fault::No(text)));
            let uid = scene.deliver(&letter(number, ANN));
            scene.all_replied(number).await;
            let flag = format!("UID STORE {uid} ");
            until("the flag is tried", LONG, async || scene.imap.count(ANN, &flag) > 0).await;
        }
        scene.looked().await;
        scene.looked().await;
        assert_eq!(scene.imap.count(ANN, "APPEND"), refusals.len());
        assert_eq!(scene.imap.accepted(), 1, "a refusal costs no connection");
        assert_eq!(scene.mailbox().await.state, MailboxState::Active);
        served.end().await;
        assert_eq!(scene.smtp.accepted().len(), refusals.len());
    }

    async fn a_cut_while_filing_neither_files_nor_sends_twice(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.rule(Rule::on("APPEND", Fault::Cut).times(3));
        let served = scene.serve().await;
        for number in 1..=6 {
            scene.deliver(&letter(number, ANN));
            scene.all_replied(number).await;
        }
        until("the later copies", LONG, async || scene.imap.count(ANN, "APPEND") >= 4).await;
        scene.looked().await;
        served.end().await;
        let copies = scene.imap.sent(ANN);
        assert!(!copies.is_empty() && copies.len() <= 3);
        assert_eq!(scene.smtp.accepted().len(), 6);
    }

    async fn a_reply_lost_from_sight_and_found_in_the_sent_folder_is_replied(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.set_ambiguous_policy(AmbiguousPolicy::Verify).await;
        scene.smtp.rule(SmtpRule::at(Step::Taken, SmtpFault::Cut).times(1));
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        let runs = scene.settled(1).await;
        assert_eq!((runs[0].state, runs[0].reason.as_deref()), (RunState::Held, Some("ambiguous")));
        scene.looked().await;
        assert_eq!(scene.runs().await[0].state, RunState::Held, "not found stays held");
        // The host files its copy late.
        scene.imap.put_into_sent(ANN, &scene.smtp.accepted()[0].bytes);
        until("it is found", LONG, async || scene.runs().await[0].state == RunState::Replied).await;
        assert_eq!(scene.runs().await[0].reason.as_deref(), Some("found_in_sent"));
        scene.looked().await;
        served.end().await;
        assert_eq!(scene.smtp.accepted().len(), 1);
        assert_eq!(scene.imap.sent(ANN).len(), 1, "no second copy");
        let notices = scene.store.list_notices(scene.desk.user, None, 10).await.unwrap();
        assert!(notices.iter().all(|notice| notice.ended_at.is_some()), "{notices:?}");
    }

    async fn a_reply_lost_from_sight_is_not_looked_for_unless_wanted(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.idle_renew = std::time::Duration::from_secs(600);
        }).await;
        scene.smtp.rule(SmtpRule::at(Step::Taken, SmtpFault::Cut).times(1));
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        let runs = scene.settled(1).await;
        assert_eq!((runs[0].state, runs[0].reason.as_deref()), (RunState::Held, Some("ambiguous")));
        scene.imap.put_into_sent(ANN, &scene.smtp.accepted()[0].bytes);
        let idles = scene.imap.count(ANN, "IDLE");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await; // five looks of the supervisor
        assert!(scene.imap.count(ANN, "IDLE") <= idles + 1, "nothing to do, so nothing is disturbed");
        served.end().await;
        assert_eq!(scene.runs().await[0].state, RunState::Held);
        assert_eq!(scene.imap.count(ANN, "EXAMINE"), 0);
    }

    async fn a_question_for_the_sent_folder_that_kills_the_connection_does_not_stop_the_mail(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.rule(Rule::on("LIST", Fault::Cut));
        let served = scene.serve().await;
        for number in 1..=3 {
            scene.deliver(&letter(number, ANN));
            scene.all_replied(number).await;
        }
        until("the answered flags", LONG, async || (1..=3).all(|uid| scene.imap.flags(ANN, uid) == ["\\Answered"])).await;
        scene.looked().await;
        assert_eq!(scene.imap.count(ANN, "LIST"), 3);
        served.end().await;
        assert_eq!(scene.smtp.accepted().len(), 3);
    }

    async fn a_mailbox_without_copies_is_not_asked_for_its_folders(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| config.smtp.sent_copy = SentCopy::Never).await;
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        until("the answered flag", LONG, async || scene.imap.flags(ANN, 1) == ["\\Answered"]).await;
        served.end().await;
        assert_eq!((scene.imap.count(ANN, "LIST"), scene.imap.sent(ANN).len()), (0, 0));
    }

    async fn a_search_in_the_sent_folder_that_kills_the_connection_does_not_stop_the_mail(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.set_ambiguous_policy(AmbiguousPolicy::Verify).await;
        scene.smtp.rule(SmtpRule::at(Step::Taken, SmtpFault::Cut).times(1));
        scene.imap.rule(Rule::on("EXAMINE", Fault::Cut));
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.settled(1).await;
        scene.deliver(&letter(2, ANN));
        scene.settled(2).await;
        until("it gives up looking", LONG, async || scene.imap.count(ANN, "EXAMINE") >= 3).await;
        scene.looked().await;
        let connections = scene.imap.accepted();
        scene.looked().await;
        assert_eq!(scene.imap.accepted(), connections);
        served.end().await;
        assert_eq!(scene.runs().await[0].state, RunState::Held);
        assert_eq!(scene.runs().await[1].state, RunState::Replied);
    }
}
