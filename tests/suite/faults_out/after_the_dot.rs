//! The connection is lost after the final dot: nobody knows, so a person decides (promise 6).

use std::time::Duration;

use postkey::store::{Mode, OutboxState, RunState};

use crate::support::database::{TestDatabase, on_both};
use crate::support::office::{Office, read};
use crate::support::provider_server::Answer;
use crate::support::raw::texts;
use crate::support::smtp_server::{Fault, Rule, Step};
use crate::support::world::Desk;

/// How many runs may still be sent by the owner's word.
async fn words_left(database: &TestDatabase) -> usize {
    texts(database, "SELECT 'one' FROM runs WHERE resend").await.len()
}

/// Retries without the owner's word: it must come back as it was, with nothing asked and nothing sent.
async fn check_that_retrying_alone_does_nothing(office: &Office, ann: &Desk) {
    let before = (office.provider.calls().len(), office.smtp.accepted().len(), office.smtp.connections());
    let run = office.only_run(ann).await.id;
    assert!(office.store.retry_run(ann.user, run, false).await.unwrap());
    office.until_reason(ann, RunState::Held, "ambiguous", 1).await;
    let after = (office.provider.calls().len(), office.smtp.accepted().len(), office.smtp.connections());
    assert_eq!(before, after);
}

on_both! {
    async fn a_mail_that_may_have_gone_out_is_held_and_goes_out_again_only_by_the_owners_word(database: TestDatabase) {
        // The second service watches the first one's mailbox as well, whose ports must not be somebody else's by then.
        let mut offices = Vec::new();
        for (fault, taken) in [(Step::AfterDot, 0), (Step::Taken, 1)] {
            let office = Office::open(&database).await;
            let ann = office.hire(&format!("ann{taken}@shop.test")).await;
            office.smtp.rule(Rule::at(fault, Fault::Cut).times(1));
            office.deliver(&ann, 1);
            let served = office.serve().await;
            office.until_reason(&ann, RunState::Held, "ambiguous", 1).await;
            assert_eq!(office.smtp.accepted().len(), taken);
            let run = office.only_run(&ann).await.id;
            let frozen = office.store.find_outbox_mail(ann.user, run).await.unwrap().unwrap();
            assert_eq!(frozen.state, OutboxState::Ambiguous);
            let notices = office.open_notices(&ann).await;
            assert_eq!(notices.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>(), ["ambiguous"]);
            check_that_retrying_alone_does_nothing(&office, &ann).await;
            assert!(office.store.retry_run(ann.user, run, true).await.unwrap());
            office.until_counted(&ann, RunState::Replied, 1).await;
            served.end().await;
            let accepted = office.smtp.accepted();
            assert_eq!(accepted.len(), taken + 1);
            for mail in &accepted {
                assert_eq!(Some(&mail.bytes), frozen.raw.as_ref(), "the bytes were not those that were frozen");
                assert_eq!(read(mail).message_id.unwrap().as_str(), frozen.rfc_message_id);
            }
            assert_eq!(office.provider.calls().len(), 1);
            assert!(!office.store.retry_run(ann.user, run, true).await.unwrap(), "a replied run was retried");
            assert_eq!(office.open_notices(&ann).await.len(), 0);
            offices.push(office);
        }
    }
}

on_both! {
    async fn a_last_attempt_that_is_stopped_after_the_dot_is_ambiguous_and_not_failed(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.worker.max_attempts = 1;
        office.config.worker.run_timeout = Duration::from_secs(2);
        office.config.worker.retry_first = Duration::from_millis(50);
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        office.smtp.rule(Rule::at(Step::Taken, Fault::Hang).times(1));
        let served = office.serve().await;
        office.deliver(&ann, 1);
        office.until_reason(&ann, RunState::Held, "ambiguous", 1).await;
        assert_eq!(office.open_notices(&ann).await.len(), 1);
        // What was not begun is not begun again.
        office.provider.next(&bob.key, Answer::Hang);
        office.deliver(&bob, 2);
        office.until_reason(&bob, RunState::Failed, "attempts_used_up", 1).await;
        served.end().await;
        assert_eq!((office.smtp.accepted().len(), office.provider.calls().len()), (1, 2));
    }
}

on_both! {
    async fn a_server_that_is_silent_after_the_dot_leaves_it_ambiguous(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.final_timeout = Duration::from_millis(500);
        let ann = office.hire("ann@shop.test").await;
        office.smtp.rule(Rule::at(Step::Taken, Fault::Hang));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "ambiguous", 1).await;
        check_that_retrying_alone_does_nothing(&office, &ann).await;
        served.end().await;
        assert_eq!(office.smtp.accepted().len(), 1);
    }
}

on_both! {
    async fn the_owners_word_is_used_up_by_the_sending_it_was_given_for(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.change_agent(&ann, |agent| agent.mode = Mode::Draft).await;
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "draft", 1).await;
        office.smtp.rule(Rule::at(Step::Taken, Fault::Cut).times(2));
        let run = office.only_run(&ann).await.id;
        for sent in 1..=2 {
            assert!(office.store.retry_run(ann.user, run, true).await.unwrap());
            office.until_reason(&ann, RunState::Held, "ambiguous", 1).await;
            assert_eq!(office.smtp.accepted().len(), sent);
            // Were the word still there, a crash now would send the mail again.
            assert_eq!(words_left(&database).await, 0);
            check_that_retrying_alone_does_nothing(&office, &ann).await;
        }
        served.end().await;
    }
}
