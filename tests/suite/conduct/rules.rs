//! Whom an agent answers: lists of senders, and what the mail host says of them (EM-135 to EM-137, SR-68).

use postkey::store::{RunState, WordList};

use super::letter;
use crate::support::database::on_both;
use crate::support::office::Office;
use crate::support::raw::texts;

const PASS: &str = "Authentication-Results: mx.shop.test; dmarc=pass header.from=else.test";
const FAIL: &str = "Authentication-Results: mx.shop.test; dmarc=fail header.from=else.test";
const FOREIGN: &str = "Authentication-Results: mx.evil.test; dmarc=pass header.from=else.test";

fn list(words: &[&str]) -> WordList {
    WordList(words.iter().map(|word| (*word).to_owned()).collect())
}

on_both! {
    async fn blocked_senders_are_not_answered(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.lay_down(&ann, |rules| rules.blocked_senders = list(&["eve@else.test", "spam.test"])).await;
        let served = office.serve().await;
        for (number, from) in ["Eve@Else.test", "x@spam.test", "x@deep.spam.test"].iter().enumerate() {
            office.bring(&ann, &letter(&format!("bad-{number}"), from));
        }
        office.bring(&ann, &letter("detour", "bob@else.test").with("Reply-To: eve@else.test"));
        office.bring(&ann, &letter("good", "x@notspam.test"));
        office.until_reason(&ann, RunState::Skipped, "sender_blocked", 4).await;
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 1);
    }

    async fn with_a_list_of_allowed_senders_nobody_else_is_answered(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.lay_down(&ann, |rules| rules.allowed_senders = list(&["bob@else.test", "friends.test"])).await;
        let served = office.serve().await;
        for (number, from) in ["bob@else.test", "x@friends.test"].iter().enumerate() {
            office.bring(&ann, &letter(&format!("good-{number}"), from));
        }
        office.bring(&ann, &letter("bad", "eve@else.test"));
        office.until_reason(&ann, RunState::Skipped, "sender_not_allowed", 1).await;
        office.until_counted(&ann, RunState::Replied, 2).await;
        served.end().await;
    }

    async fn only_the_pinned_hosts_verdict_makes_a_sender_authenticated(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.change_mailbox(&ann, |mailbox| mailbox.reception.authserv_id = Some("mx.shop.test".into())).await;
        office.lay_down(&ann, |rules| rules.require_authenticated = true).await;
        let served = office.serve().await;
        office.bring(&ann, &letter("proved", "bob@else.test").with(PASS));
        office.bring(&ann, &letter("unproved", "bob@else.test"));
        office.bring(&ann, &letter("claimed", "bob@else.test").with(FOREIGN));
        office.bring(&ann, &letter("forged", "bob@else.test").with(FAIL));
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.until_reason(&ann, RunState::Skipped, "sender_not_authenticated", 2).await;
        office.until_reason(&ann, RunState::Held, "sender_forged", 1).await;
        served.end().await;
        let mut verdicts = texts(&database, "SELECT authentication FROM messages").await;
        verdicts.sort();
        assert_eq!(verdicts, ["failed", "passed", "unknown", "unknown"]);
        assert_eq!(office.told(&ann).await, ["sender_forged"]);
    }

    async fn without_a_pinned_host_nobody_is_called_a_forger(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("forged", "bob@else.test").with(FAIL));
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
    }
}
