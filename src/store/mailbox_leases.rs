//! Who watches which mailbox: one process at a time, fenced by an epoch (EM-104), and how far it has come.

use std::time::Duration;

use super::claims::Holder;
use super::pool::{Tx, on_pool, on_tx};
use super::{MailboxId, Store, StoreError, UserId, lease_clock};
use crate::clock::Timestamp;

/// The right to watch a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxLease {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its owner.
    pub user: UserId,
    /// Grows with every new watcher.
    pub epoch: i64,
}

/// How far a mailbox's watcher has come (EM-73).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxCursor {
    /// What the server numbers its mails under.
    pub uid_validity: u32,
    /// The lowest UID that is not settled.
    pub next_uid: u32,
}

/// A mailbox that this process watches, and the version of its settings.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct WatchedMailbox {
    /// The mailbox.
    pub id: MailboxId,
    /// Its owner.
    pub user_id: UserId,
    /// The lease's epoch.
    pub lease_epoch: i64,
    /// When its settings changed last.
    pub updated_at: Timestamp,
}

impl WatchedMailbox {
    /// The right that comes with it.
    pub const fn lease(&self) -> MailboxLease {
        MailboxLease { mailbox: self.id, user: self.user_id, epoch: self.lease_epoch }
    }
}

macro_rules! watched {
    () => {
        "SELECT id, user_id, lease_epoch, updated_at FROM mailboxes
         WHERE lease_owner = $1 AND enabled AND state = 'active'"
    };
}

macro_rules! lease {
    ($free:literal) => {
        concat!(
            "UPDATE mailboxes SET lease_owner = $1, lease_epoch = lease_epoch + 1, lease_until = $3
             WHERE id IN (SELECT id FROM mailboxes WHERE enabled AND state = 'active'
                    AND (lease_until IS NULL OR lease_until < $2) ORDER BY id LIMIT $4",
            $free,
            ") AND (lease_until IS NULL OR lease_until < $2)
             RETURNING id, user_id, lease_epoch, updated_at"
        )
    };
}

const SQLITE_LEASE: &str = lease!("");
const POSTGRES_LEASE: &str = lease!(" FOR NO KEY UPDATE SKIP LOCKED");

const SQLITE_RENEW: &str = "UPDATE mailboxes SET lease_until = $2
    WHERE lease_owner = $1 AND enabled AND state = 'active' RETURNING id, user_id, lease_epoch, updated_at";
// A mailbox that somebody has locked is renewed the next time: no lease is to end because of another one's wait.
const POSTGRES_RENEW: &str = concat!(
    "WITH free AS (
    SELECT id FROM mailboxes WHERE lease_owner = $1 AND enabled AND state = 'active' FOR NO KEY UPDATE SKIP LOCKED
), renewed AS (
    UPDATE mailboxes SET lease_until = $2 FROM free WHERE mailboxes.id = free.id
) ",
    watched!()
);

impl Store {
    /// Leases up to `most` mailboxes that nobody watches.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn lease_mailboxes(
        &self,
        holder: Holder,
        lease: Duration,
        most: u32,
    ) -> Result<Vec<WatchedMailbox>, StoreError> {
        let clock = self.clock.clone();
        self.write_one(move |tx| {
            Box::pin(async move {
                let now = lease_clock(tx, &clock).await?;
                let statement = match tx {
                    Tx::Sqlite(_) => SQLITE_LEASE,
                    Tx::Server(_) => POSTGRES_LEASE,
                };
                Ok(on_tx!(tx, db => sqlx::query_as(statement)
                    .bind(holder.uuid()).bind(now).bind(now.plus(lease)).bind(i64::from(most))
                    .fetch_all(&mut *db).await)?)
            })
        })
        .await
    }

    /// Keeps this process's mailboxes for another `lease`, and answers which it still holds and should watch.
    ///
    /// # Errors
    /// Where the database does not answer; then nothing is known.
    pub async fn renew_mailboxes(
        &self,
        holder: Holder,
        lease: Duration,
    ) -> Result<Vec<WatchedMailbox>, StoreError> {
        let clock = self.clock.clone();
        self.write_one(move |tx| {
            Box::pin(async move {
                let until = lease_clock(tx, &clock).await?.plus(lease);
                let statement = match tx {
                    Tx::Sqlite(_) => SQLITE_RENEW,
                    Tx::Server(_) => POSTGRES_RENEW,
                };
                Ok(on_tx!(tx, db => sqlx::query_as(statement)
                    .bind(holder.uuid()).bind(until).fetch_all(&mut *db).await)?)
            })
        })
        .await
    }

    /// The mailboxes that this process holds and should watch, without renewing anything.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_watched_mailboxes(&self, holder: Holder) -> Result<Vec<WatchedMailbox>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(watched!())
            .bind(holder.uuid()).fetch_all(db).await)?)
    }

    /// Gives up the mailboxes of this process, or all of them (`None`: the start of a file's only process).
    ///
    /// # Errors
    /// Where the database does not answer; then the leases run out by themselves.
    pub async fn release_mailboxes(&self, holder: Option<Holder>) -> Result<(), StoreError> {
        let holder = holder.map(Holder::uuid);
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "UPDATE mailboxes SET lease_owner = NULL, lease_until = NULL
                     WHERE lease_owner IS NOT NULL AND (lease_owner = $1 OR $1 IS NULL)")
                    .bind(holder).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that the mailbox's server has answered.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else watches it by now.
    pub async fn note_alive(&self, lease: MailboxLease) -> Result<(), StoreError> {
        let now = self.clock.now();
        let changed = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query(
                        "UPDATE mailboxes SET last_alive_at = $4
                         WHERE user_id = $1 AND id = $2 AND lease_epoch = $3")
                        .bind(lease.user).bind(lease.mailbox).bind(lease.epoch).bind(now)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
                })
            })
            .await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}
