//! Mail servers that refuse, are busy or go away before they have the mail.

use std::time::Duration;

use postkey::store::{Mode, RunState};

use crate::support::database::on_both;
use crate::support::office::{LONG, Office, read};
use crate::support::raw::{execute, texts};
use crate::support::smtp_server::{Fault, Rule, Step};
use crate::support::wait::until;
use crate::support::world::{count, letter};

/// Every step at which a server can say something.
const STEPS: [Step; 8] = [
    Step::Connect,
    Step::Hello,
    Step::Auth,
    Step::MailFrom,
    Step::RcptTo,
    Step::Data,
    Step::Body,
    Step::AfterDot,
];

on_both! {
    async fn a_busy_mail_server_is_tried_again_at_whatever_step(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.retry_first = Duration::from_millis(100);
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        for (number, step) in STEPS.into_iter().enumerate() {
            office.smtp.rule(Rule::at(step, Fault::Reply("451 4.3.0 not now")).times(1));
            office.smtp.cut(); // so that it begins with the first step
            office.deliver(&ann, number);
            office.until_counted(&ann, RunState::Replied, number + 1).await;
            office.smtp.clear_rules();
        }
        served.end().await;
        office.check_answered_once(0..STEPS.len());
        assert_eq!(office.provider.calls().len(), STEPS.len(), "a stored answer was asked for again");
        assert!(office.runs(&ann).await.iter().all(|run| run.attempt == 0));
    }
}

on_both! {
    async fn a_lost_connection_before_the_dot_is_made_good_at_whatever_step(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.retry_first = Duration::from_millis(100);
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        let before_the_mail = &STEPS[..6];
        for (number, step) in before_the_mail.iter().enumerate() {
            office.smtp.rule(Rule::at(*step, Fault::Cut).times(1));
            office.smtp.cut();
            office.deliver(&ann, number);
            office.until_counted(&ann, RunState::Replied, number + 1).await;
            office.smtp.clear_rules();
        }
        served.end().await;
        office.check_answered_once(0..before_the_mail.len());
        assert_eq!(office.provider.calls().len(), before_the_mail.len());
    }
}

on_both! {
    async fn a_connection_lost_within_the_mail_is_not_ambiguous(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.retry_first = Duration::from_millis(100);
        let ann = office.hire("ann@shop.test").await;
        office.change_agent(&ann, |agent| agent.mode = Mode::Draft).await;
        office.smtp.rule(Rule::at(Step::Body, Fault::Cut).times(2));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "draft", 1).await;
        // More than the buffers between two sockets hold, so that the dot cannot have left.
        let longer = if database.is_postgres() {
            "raw || convert_to(repeat('all is well' || chr(13) || chr(10), 1300000), 'UTF8')"
        } else {
            "CAST(raw || replace(hex(zeroblob(1300000)), '00', 'all is well' || char(13, 10)) AS BLOB)"
        };
        assert_eq!(execute(&database, &format!("UPDATE outbox_bytes SET raw = {longer}")).await, 1);
        assert!(office.store.retry_run(ann.user, office.only_run(&ann).await.id, true).await.unwrap());
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([1]);
        assert_eq!(office.provider.calls().len(), 1);
    }
}

on_both! {
    async fn a_refusal_is_final_or_waits_for_the_owner(database: TestDatabase) {
        let office = Office::open(&database).await;
        let served = office.serve().await;
        let outcomes = [
            (Step::Connect, "554 5.7.1 go away", RunState::Waiting, "smtp_unusable"),
            (Step::Hello, "550 5.7.1 go away", RunState::Waiting, "smtp_unusable"),
            (Step::Auth, "535 5.7.8 wrong password", RunState::Waiting, "smtp_login"),
            (Step::MailFrom, "550 5.7.1 not you", RunState::Failed, "smtp_refused"),
            (Step::RcptTo, "550 5.1.1 nobody", RunState::Failed, "smtp_refused"),
            (Step::Data, "554 5.7.1 no", RunState::Failed, "smtp_refused"),
            (Step::AfterDot, "554 5.7.1 spam", RunState::Failed, "smtp_refused"),
        ];
        for (number, (step, reply, state, reason)) in outcomes.into_iter().enumerate() {
            office.smtp.rule(Rule::at(step, Fault::Reply(reply)));
            let desk = office.hire(&format!("person{number}@shop.test")).await;
            office.deliver(&desk, number);
            office.until_reason(&desk, state, reason, 1).await;
            office.smtp.clear_rules();
            assert_eq!(office.provider.calls_of(&desk.key).len(), 1);
            if state == RunState::Waiting {
                assert_eq!(office.open_notices(&desk).await.len(), 1, "{reason}");
            }
        }
        served.end().await;
        assert!(office.smtp.accepted().is_empty());
    }
}

