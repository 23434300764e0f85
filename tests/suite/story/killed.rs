//! Killed in the middle and started again: nothing is lost, and nothing is answered twice (promises 2, 4 to 6).

use std::collections::HashSet;

use postkey::store::RunState;

use super::{LONG, MAILS, Story, program};
use crate::support::database::{TestDatabase, on_both};
use crate::support::raw::texts;
use crate::support::smtp_server::{Fault, Rule, Step};
use crate::support::wait::until;

/// Replies that were being handed over when the process died, by their runs' ids.
async fn sending(database: &TestDatabase) -> HashSet<String> {
    texts(database, "SELECT CAST(rfc_message_id AS TEXT) FROM outbox WHERE state = 'sending'")
        .await
        .into_iter()
        .collect()
}

async fn held(database: &TestDatabase) -> HashSet<String> {
    texts(
        database,
        "SELECT CAST(rfc_message_id AS TEXT) FROM outbox JOIN runs ON runs.id = outbox.run_id
         WHERE runs.state = 'held' AND runs.reason = 'ambiguous'",
    )
    .await
    .into_iter()
    .collect()
}

on_both! {
    async fn after_a_kill_every_mail_is_replied_to_or_held_and_none_is_answered_twice(database: TestDatabase) {
        let story = Story::begin(&database).await;
        // Some replies are on their way when the process dies: two the server has, two it has not.
        story.smtp.rule(Rule::at(Step::Taken, Fault::Hang).times(2));
        story.smtp.rule(Rule::at(Step::AfterDot, Fault::Hang).times(2));
        story.deliver_all().await;
        let program = program::prepare(&database, &story.config, "warn");
        let mut first = program::serve(&program);
        until("it is in the middle", LONG, async || story.smtp.accepted().len() >= 60).await;
        first.kill().await.unwrap();
        let in_the_air = sending(&database).await;
        assert!(in_the_air.len() >= 4, "{} replies were being sent", in_the_air.len());
        let called = story.provider.calls().len();

        story.smtp.clear_rules();
        let mut second = program::serve(&program);
        until("all are replied or held", LONG, async || {
            story.count(RunState::Replied).await + story.count(RunState::Held).await == MAILS
        })
        .await;
        assert!(program::terminate(&mut second).await.success());

        let held = held(&database).await;
        assert_eq!(story.count(RunState::Held).await, held.len(), "held for another reason than being ambiguous");
        assert!(held.is_subset(&in_the_air), "held, and was not being sent");
        assert_eq!(story.count(RunState::Replied).await, MAILS - held.len());
        let replies = story.smtp.accepted();
        story.check_replies(&replies);
        assert!(replies.len() >= MAILS - held.len());
        // Only what was being asked for at the kill is asked for again.
        let in_flight_at_most = usize::try_from(story.config.worker.per_user).unwrap() * 3;
        assert!(story.provider.calls().len() <= MAILS + in_flight_at_most, "{called} before the kill");
    }
}
