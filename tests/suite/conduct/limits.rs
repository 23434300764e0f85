//! The limits hold however many workers answer at once (EM-27).

use std::time::Duration;

use postkey::store::RunState;

use super::letter;
use crate::support::database::{TestDatabase, on_both};
use crate::support::office::{LONG, Office};
use crate::support::provider_server::Answer;
use crate::support::wait::until;
use crate::support::world::{Desk, count};

const MAILS: usize = 12;

/// An office that asks for all answers before it gets the first one.
async fn open(database: &TestDatabase) -> (Office, Desk) {
    let mut office = Office::open(database).await;
    office.config.worker.per_user = 100;
    office.config.provider.per_key = 100;
    office.config.answers.per_correspondent_10_minutes = 100;
    let slow = Answer::words(|call| format!("Answer to: {}", call.last_text())).late(Duration::from_secs(2));
    office.provider.otherwise(slow);
    let ann = office.hire("ann@shop.test").await;
    (office, ann)
}

/// Waits until all runs have ended, exactly `replied` of them with a reply and the others held for `reason`.
async fn check(office: &Office, ann: &Desk, replied: usize, reason: &str) {
    let asked = office.provider.calls().len();
    assert!(asked == 0, "the service runs already");
    let served = office.serve().await;
    until("all are asked for", LONG, async || office.provider.calls().len() > replied).await;
    office.until_reason(ann, RunState::Held, reason, MAILS - replied).await;
    office.until_counted(ann, RunState::Replied, replied).await;
    served.end().await;
    assert_eq!(office.smtp.accepted().len(), replied);
    assert_eq!(office.open_notices(ann).await.len(), 1);
    assert_eq!(count(&office.store, ann.user, RunState::Held).await, MAILS - replied);
}

on_both! {
    async fn a_correspondent_gets_no_more_answers_than_allowed_from_many_workers(database: TestDatabase) {
        let (mut office, ann) = open(&database).await;
        office.config.answers.per_correspondent_10_minutes = 3;
        for number in 0..MAILS {
            office.bring(&ann, &letter(&format!("question-{number}"), "eager@else.test"));
        }
        check(&office, &ann, 3, "correspondent_limit").await;
    }

    async fn a_thread_gets_no_more_answers_than_allowed_from_many_workers(database: TestDatabase) {
        let (mut office, ann) = open(&database).await;
        office.config.answers.per_thread_day = 4;
        office.bring(&ann, &letter("question-0", "eager@else.test"));
        for number in 1..MAILS {
            let next = letter(&format!("question-{number}"), "eager@else.test").answering("question-0@else.test");
            office.bring(&ann, &next);
        }
        check(&office, &ann, 4, "thread_limit").await;
    }

    async fn an_agent_gives_no_more_answers_than_allowed_from_many_workers(database: TestDatabase) {
        let (office, ann) = open(&database).await;
        office.lay_down(&ann, |rules| rules.limits.per_agent_day = Some(5)).await;
        for number in 0..MAILS {
            office.bring(&ann, &letter(&format!("question-{number}"), &format!("person{number}@else.test")));
        }
        check(&office, &ann, 5, "agent_limit").await;
    }
}
