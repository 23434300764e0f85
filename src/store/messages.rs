//! `messages` and `threads`: the mails taken in, each with its run, written together.

use super::mailbox_leases::MailboxLease;
use super::pool::{Tx, on_pool, on_tx};
use super::{MailboxId, MessageId, RunId, Store, StoreError, ThreadId, UserId};
use crate::clock::{Clock, Timestamp};
use crate::mail::RfcMessageId;
use crate::mail::authentication::Authentication;

/// A mail to be taken in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What makes it the same mail wherever it turns up (EM-72, EM-77).
    pub identity: String,
    /// Its own Message-ID, where it has one.
    pub rfc_message_id: Option<RfcMessageId>,
    /// The mails it answers, the most telling first (EM-69).
    pub answers: Vec<RfcMessageId>,
    /// Who wrote it, in comparable form; empty where nobody can tell.
    pub correspondent: String,
    /// Where the server keeps it.
    pub uid_validity: u32,
    /// Where the server keeps it.
    pub uid: u32,
    /// When the server got it.
    pub internal_date: Option<Timestamp>,
    /// Its size on the server in bytes.
    pub bytes: u32,
    /// The mail, or its beginning where it is larger than we take.
    pub raw: Vec<u8>,
    /// Whether `raw` is only the beginning.
    pub truncated: bool,
    /// What the mailbox's own host says about the sender (EM-137).
    pub authentication: Authentication,
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, and a run is queued.
    New(RunId),
    /// It was here before.
    Known(RunId),
}

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
    /// What the mailbox's own host said about the sender, as the code of an [`Authentication`].
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

/// Most mails looked at to find a thread.
const MOST_ANSWERED: usize = 20;

impl Store {
    /// Takes mails in: each with its run and the wake-up, all in one transaction, so that a cursor that moves
    /// after this has lost nothing. The same mail again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else watches the mailbox by now; then nothing is stored.
    pub async fn accept_messages(
        &self,
        lease: MailboxLease,
        arrivals: Vec<Arrival>,
    ) -> Result<Vec<Accepted>, StoreError> {
        let due = self.lease_clock().await?;
        let clock = self.clock.clone();
        let accepted = self
            .write(move |tx| {
                Box::pin(async move {
                    hold_lease(tx, lease).await?;
                    let mut accepted = Vec::with_capacity(arrivals.len());
                    for arrival in arrivals {
                        accepted.push(accept(tx, lease, arrival, &clock, due).await?);
                    }
                    super::wake::tell_others(tx).await?;
                    Ok(accepted)
                })
            })
            .await?;
        self.wake_queue();
        Ok(accepted)
    }

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
    SELECT run_id AS id, TRUE AS ours, sent_at AS at, LENGTH(raw) AS bytes FROM outbox
    WHERE user_id = $1 AND thread_id = $2 AND state = 'sent' AND run_id < $3 AND raw IS NOT NULL
    ORDER BY at DESC, ours DESC LIMIT $4
), sized AS (
    SELECT id, ours, at, SUM(CASE WHEN bytes < $5 THEN bytes ELSE $5 END)
        OVER (ORDER BY at DESC, ours DESC, id DESC) AS bytes_so_far
    FROM newest
)
SELECT ours, at, CASE WHEN ours
        THEN (SELECT SUBSTR(raw, 1, CAST($5 AS INTEGER)) FROM outbox WHERE run_id = sized.id)
        ELSE (SELECT SUBSTR(raw, 1, CAST($5 AS INTEGER)) FROM messages WHERE messages.id = sized.id) END AS raw
FROM sized WHERE bytes_so_far <= $6 ORDER BY at DESC, ours DESC, id DESC";

/// Keeps the mailbox's row from being leased to somebody else until this transaction has ended.
async fn hold_lease(tx: &mut Tx, lease: MailboxLease) -> Result<(), StoreError> {
    let held = on_tx!(tx, db => sqlx::query(
        "UPDATE mailboxes SET lease_epoch = lease_epoch WHERE user_id = $1 AND id = $2 AND lease_epoch = $3")
        .bind(lease.user).bind(lease.mailbox).bind(lease.epoch)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

async fn accept(
    tx: &mut Tx,
    lease: MailboxLease,
    arrival: Arrival,
    clock: &Clock,
    due: Timestamp,
) -> Result<Accepted, StoreError> {
    let known: Option<RunId> = on_tx!(tx, db => sqlx::query_scalar(
        "SELECT id FROM messages WHERE user_id = $1 AND mailbox_id = $2 AND identity = $3")
        .bind(lease.user).bind(lease.mailbox).bind(&arrival.identity).fetch_optional(&mut *db).await)?;
    if let Some(run) = known {
        return Ok(Accepted::Known(run));
    }
    let thread = match find_thread(tx, lease, &arrival).await? {
        Some(thread) => thread,
        None => open_thread(tx, lease, &arrival.correspondent, clock).await?,
    };
    let message = MessageId::new(clock);
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO messages (id, user_id, mailbox_id, thread_id, identity, rfc_message_id, uid_validity, uid,
            internal_date, bytes, raw, truncated, received_at, authentication)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
        .bind(message).bind(lease.user).bind(lease.mailbox).bind(thread).bind(arrival.identity)
        .bind(arrival.rfc_message_id.as_ref().map(|id| id.as_str().to_owned()))
        .bind(i64::from(arrival.uid_validity)).bind(i64::from(arrival.uid)).bind(arrival.internal_date)
        .bind(i64::from(arrival.bytes)).bind(arrival.raw).bind(arrival.truncated).bind(clock.now())
        .bind(arrival.authentication.as_str())
        .execute(&mut *db).await.map(drop))?;
    let run = RunId::of(message);
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO runs (id, user_id, state, due_at, created_at) VALUES ($1, $2, 'queued', $3, $4)")
        .bind(run).bind(lease.user).bind(due).bind(clock.now())
        .execute(&mut *db).await.map(drop))?;
    Ok(Accepted::New(run))
}

/// Looks among the mails of this mailbox and this correspondent only, never by subject (EM-69, EM-70).
async fn find_thread(
    tx: &mut Tx,
    lease: MailboxLease,
    arrival: &Arrival,
) -> Result<Option<ThreadId>, StoreError> {
    for answered in arrival.answers.iter().take(MOST_ANSWERED) {
        let found: Option<ThreadId> = on_tx!(tx, db => sqlx::query_scalar(
            "SELECT threads.id FROM threads
             JOIN (SELECT thread_id FROM outbox WHERE mailbox_id = $2 AND rfc_message_id = $3
                   UNION ALL
                   SELECT thread_id FROM messages WHERE mailbox_id = $2 AND rfc_message_id = $3
                   UNION ALL
                   SELECT thread_id FROM sent_mails WHERE mailbox_id = $2 AND rfc_message_id = $3
             ) AS mails ON mails.thread_id = threads.id
             WHERE threads.user_id = $1 AND threads.mailbox_id = $2 AND threads.correspondent = $4 LIMIT 1")
            .bind(lease.user).bind(lease.mailbox).bind(answered.as_str()).bind(&arrival.correspondent)
            .fetch_optional(&mut *db).await)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn open_thread(
    tx: &mut Tx,
    lease: MailboxLease,
    correspondent: &str,
    clock: &Clock,
) -> Result<ThreadId, StoreError> {
    let thread = ThreadId::new(clock);
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO threads (id, user_id, mailbox_id, correspondent, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(thread).bind(lease.user).bind(lease.mailbox).bind(correspondent).bind(clock.now())
        .execute(&mut *db).await.map(drop))?;
    Ok(thread)
}
