//! What a mailbox's watcher does with replies after they went out: the copy in the Sent folder, the answered
//! flag, and the search for those of which nobody knows. The sender and the watcher meet in these rows only.

use super::claims::Holder;
use super::mailbox_leases::MailboxLease;
use super::pool::{Pool, on_keyed, on_pool, on_server, on_tx};
use super::{MailboxId, RunId, Store, StoreError, outbox};
use crate::clock::Timestamp;

/// A reply that the watcher has to deal with.
#[derive(Clone, sqlx::FromRow)]
pub struct Unfiled {
    /// The run.
    pub run_id: RunId,
    /// The reply's Message-ID without angle brackets.
    pub rfc_message_id: String,
    /// Its exact bytes; `None` once retention has removed them.
    pub raw: Option<Vec<u8>>,
    /// Where the server keeps the mail that it answers.
    pub uid_validity: Option<i64>,
    /// Where the server keeps the mail that it answers.
    pub uid: Option<i64>,
}

macro_rules! unfiled {
    () => {
        concat!(
            "SELECT outbox.run_id, outbox.rfc_message_id, ",
            outbox::raw!(),
            " AS raw, messages.uid_validity, messages.uid "
        )
    };
}

macro_rules! mark_filed {
    ($runs:literal) => {
        concat!(
            "UPDATE outbox SET filed_at = $5
             WHERE user_id = $1 AND mailbox_id = $2 AND filed_at IS NULL AND run_id ",
            $runs,
            " AND EXISTS (SELECT 1 FROM mailboxes WHERE id = $2 AND lease_epoch = $4)
             RETURNING run_id"
        )
    };
}

const POSTGRES_MARK_FILED: &str = mark_filed!("= ANY($3)");
const SQLITE_MARK_FILED: &str = mark_filed!("IN (SELECT unhex(value) FROM json_each($3))");

impl Store {
    /// The mailboxes watched by this process that have copies to file.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_mailboxes_to_file(&self, holder: Holder) -> Result<Vec<MailboxId>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_scalar(
            "SELECT id FROM mailboxes WHERE lease_owner = $1 AND EXISTS (SELECT 1 FROM outbox
                WHERE mailbox_id = mailboxes.id AND filed_at IS NULL AND state = 'sent')")
            .bind(holder.uuid()).fetch_all(db).await)?)
    }

    /// The replies of a mailbox that are sent and not filed, oldest first.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_unfiled(&self, lease: MailboxLease, most: usize) -> Result<Vec<Unfiled>, StoreError> {
        let _ticket = self.take_ticket().await;
        Ok(on_keyed!(&self.pool, db => sqlx::query_as(concat!(
            unfiled!(),
            "FROM outbox JOIN messages ON messages.id = outbox.run_id
             WHERE outbox.user_id = $1 AND outbox.mailbox_id = $2 AND filed_at IS NULL
                AND outbox.state = 'sent'
             ORDER BY outbox.run_id LIMIT $3"))
            .bind(lease.user).bind(lease.mailbox).bind(limit(most)).fetch_all(db).await)?)
    }

    /// The held replies of a mailbox that somebody wants looked for (their agent's policy, or the operator's
    /// `verify`) and that were sent, or not, after `since`; the newest first.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_lost(
        &self,
        lease: MailboxLease,
        verify: bool,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<Unfiled>, StoreError> {
        let _ticket = self.take_ticket().await;
        Ok(on_keyed!(&self.pool, db => sqlx::query_as(concat!(
            unfiled!(),
            "FROM outbox JOIN messages ON messages.id = outbox.run_id JOIN runs ON runs.id = outbox.run_id
             LEFT JOIN agents ON agents.id = runs.agent_id
             WHERE outbox.user_id = $1 AND outbox.mailbox_id = $2 AND filed_at IS NULL
                AND outbox.state = 'ambiguous'
                AND outbox.sending_at > $4 AND runs.state = 'held' AND runs.lease_until IS NULL
                AND ($3 OR agents.ambiguous = 'verify')
             ORDER BY outbox.run_id DESC LIMIT $5"))
            .bind(lease.user).bind(lease.mailbox).bind(verify).bind(since).bind(limit(most))
            .fetch_all(db).await)?)
    }

    /// Notes that these replies are being dealt with, and answers which: none that somebody else deals with, or any once
    /// somebody else watches the mailbox (EM-104).
    ///
    /// # Errors
    /// Where the database does not answer; what it has marked all the same is not dealt with.
    pub async fn mark_filed(&self, lease: MailboxLease, runs: Vec<RunId>) -> Result<Vec<RunId>, StoreError> {
        let now = self.clock.now();
        let MailboxLease { user, mailbox, epoch } = lease;
        if let Pool::Postgres { keyed, .. } = &self.pool {
            let _ticket = self.take_ticket().await;
            let marking = sqlx::query_scalar(POSTGRES_MARK_FILED).bind(user).bind(mailbox).bind(runs);
            let marking = marking.bind(epoch).bind(now);
            return Ok(on_server!(keyed, db => marking.fetch_all(db).await)?);
        }
        let runs: Vec<String> = runs.iter().map(|run| run.uuid().simple().to_string()).collect();
        let runs = serde_json::to_string(&runs).unwrap_or_default();
        self.write(move |tx| {
            Box::pin(async move {
                Ok(on_tx!(tx, db => sqlx::query_scalar(SQLITE_MARK_FILED).bind(user).bind(mailbox).bind(runs)
                    .bind(epoch).bind(now).fetch_all(&mut *db).await)?)
            })
        })
        .await
    }

    /// Ends a held run as replied, since its reply was found in the Sent folder.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn settle_ambiguous(&self, lease: MailboxLease, run: RunId) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.write(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "UPDATE outbox SET state = 'sent', sent_at = $4, filed_at = $4
                     WHERE user_id = $1 AND mailbox_id = $2 AND run_id = $3 AND state = 'ambiguous'")
                    .bind(lease.user).bind(lease.mailbox).bind(run).bind(now)
                    .execute(&mut *db).await.map(drop))?;
                on_tx!(tx, db => sqlx::query(
                    "UPDATE runs SET state = 'replied', reason = 'found_in_sent', detail = NULL, finished_at = $3
                     WHERE user_id = $1 AND id = $2 AND state = 'held' AND lease_until IS NULL")
                    .bind(lease.user).bind(run).bind(now)
                    .execute(&mut *db).await.map(drop))?;
                super::notices::end(tx, lease.user, &format!("run:{run}"), now).await
            })
        })
        .await
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
