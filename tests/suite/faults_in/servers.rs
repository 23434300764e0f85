//! IMAP servers that refuse, hang, cut, lie and stay silent: the mail is answered all the same, and once.

use std::time::Duration;

use postkey::store::{MailboxState, RunState};

use super::scene::{ANN, LONG, QUICK, Scene};
use crate::support::database::on_both;
use crate::support::imap_server::{Fault, Idle, Rule};
use crate::support::wait::until;
use crate::support::world::letter;

/// What a watcher asks before a mail is taken in, as a command and a part of it.
const STEPS: [(&str, &str); 4] =
    [("SELECT", "INBOX"), ("UID SEARCH", ""), ("UID FETCH", "RFC822.SIZE"), ("UID FETCH", "BODY.PEEK[")];

/// Lets every step fail in each of these ways, once or twice in a row, with a new mail each time.
async fn survives(scene: &Scene, faults: &[Fault]) {
    let mut mails = 0;
    for (command, part) in STEPS {
        for fault in faults {
            scene.imap.rule(Rule::on(command, *fault).containing(part).account(ANN).times(2));
            mails += 1;
            scene.deliver(&letter(mails, ANN));
            scene.imap.cut();
            scene.all_replied(mails).await;
            assert!(scene.imap.faults_left() < 2, "{fault:?} at {command} {part} has not befallen anything");
            scene.imap.clear_rules();
        }
    }
    scene.looked().await;
    scene.all_replied(mails).await;
    assert_eq!(scene.mailbox().await.state, MailboxState::Active);
}

