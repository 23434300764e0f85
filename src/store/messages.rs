//! `messages` and `threads`: the mails that were taken in.

use super::pool::on_pool;
use super::{MailboxId, MessageId, Store, StoreError, ThreadId, UserId};
use crate::clock::Timestamp;

/// A stored mail.
#[derive(Clone, sqlx::FromRow)]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// The owner.
    pub user_id: UserId,
    /// The mailbox it came to.
    pub mailbox_id: MailboxId,
    /// Its thread.
    pub thread_id: ThreadId,
    /// Where the server kept it.
    pub uid_validity: Option<i64>,
    /// Where the server kept it.
    pub uid: Option<i64>,
    /// Its bytes; `None` once retention has removed them.
    pub raw: Option<Vec<u8>>,
    /// Whether the bytes are only its beginning.
    pub truncated: bool,
    /// When the server got it, if it says so.
    pub internal_date: Option<Timestamp>,
    /// When it was taken in.
    pub received_at: Timestamp,
    /// What the mailbox's own host said about the sender, as the code of an
    /// [`Authentication`](crate::mail::authentication::Authentication).
    pub authentication: Option<String>,
}

impl Message {
    /// When it came to its mailbox, as far as anybody knows.
    pub fn came_at(&self) -> Timestamp {
        self.internal_date.map_or(self.received_at, |date| date.min(self.received_at))
    }
}

/// One earlier mail of a thread, theirs or ours.
#[derive(Clone, sqlx::FromRow)]
pub struct ThreadMail {
    /// Whether we wrote it.
    pub ours: bool,
    /// The mail, or its beginning.
    pub raw: Vec<u8>,
    /// When it came or went.
    pub at: Timestamp,
}

/// How much of a thread is read.
#[derive(Clone, Copy, Debug)]
pub struct EarlierLimits {
    /// Most mails.
    pub mails: u32,
    /// Bytes of the beginning of each mail.
    pub bytes_each: u32,
    /// Bytes of all of them; the oldest are left out.
    pub bytes: u32,
}

impl Store {
    /// The message of a run.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_message(
        &self,
        user: UserId,
        message: MessageId,
    ) -> Result<Option<Message>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, mailbox_id, thread_id, uid_validity, uid, raw, truncated, internal_date,
                received_at, authentication
             FROM messages WHERE user_id = $1 AND id = $2")
            .bind(user).bind(message).fetch_optional(db).await)?)
    }

    /// The newest mails of a thread before `before`, theirs and ours, newest first.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_thread_mails(
        &self,
        user: UserId,
        thread: ThreadId,
        before: MessageId,
        limits: EarlierLimits,
    ) -> Result<Vec<ThreadMail>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(LIST_THREAD)
            .bind(user).bind(thread).bind(before)
            .bind(i64::from(limits.mails)).bind(i64::from(limits.bytes_each)).bind(i64::from(limits.bytes))
            .fetch_all(db).await)?)
    }
}

// Sizes are looked at first, so that no mail is read which is not handed out.
const LIST_THREAD: &str = "WITH newest AS (
    SELECT id, FALSE AS ours, received_at AS at, LENGTH(raw) AS bytes FROM messages
    WHERE user_id = $1 AND thread_id = $2 AND id < $3 AND raw IS NOT NULL
    UNION ALL
    SELECT run_id AS id, TRUE AS ours, sent_at AS at, LENGTH(raw) AS bytes
    FROM outbox JOIN outbox_bytes USING (run_id)
    WHERE user_id = $1 AND thread_id = $2 AND state = 'sent' AND run_id < $3
    ORDER BY at DESC, ours DESC LIMIT $4
), sized AS (
    SELECT id, ours, at, SUM(CASE WHEN bytes < $5 THEN bytes ELSE $5 END)
        OVER (ORDER BY at DESC, ours DESC, id DESC) AS bytes_so_far
    FROM newest
)
SELECT ours, at, CASE WHEN ours
        THEN (SELECT SUBSTR(raw, 1, CAST($5 AS INTEGER)) FROM outbox_bytes WHERE run_id = sized.id)
        ELSE (SELECT SUBSTR(raw, 1, CAST($5 AS INTEGER)) FROM messages WHERE messages.id = sized.id) END AS raw
FROM sized WHERE bytes_so_far <= $6 ORDER BY at DESC, ours DESC, id DESC";
