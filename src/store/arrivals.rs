//! Taking mails in: a batch of them, each with its run and the wake-up, in one transaction.

use std::collections::HashMap;

use super::mailbox_leases::{MailboxCursor, MailboxLease};
use super::pool::{Database, Tx, on_tx};
use super::{MessageId, RunId, Store, StoreError, ThreadId};
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
    /// The thread whose signed address it was sent to (EM-66).
    pub signed_thread: Option<ThreadId>,
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
    /// Whether somebody has answered it already, as the server says.
    pub is_answered: bool,
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
    /// It is stored with its run.
    New(RunId),
    /// It was here before.
    Known(RunId),
}

/// Most mails looked at to find a thread.
const MOST_ANSWERED: usize = 20;

impl Store {
    /// Takes mails in: each with its run, the wake-up and the cursor that has come past them, all in one transaction, so
    /// that nothing is lost. The same mail again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else watches the mailbox by now; then nothing is stored.
    pub async fn accept_messages(
        &self,
        lease: MailboxLease,
        arrivals: Vec<Arrival>,
        cursor: Option<MailboxCursor>,
    ) -> Result<Vec<Accepted>, StoreError> {
        let clock = self.clock.clone();
        let _ticket = self.take_arrivals_ticket().await;
        let accepted = self
            .write(move |tx| {
                Box::pin(async move {
                    let known = hold_lease(tx, lease, &arrivals, cursor).await?;
                    let mut batch = Batch { lease, clock, known, mails: Vec::new() };
                    let mut accepted = Vec::with_capacity(arrivals.len());
                    for arrival in arrivals {
                        accepted.push(batch.take_in(tx, arrival).await?);
                    }
                    batch.store(tx).await?;
                    Ok(accepted)
                })
            })
            .await?;
        if !accepted.is_empty() {
            self.wake_queue();
        }
        Ok(accepted)
    }
}

/// Moves the cursor, keeps the mailbox's row from being leased to somebody else until this transaction has ended, and
/// answers those of the arrivals that are stored already. One question: no row where the lease is lost, one without a mail
/// where none is known.
async fn hold_lease(
    tx: &mut Tx,
    lease: MailboxLease,
    arrivals: &[Arrival],
    cursor: Option<MailboxCursor>,
) -> Result<HashMap<String, MessageId>, StoreError> {
    let identities: Vec<&str> = arrivals.iter().map(|arrival| arrival.identity.as_str()).collect();
    let uid_validity = cursor.map(|cursor| i64::from(cursor.uid_validity));
    let next_uid = cursor.map(|cursor| i64::from(cursor.next_uid));
    let held: Vec<(Option<String>, Option<MessageId>)> = match tx.database() {
        Database::File(db) => {
            let identities = serde_json::to_string(&identities).unwrap_or_default();
            let held = sqlx::query_as(SQLITE_HELD).bind(lease.user).bind(lease.mailbox).bind(lease.epoch);
            held.bind(identities).bind(uid_validity).bind(next_uid).fetch_all(db).await?
        }
        Database::Server(db) => {
            let held = sqlx::query_as(POSTGRES_HELD).bind(lease.user).bind(lease.mailbox).bind(lease.epoch);
            held.bind(identities).bind(uid_validity).bind(next_uid).fetch_all(db).await?
        }
    };
    if held.is_empty() {
        return Err(StoreError::LeaseLost);
    }
    Ok(held.into_iter().filter_map(|(identity, id)| identity.zip(id)).collect())
}

/// Without a cursor it stays where it is.
macro_rules! move_cursor {
    () => {
        "UPDATE mailboxes SET uid_validity = COALESCE($5, uid_validity), next_uid = COALESCE($6, next_uid)
        WHERE user_id = $1 AND id = $2 AND lease_epoch = $3"
    };
}

// Nobody else writes to a file while this transaction does.
const SQLITE_HELD: &str = concat!(
    move_cursor!(),
    ";
    SELECT identity, messages.id FROM mailboxes LEFT JOIN messages
        ON messages.user_id = $1 AND mailbox_id = $2 AND identity IN (SELECT value FROM json_each($4))
    WHERE mailboxes.user_id = $1 AND mailboxes.id = $2 AND lease_epoch = $3"
);

// Whoever held the lease before has ended: taking it waited for the same lock. What the same lease is still committing, as
// when its watcher was replaced, may be missed; then the key of `messages` refuses the batch, and the watcher comes again.
const POSTGRES_HELD: &str = concat!(
    "WITH held AS (",
    move_cursor!(),
    " RETURNING id) SELECT identity, messages.id FROM held LEFT JOIN messages
        ON user_id = $1 AND mailbox_id = $2 AND identity = ANY($4)"
);

