//! Forgetting: mail text after a while, whole runs after a longer one (SR-83).

use std::time::Duration;

use super::pool::{Tx, on_tx};
use super::{Store, StoreError};
use crate::clock::Timestamp;

/// Rows changed in one transaction, so that nobody waits long behind a sweep.
const MOST_AT_ONCE: i64 = 500;
/// How long it is known how many replies an agent had in an hour; limits look back a day.
const AGENT_HOURS: Duration = Duration::from_hours(48);

impl Store {
    /// Removes the text of ended runs' mails taken in before `text_before`, and everything about runs that ended
    /// before `runs_before` except what they cost and the Message-IDs that they sent. A bounded batch; answers how
    /// many rows it changed.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn forget(&self, text_before: Timestamp, runs_before: Timestamp) -> Result<u64, StoreError> {
        let hours_before = self.clock.now().minus(AGENT_HOURS);
        self.write(move |tx| {
            Box::pin(async move {
                let mut changed = 0;
                for statement in FORGET_TEXT {
                    changed += run(tx, statement, text_before).await?;
                }
                run(tx, KEEP_SENT, runs_before).await?;
                changed += run(tx, FORGET_RUNS, runs_before).await?;
                changed += run(tx, FORGET_NOTICES, runs_before).await?;
                changed += run(tx, FORGET_HOURS, hours_before).await?;
                Ok(changed)
            })
        })
        .await
    }
}

const FORGET_TEXT: [&str; 3] = [
    "UPDATE messages SET raw = NULL WHERE id IN (
        SELECT messages.id FROM messages JOIN runs ON runs.id = messages.id
        WHERE raw IS NOT NULL AND finished_at IS NOT NULL AND received_at < $1 LIMIT $2)",
    "DELETE FROM outbox_bytes WHERE run_id IN (
        SELECT run_id FROM outbox_bytes WHERE EXISTS (SELECT 1 FROM outbox JOIN runs ON runs.id = outbox.run_id
            WHERE outbox.run_id = outbox_bytes.run_id AND finished_at IS NOT NULL AND outbox.created_at < $1) LIMIT $2)",
    "UPDATE completions SET body = NULL WHERE run_id IN (
        SELECT run_id FROM completions JOIN runs ON runs.id = completions.run_id
        WHERE body IS NOT NULL AND finished_at IS NOT NULL AND completions.created_at < $1 LIMIT $2)",
];

/// A bounce or an answer may come later than that. Names the same runs as [`FORGET_RUNS`].
const KEEP_SENT: &str = "INSERT INTO sent_mails
        (mailbox_id, rfc_message_id, user_id, thread_id, recipient, created_at, bounced_at)
    SELECT mailbox_id, rfc_message_id, user_id, thread_id, recipient, created_at, bounced_at FROM outbox
    WHERE state IN ('sent', 'ambiguous', 'sending') AND run_id IN (
        SELECT id FROM runs WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY id LIMIT $2)
    ON CONFLICT DO NOTHING";

const FORGET_RUNS: &str = "DELETE FROM messages WHERE id IN (
    SELECT id FROM runs WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY id LIMIT $2)";

const FORGET_NOTICES: &str = "DELETE FROM notices WHERE id IN (
    SELECT id FROM notices WHERE ended_at IS NOT NULL AND ended_at < $1 LIMIT $2)";

const FORGET_HOURS: &str = "DELETE FROM agent_hours WHERE (agent_id, hour, slot) IN (
    SELECT agent_id, hour, slot FROM agent_hours WHERE hour < $1 / 3600000 LIMIT $2)";

async fn run(tx: &mut Tx, statement: &'static str, before: Timestamp) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query(statement).bind(before).bind(MOST_AT_ONCE)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
}
