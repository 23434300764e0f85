//! Forgetting: mail text after a while, whole runs after a longer one (SR-83).

use std::time::Duration;

use super::pool::{Database, Tx, on_tx};
use super::{RunId, Store, StoreError};
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
        let texts =
            self.write(move |tx| Box::pin(async move { forget_texts(tx, text_before).await })).await?;
        let runs = self.write(move |tx| Box::pin(async move { forget_runs(tx, runs_before).await })).await?;
        let notices = self.forget_by(FORGET_NOTICES, runs_before).await?;
        let hours = self.forget_by(FORGET_HOURS, hours_before).await?;
        Ok(texts + runs + notices + hours)
    }

    async fn forget_by(&self, statement: &'static str, before: Timestamp) -> Result<u64, StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                Ok(on_tx!(tx, db => sqlx::query(statement).bind(before).bind(MOST_AT_ONCE)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?)
            })
        })
        .await
    }
}

/// The mail, the answer and the reply of the same runs go together.
async fn forget_texts(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    match tx.database() {
        Database::File(db) => {
            for statement in SQLITE_FORGET_REPLIES {
                sqlx::query(statement).bind(before).bind(MOST_AT_ONCE).execute(&mut *db).await?;
            }
            Ok(sqlx::query(SQLITE_FORGET_MAILS)
                .bind(before)
                .bind(MOST_AT_ONCE)
                .execute(db)
                .await?
                .rows_affected())
        }
        Database::Server(db) => Ok(sqlx::query(POSTGRES_FORGET_TEXTS)
            .bind(before)
            .bind(MOST_AT_ONCE)
            .execute(db)
            .await?
            .rows_affected()),
    }
}

async fn forget_runs(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    // Whatever ended before was made before, so that younger ones need not be looked at.
    let all_made_before = RunId::first_at(before);
    on_tx!(tx, db => sqlx::query(KEEP_SENT).bind(before).bind(MOST_AT_ONCE).bind(all_made_before)
        .execute(&mut *db).await.map(drop))?;
    Ok(on_tx!(tx, db => sqlx::query(FORGET_RUNS).bind(before).bind(MOST_AT_ONCE).bind(all_made_before)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
}

macro_rules! old_texts {
    () => {
        "SELECT messages.id FROM messages JOIN runs ON runs.id = messages.id
         WHERE raw IS NOT NULL AND received_at < $1 AND finished_at IS NOT NULL ORDER BY received_at LIMIT $2"
    };
}

const SQLITE_FORGET_REPLIES: [&str; 2] = [
    concat!("DELETE FROM outbox_bytes WHERE run_id IN (", old_texts!(), ")"),
    concat!("UPDATE completions SET body = NULL WHERE run_id IN (", old_texts!(), ")"),
];
const SQLITE_FORGET_MAILS: &str = concat!("UPDATE messages SET raw = NULL WHERE id IN (", old_texts!(), ")");

// In one statement, so that two processes never see different runs in its parts.
const POSTGRES_FORGET_TEXTS: &str = concat!(
    "WITH old AS MATERIALIZED (",
    old_texts!(),
    " FOR UPDATE OF messages SKIP LOCKED), replies AS (
        DELETE FROM outbox_bytes WHERE run_id IN (SELECT id FROM old)
    ), answers AS (
        UPDATE completions SET body = NULL WHERE run_id IN (SELECT id FROM old)
    )
    UPDATE messages SET raw = NULL WHERE id IN (SELECT id FROM old)"
);

macro_rules! sent {
    () => {
        "outbox.state IN ('sent', 'ambiguous', 'sending')"
    };
}

/// A bounce or an answer may come later than that.
const KEEP_SENT: &str = concat!(
    "INSERT INTO sent_mails (mailbox_id, rfc_message_id, user_id, thread_id, recipient, created_at, bounced_at)
    SELECT mailbox_id, rfc_message_id, user_id, thread_id, recipient, created_at, bounced_at FROM outbox
    WHERE ",
    sent!(),
    " AND run_id IN (SELECT id FROM runs WHERE id < $3 AND finished_at < $1 ORDER BY id LIMIT $2)
    ON CONFLICT DO NOTHING"
);

/// Those only of which everything is kept that is to be kept: another process may have taken others meanwhile.
const FORGET_RUNS: &str = concat!(
    "DELETE FROM messages WHERE id IN (
        SELECT id FROM runs WHERE id < $3 AND finished_at < $1 AND NOT EXISTS (
            SELECT 1 FROM outbox WHERE outbox.run_id = runs.id AND ",
    sent!(),
    " AND NOT EXISTS (SELECT 1 FROM sent_mails
                WHERE sent_mails.mailbox_id = outbox.mailbox_id AND sent_mails.rfc_message_id = outbox.rfc_message_id))
        ORDER BY id LIMIT $2)"
);

const FORGET_NOTICES: &str = "DELETE FROM notices WHERE id IN (
    SELECT id FROM notices WHERE ended_at IS NOT NULL AND ended_at < $1 LIMIT $2)";

const FORGET_HOURS: &str = "DELETE FROM agent_hours WHERE (agent_id, hour, slot) IN (
    SELECT agent_id, hour, slot FROM agent_hours WHERE hour < $1 / 3600000 LIMIT $2)";
