//! What we have sent: replies that are still whole in `outbox`, and in `sent_mails` what is kept of the forgotten
//! ones, so that a bounce or an answer to an old mail is still known.

use super::pool::{Pool, Tx, on_server, on_tx};
use super::suppressions::{self, NewSuppression};
use super::{MailboxId, RunId, Store, StoreError, UserId};

/// A mail of ours that another mail names.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SentMail {
    /// Its Message-ID without angle brackets.
    pub rfc_message_id: String,
    /// Whom it went to, in comparable form.
    pub recipient: String,
    /// Its run, unless that is forgotten.
    pub run_id: Option<RunId>,
}

const FIND_SQLITE: &str = "SELECT rfc_message_id, recipient, run_id FROM outbox
    WHERE user_id = $1 AND mailbox_id = $2 AND rfc_message_id IN (SELECT value FROM json_each($3))
    UNION ALL SELECT rfc_message_id, recipient, NULL AS run_id FROM sent_mails
    WHERE user_id = $1 AND mailbox_id = $2 AND rfc_message_id IN (SELECT value FROM json_each($3))";

const FIND_POSTGRES: &str = "SELECT rfc_message_id, recipient, run_id FROM outbox
    WHERE user_id = $1 AND mailbox_id = $2 AND rfc_message_id = ANY($3)
    UNION ALL SELECT rfc_message_id, recipient, NULL AS run_id FROM sent_mails
    WHERE user_id = $1 AND mailbox_id = $2 AND rfc_message_id = ANY($3)";

impl Store {
    /// Which of these Message-IDs are of mails that this mailbox has sent.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_sent(
        &self,
        user: UserId,
        mailbox: MailboxId,
        ids: Vec<String>,
    ) -> Result<Vec<SentMail>, StoreError> {
        Ok(match &self.pool {
            Pool::Sqlite { read, .. } => {
                let ids = serde_json::to_string(&ids).unwrap_or_default();
                sqlx::query_as(FIND_SQLITE).bind(user).bind(mailbox).bind(ids).fetch_all(read).await?
            }
            Pool::Postgres { pool, .. } => {
                let looking = sqlx::query_as(FIND_POSTGRES).bind(user).bind(mailbox).bind(ids);
                on_server!(pool, db => looking.fetch_all(db).await)?
            }
        })
    }

    /// Marks a mail of ours that came back, and writes to its recipient no more (EM-151).
    ///
    /// # Errors
    /// Where the database does not answer; then nothing has changed.
    pub async fn note_bounce(&self, sent: SentMail, suppression: NewSuppression) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let (user, mailbox) = (suppression.user, suppression.mailbox);
                mark_bounced(tx, user, mailbox, sent, clock.now()).await?;
                suppressions::suppress(tx, suppression, &clock).await
            })
        })
        .await
    }
}

async fn mark_bounced(
    tx: &mut Tx,
    user: UserId,
    mailbox: MailboxId,
    sent: SentMail,
    now: crate::clock::Timestamp,
) -> Result<(), StoreError> {
    for table in [
        "UPDATE outbox SET bounced_at = $4
         WHERE user_id = $1 AND mailbox_id = $2 AND rfc_message_id = $3 AND bounced_at IS NULL",
        "UPDATE sent_mails SET bounced_at = $4
         WHERE user_id = $1 AND mailbox_id = $2 AND rfc_message_id = $3 AND bounced_at IS NULL",
    ] {
        on_tx!(tx, db => sqlx::query(table)
            .bind(user).bind(mailbox).bind(sent.rfc_message_id.clone()).bind(now)
            .execute(&mut *db).await.map(drop))?;
    }
    let Some(run) = sent.run_id else { return Ok(()) };
    on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET reason = 'bounced' WHERE user_id = $1 AND id = $2 AND state = 'replied'")
        .bind(user).bind(run).execute(&mut *db).await.map(drop))?;
    Ok(())
}
