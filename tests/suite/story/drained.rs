//! Told to end: nothing new is begun, what is under way ends, and the next start goes on (SR-80).

use std::time::Duration;

use postkey::store::RunState;

use super::{LONG, Story, program};
use crate::support::database::on_both;
use crate::support::provider_server::Answer;
use crate::support::raw::texts;
use crate::support::wait::until;
use crate::support::world::letter;

const FEW: usize = 30;

on_both! {
    async fn sigterm_lets_calls_end_and_begins_nothing_new(database: TestDatabase) {
        let story = Story::begin(&database).await;
        let thinking = Duration::from_secs(2);
        story.provider.otherwise(Answer::words(|call| format!("You said: {}", call.last_text())).late(thinking));
        for number in 0..FEW {
            let desk = story.desk(number);
            story.dovecot.deliver(&desk.address, &letter(number, &desk.address));
        }
        let program = program::prepare(&database, &story.config, "warn");
        let mut first = program::serve(&program);
        until("calls are under way", LONG, async || !story.provider.calls().is_empty()).await;
        assert!(program::terminate(&mut first).await.success());
        let asked = story.provider.calls().len();
        assert!(asked < FEW, "all calls had begun: this tests nothing");
        assert_eq!(story.count(RunState::Replied).await, asked, "a paid answer was not sent");
        assert_eq!(story.count(RunState::Running).await, 0);
        let leased = "SELECT address FROM mailboxes WHERE lease_owner IS NOT NULL";
        assert!(texts(&database, leased).await.is_empty(), "a mailbox is still leased");

        let mut second = program::serve(&program);
        until("the rest is answered", LONG, async || story.count(RunState::Replied).await == FEW).await;
        assert!(program::terminate(&mut second).await.success());
        let replies = story.smtp.accepted();
        assert_eq!(replies.len(), FEW);
        story.check_replies(&replies);
        assert_eq!(story.provider.calls().len(), FEW);
    }
}