on_both! {
    async fn a_refused_password_stops_the_mailbox_and_a_new_one_frees_it(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.smtp.add_account(&ann.address, "changed at the provider");
        (0..20).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "smtp_login", 20).await;
        let tried = office.smtp.connections();
        assert!(tried <= 4, "{tried} attempts with a refused password look like somebody guessing");
        let notices = office.open_notices(&ann).await;
        assert_eq!(notices.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>(), ["smtp_login"]);
        office.save_smtp_password(&ann, "changed at the provider").await;
        office.until_counted(&ann, RunState::Replied, 20).await;
        served.end().await;
        office.check_answered_once(0..20);
        assert_eq!(office.provider.calls().len(), 20);
        assert_eq!(office.open_notices(&ann).await.len(), 0);
    }
}

on_both! {
    async fn a_stored_answer_is_never_asked_for_again(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.retry_first = Duration::from_millis(50);
        let ann = office.hire("ann@shop.test").await;
        office.smtp.rule(Rule::at(Step::Connect, Fault::Cut));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        until("it has been tried five times", LONG, async || office.smtp.connections() >= 5).await;
        served.end().await;
        // Nor by the next process.
        let served = office.serve().await;
        until("it has been tried again", LONG, async || office.smtp.connections() >= 7).await;
        office.smtp.clear_rules();
        until("it is replied", LONG, async || count(&office.store, ann.user, RunState::Replied).await == 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 1);
        office.check_answered_once([1]);
    }
}

on_both! {
    async fn a_reply_goes_to_the_address_as_it_was_written(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.retry_first = Duration::from_millis(100);
        let ann = office.hire("ann@shop.test").await;
        let bring = |number: usize, from: &str| {
            let mail = String::from_utf8(letter(number, &ann.address)).unwrap();
            let mail = mail.replace(&format!("<person{number}@else.test>\r\nTo"), &format!("<{from}>\r\nTo"));
            office.imap.deliver(&ann.address, mail.as_bytes());
        };
        let served = office.serve().await;
        bring(1, "Person.One@Else.TEST");
        office.until_counted(&ann, RunState::Replied, 1).await;
        // Frozen by one process, sent by the next.
        office.smtp.rule(Rule::at(Step::MailFrom, Fault::Reply("451 4.3.0 not now")));
        bring(2, "Person.One+Shop@Else.TEST");
        bring(3, "PERSON.ONE@else.test");
        office.until_reason(&ann, RunState::Waiting, "smtp_later", 2).await;
        served.end().await;
        office.smtp.clear_rules();
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 3).await;
        served.end().await;
        office.check_answered_once([1, 2, 3]);
        let mut sent: Vec<_> = office.smtp.accepted().iter().flat_map(|mail| mail.to.clone()).collect();
        sent.sort_unstable();
        assert_eq!(sent, ["PERSON.ONE@else.test", "Person.One+Shop@else.test", "Person.One@else.test"]);
        assert!(office.smtp.accepted().iter().all(|mail| read(mail).to[0].as_str() == mail.to[0]));
        // Counted as one correspondent, however it is written.
        let counted = texts(&database, "SELECT DISTINCT recipient FROM outbox ORDER BY recipient").await;
        assert_eq!(counted, ["person.one+shop@else.test", "person.one@else.test"]);
    }
}