on_both! {
    async fn refusals_and_farewells_at_every_step_delay_mail_and_lose_none(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        let faults = [
            Fault::No("[SERVERBUG] later"),
            Fault::No("[UNAVAILABLE] backend is away"),
            Fault::Bad("what?"),
            Fault::Bye("going down"),
            Fault::Cut,
        ];
        survives(&scene, &faults).await;
        served.end().await;
    }

    async fn a_server_that_hangs_at_any_step_is_left_and_tried_again(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.command_timeout = Duration::from_millis(300);
        }).await;
        let served = scene.serve().await;
        survives(&scene, &[Fault::Hang, Fault::SayAndHang(b"* OK still here\r\n")]).await;
        served.end().await;
    }

    async fn a_hang_at_the_greeting_the_login_or_the_end_of_idle_is_left_too(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.command_timeout = Duration::from_millis(300);
            config.mailbox.done_timeout = Duration::from_millis(300);
        }).await;
        let served = scene.serve().await;
        for (mails, step) in (1..).zip(["GREETING", "LOGIN", "DONE", "IDLE", "NOOP"]) {
            scene.imap.rule(Rule::on(step, Fault::Hang).times(1));
            scene.deliver(&letter(mails, ANN));
            scene.imap.cut();
            scene.all_replied(mails).await;
        }
        served.end().await;
    }

    async fn a_cut_in_the_middle_of_a_mail_is_no_half_mail(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.rule(Rule::on("UID FETCH", Fault::CutInLiteral).containing("BODY.PEEK[").times(2));
        for number in 1..=5 {
            scene.deliver(&letter(number, ANN));
        }
        let served = scene.serve().await;
        scene.all_replied(5).await;
        served.end().await;
        for run in scene.runs().await {
            let message = scene.store.find_message(scene.desk.user, run.id.message()).await.unwrap().unwrap();
            assert!(!message.truncated);
            assert!(message.raw.unwrap().ends_with(b"?\r\n"));
        }
    }

    async fn a_size_that_is_a_lie_costs_neither_the_mail_nor_the_mailbox(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| config.mailbox.max_message_bytes = 100_000).await;
        let served = scene.serve().await;
        // Said to be larger than allowed: its beginning is taken, which is all of it.
        scene.imap.lie_about_size(ANN, Some(50_000_000));
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        // Said to be small: the limit holds while reading, and then its beginning is taken.
        scene.imap.lie_about_size(ANN, Some(10));
        let mut large = letter(2, ANN);
        large.extend("And what about this?\r\n".repeat(200_000).into_bytes());
        scene.deliver(&large);
        scene.deliver(&letter(3, ANN));
        scene.all_replied(3).await;
        assert_eq!(scene.mailbox().await.state, MailboxState::Active);
        assert!(scene.store.list_notices(scene.desk.user, None, 10).await.unwrap().is_empty());
        served.end().await;
    }

    async fn one_mail_that_always_kills_the_connection_does_not_block_the_next(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        for number in 1..=6 {
            scene.deliver(&letter(number, ANN));
        }
        let killers = [
            Rule::on("UID FETCH 2 ", Fault::Cut).containing("BODY.PEEK["),
            Rule::on("UID FETCH 4 ", Fault::SayAndHang(b"* 4 FETCH (UID 4 BODY[] {9999999999}\r\n")).containing("BODY.PEEK["),
            // All together is fatal as well.
            Rule::on("UID FETCH 1:", Fault::CutInLiteral).containing("BODY.PEEK["),
            Rule::on("UID FETCH 3:", Fault::CutInLiteral).containing("BODY.PEEK["),
        ];
        for killer in killers {
            scene.imap.rule(killer);
        }
        let served = scene.serve().await;
        let runs = scene.settled(6).await;
        scene.cursor_at(7).await;
        scene.deliver(&letter(7, ANN));
        scene.settled(7).await;
        served.end().await;
        assert_eq!(runs.iter().filter(|run| run.state == RunState::Replied).count(), 4);
        let lost: Vec<_> = runs.iter().filter(|run| run.reason.as_deref() == Some("unfetchable")).collect();
        assert_eq!(lost.len(), 2, "{runs:#?}");
        assert!(lost.iter().all(|run| run.state == RunState::Failed));
        let notices = scene.store.list_notices(scene.desk.user, None, 10).await.unwrap();
        assert_eq!(notices.iter().filter(|notice| notice.kind == "unfetchable").count(), 2);
    }

    async fn one_mail_that_cannot_even_be_described_does_not_block_the_next(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        for number in 1..=20 {
            scene.deliver(&letter(number, ANN));
        }
        for fatal in ["UID FETCH 7 ", "UID FETCH 1:20 ", "UID FETCH 1:8 ", "UID FETCH 1:7 ", "UID FETCH 7:"] {
            scene.imap.rule(Rule::on(fatal, Fault::Cut).containing("RFC822.SIZE"));
        }
        let served = scene.serve().await;
        let runs = scene.settled(20).await;
        scene.cursor_at(21).await;
        served.end().await;
        assert_eq!(runs.iter().filter(|run| run.state == RunState::Replied).count(), 19);
        assert_eq!(runs.iter().filter(|run| run.reason.as_deref() == Some("unfetchable")).count(), 1);
    }

    async fn an_outage_of_fetching_blames_no_mail(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        scene.imap.rule(Rule::on("UID FETCH", Fault::No("[SERVERBUG] no storage")).containing("BODY.PEEK["));
        for number in 2..=4 {
            scene.deliver(&letter(number, ANN));
        }
        let connections = scene.imap.accepted();
        until("many attempts", LONG, async || scene.imap.accepted() > connections + 15).await;
        scene.imap.clear_rules();
        scene.all_replied(4).await;
        served.end().await;
        for run in scene.runs().await {
            let message = scene.store.find_message(scene.desk.user, run.id.message()).await.unwrap().unwrap();
            assert!(!message.truncated);
        }
    }

    async fn a_server_without_idle_is_polled(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.set_idle(ANN, Idle::Missing);
        let served = scene.serve().await;
        scene.looked().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        served.end().await;
        assert_eq!(scene.imap.count(ANN, "IDLE"), 0);
    }

    async fn a_server_that_refuses_the_idle_it_offers_is_polled_on_the_same_terms(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.rule(Rule::on("IDLE", Fault::No("not today")));
        let served = scene.serve().await;
        for number in 1..=3 {
            scene.looked().await;
            scene.deliver(&letter(number, ANN));
            scene.all_replied(number).await;
        }
        served.end().await;
        assert!(scene.imap.accepted() <= 2, "{} connections", scene.imap.accepted());
    }

    async fn an_idle_that_never_pushes_is_seen_through_by_the_full_check(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.idle_renew = Duration::from_secs(600);
            config.mailbox.full_check = Duration::from_secs(1);
        }).await;
        scene.imap.set_idle(ANN, Idle::Silent);
        let served = scene.serve().await;
        until("it idles", LONG, async || scene.imap.count(ANN, "IDLE") > 0).await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        served.end().await;
        assert_eq!(scene.imap.accepted(), 1, "the connection is kept");
    }

    async fn an_idle_that_ends_at_once_for_ever_is_no_busy_loop(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| {
            config.mailbox.idle_renew = Duration::from_secs(600);
        }).await;
        scene.imap.set_idle(ANN, Idle::Babbles);
        let served = scene.serve().await;
        until("it idles", LONG, async || scene.imap.count(ANN, "IDLE") > 3).await;
        let before = scene.imap.count(ANN, "IDLE");
        tokio::time::sleep(10 * QUICK).await; // a span in which a busy loop would ask hundreds of times
        let idles = scene.imap.count(ANN, "IDLE") - before;
        assert!(idles < 60, "{idles} in two seconds");
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        served.end().await;
    }
}
