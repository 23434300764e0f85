//! Stored mails as people look for them.

use super::pool::on_pool;
use super::{MailboxId, MessageId, Store, StoreError, ThreadId, UserId};
use crate::clock::Timestamp;

/// Which mails are looked for; the default is all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageFilter {
    /// Those that came to this mailbox.
    pub mailbox: Option<MailboxId>,
    /// Those of this thread.
    pub thread: Option<ThreadId>,
    /// Those that were taken in then or later.
    pub since: Option<Timestamp>,
    /// Those that were taken in before.
    pub until: Option<Timestamp>,
}

/// A mail of a list, with its beginning.
#[derive(Clone, sqlx::FromRow)]
pub struct MessageHead {
    /// The id.
    pub id: MessageId,
    /// The mailbox that it came to.
    pub mailbox_id: MailboxId,
    /// Its thread.
    pub thread_id: ThreadId,
    /// The person outside.
    pub correspondent: String,
    /// Its size on the server in bytes.
    pub bytes: i64,
    /// Whether only its beginning was taken in.
    pub truncated: bool,
    /// When it was taken in.
    pub received_at: Timestamp,
    /// Its beginning, where its header is; `None` once retention has removed it.
    pub head: Option<Vec<u8>>,
}

/// How much of each mail is read for a list.
const HEAD: i64 = 16 * 1024;

macro_rules! list {
    (from $from:literal where $where:literal) => {
        concat!(
            "SELECT messages.id, messages.mailbox_id, thread_id, threads.correspondent, bytes, truncated,
                received_at, SUBSTR(raw, 1, CAST($7 AS INTEGER)) AS head
             FROM ",
            $from,
            " JOIN threads ON threads.id = thread_id WHERE messages.user_id = $1 AND ",
            $where,
            " LIMIT $6"
        )
    };
}

// A condition that is not there would keep an index from being used. Every mail has a run of the same id, and runs
// are indexed by their owner.
const ALL: &str = list!(from "runs JOIN messages ON messages.id = runs.id"
    where "$4 IS NULL AND $5 IS NULL AND runs.user_id = $1 AND runs.id < $2 AND runs.id >= $3 ORDER BY runs.id DESC");
const OF_MAILBOX: &str = list!(from "messages"
    where "messages.mailbox_id = $4 AND ($5 IS NULL OR thread_id = $5) AND messages.id < $2 AND messages.id >= $3
        ORDER BY messages.id DESC");
const OF_THREAD: &str = list!(from "messages"
    where "$4 IS NULL AND thread_id = $5 AND messages.id < $2 AND messages.id >= $3 ORDER BY messages.id DESC");

impl Store {
    /// The newest mails of a user that are looked for, `most` at a time, older than `before`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn search_messages(
        &self,
        user: UserId,
        filter: MessageFilter,
        before: Option<MessageId>,
        most: u32,
    ) -> Result<Vec<MessageHead>, StoreError> {
        let last = MessageId::from_uuid(uuid::Uuid::max());
        let until = filter.until.map_or(last, MessageId::first_at);
        let before = before.unwrap_or(last).min(until);
        let since = MessageId::first_at(filter.since.unwrap_or(Timestamp::from_millis(0)));
        let statement = match (filter.mailbox, filter.thread) {
            (Some(_), _) => OF_MAILBOX,
            (None, Some(_)) => OF_THREAD,
            (None, None) => ALL,
        };
        Ok(on_pool!(&self.pool, db => sqlx::query_as(statement)
            .bind(user).bind(before).bind(since).bind(filter.mailbox).bind(filter.thread)
            .bind(i64::from(most)).bind(HEAD).fetch_all(db).await)?)
    }
}