/// Mails that are to be stored together.
pub(super) struct Batch {
    pub(super) lease: MailboxLease,
    pub(super) clock: Clock,
    /// By what makes a mail the same.
    known: HashMap<String, MessageId>,
    pub(super) mails: Vec<Mail>,
}

/// A new mail with its place.
pub(super) struct Mail {
    pub(super) id: MessageId,
    pub(super) thread: ThreadId,
    pub(super) opens_thread: bool,
    pub(super) arrival: Arrival,
}

impl Batch {
    async fn take_in(&mut self, tx: &mut Tx, arrival: Arrival) -> Result<Accepted, StoreError> {
        if let Some(known) = self.known.get(&arrival.identity) {
            return Ok(Accepted::Known(RunId::of(*known)));
        }
        let found = match find_signed_thread(tx, self.lease, &arrival).await? {
            Some(thread) => {
                learn_alias(tx, self.lease, thread, &arrival, self.clock.now()).await?;
                Some(thread)
            }
            None => self.find_thread(tx, &arrival).await?,
        };
        let id = MessageId::new(&self.clock);
        let thread = found.unwrap_or_else(|| ThreadId::new(&self.clock));
        self.known.insert(arrival.identity.clone(), id);
        self.mails.push(Mail { id, thread, opens_thread: found.is_none(), arrival });
        Ok(Accepted::New(RunId::of(id)))
    }

    /// Looks among the mails of this mailbox and this correspondent only, never by subject (EM-69, EM-70).
    async fn find_thread(&self, tx: &mut Tx, arrival: &Arrival) -> Result<Option<ThreadId>, StoreError> {
        for answered in arrival.answers.iter().take(MOST_ANSWERED) {
            let beside = self.mails.iter().find(|mail| {
                mail.arrival.rfc_message_id.as_ref() == Some(answered)
                    && mail.arrival.correspondent == arrival.correspondent
            });
            let found = match beside {
                Some(mail) => Some(mail.thread),
                None => find_thread_of(tx, self.lease, answered, &arrival.correspondent).await?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The thread of a signed address, if it is of this mailbox and this correspondent.
async fn find_signed_thread(
    tx: &mut Tx,
    lease: MailboxLease,
    arrival: &Arrival,
) -> Result<Option<ThreadId>, StoreError> {
    let Some(thread) = arrival.signed_thread else { return Ok(None) };
    Ok(on_tx!(tx, db => sqlx::query_scalar(
        "SELECT id FROM threads WHERE user_id = $1 AND mailbox_id = $2 AND id = $3 AND correspondent = $4")
        .bind(lease.user).bind(lease.mailbox).bind(thread).bind(&arrival.correspondent)
        .fetch_optional(&mut *db).await)?)
}

/// An answer to a signed address that names an unknown mail names a reply of ours whose Message-ID its provider has
/// replaced: later answers and bounces may name only that (EM-71).
async fn learn_alias(
    tx: &mut Tx,
    lease: MailboxLease,
    thread: ThreadId,
    arrival: &Arrival,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(answered) = arrival.answers.first() else { return Ok(()) };
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO sent_mails (mailbox_id, rfc_message_id, user_id, thread_id, recipient, created_at)
         SELECT $1, $2, $3, $4, $5, $6
         WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE mailbox_id = $1 AND rfc_message_id = $2)
            AND NOT EXISTS (SELECT 1 FROM messages WHERE mailbox_id = $1 AND rfc_message_id = $2)
         ON CONFLICT DO NOTHING")
        .bind(lease.mailbox).bind(answered.as_str()).bind(lease.user).bind(thread)
        .bind(&arrival.correspondent).bind(now)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

async fn find_thread_of(
    tx: &mut Tx,
    lease: MailboxLease,
    answered: &RfcMessageId,
    correspondent: &str,
) -> Result<Option<ThreadId>, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_scalar(
        "SELECT threads.id FROM threads
         JOIN (SELECT thread_id FROM outbox WHERE mailbox_id = $2 AND rfc_message_id = $3
               UNION ALL
               SELECT thread_id FROM messages WHERE mailbox_id = $2 AND rfc_message_id = $3
               UNION ALL
               SELECT thread_id FROM sent_mails WHERE mailbox_id = $2 AND rfc_message_id = $3
         ) AS mails ON mails.thread_id = threads.id
         WHERE threads.user_id = $1 AND threads.mailbox_id = $2 AND threads.correspondent = $4 LIMIT 1")
        .bind(lease.user).bind(lease.mailbox).bind(answered.as_str()).bind(correspondent)
        .fetch_optional(&mut *db).await)?)
}
