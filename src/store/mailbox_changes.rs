//! What an owner does to a mailbox: add, change, pause, activate, delete. The watcher sees it in the row.

use super::audit::{self, NewAuditEntry};
use super::mailboxes::{self, Mailbox, NewMailbox};
use super::pool::{Tx, on_tx};
use super::{MailboxId, RunId, Store, StoreError, UserId, notices, runs};
use crate::clock::{Clock, Timestamp};
use crate::mail::Address;

/// Most mailboxes of one user.
const MOST: usize = 1000;
/// Rows that are deleted in one transaction.
const MOST_AT_ONCE: i64 = 500;

/// Why a mailbox cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxRefusal {
    /// The owner has one of this address.
    AddressTaken(MailboxId),
    /// The owner has as many as may be.
    TooMany,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is made.
    Done,
    /// The settings are others by now than those that it was made from.
    Meanwhile,
    /// The owner has no such mailbox.
    NotThere,
}

impl Store {
    /// Adds a mailbox; it is watched as soon as a watcher sees it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_mailbox(
        &self,
        mailbox: NewMailbox,
        entry: NewAuditEntry,
    ) -> Result<Result<(), MailboxRefusal>, StoreError> {
        self.change_things(entry.user, move |tx, clock| {
            Box::pin(async move {
                let others: Vec<(MailboxId, String)> = on_tx!(tx, db => sqlx::query_as(
                    "SELECT id, address FROM mailboxes WHERE user_id = $1")
                    .bind(entry.user).fetch_all(&mut *db).await)?;
                if others.len() >= MOST {
                    return Ok(Err(MailboxRefusal::TooMany));
                }
                let wanted = Address::parse(&mailbox.address);
                let is_same = |other: &str| {
                    Address::parse(other).zip(wanted.as_ref()).is_some_and(|(a, b)| a.is_same(b))
                };
                if let Some((known, _)) = others.iter().find(|(_, address)| is_same(address)) {
                    return Ok(Err(MailboxRefusal::AddressTaken(*known)));
                }
                mailboxes::upsert(tx, mailbox, clock.now()).await?;
                audit::append(tx, entry, &clock).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// Writes changed settings of a mailbox, if they were made from those that it still has.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn change_mailbox(
        &self,
        mailbox: NewMailbox,
        entry: NewAuditEntry,
    ) -> Result<Changed, StoreError> {
        self.change_things(entry.user, move |tx, clock| {
            Box::pin(async move {
                match find(tx, entry.user, mailbox.id).await? {
                    None => Ok(Changed::NotThere),
                    Some(stored) if stored.updated_at != mailbox.updated_at => Ok(Changed::Meanwhile),
                    Some(_) => {
                        save(tx, mailbox, entry, &clock).await?;
                        Ok(Changed::Done)
                    }
                }
            })
        })
        .await
    }

    /// Pauses a mailbox, or activates it: one that was stopped is tried again. Answers whether the user has it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn set_mailbox_enabled(
        &self,
        id: MailboxId,
        enabled: bool,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        self.change_things(entry.user, move |tx, clock| {
            Box::pin(async move {
                let Some(stored) = find(tx, entry.user, id).await? else { return Ok(false) };
                save(tx, Mailbox { enabled, ..stored }, entry, &clock).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Deletes a mailbox with its mail and its runs; what they cost stays known, and its agents stay without one.
    /// Answers whether the user had it. Nobody watches it any more from the first step on; its rows go in batches, so
    /// that nobody waits long behind them.
    ///
    /// # Errors
    /// Where the database does not answer; then what is left of it is paused, and can be deleted again.
    pub async fn delete_mailbox(&self, id: MailboxId, entry: NewAuditEntry) -> Result<bool, StoreError> {
        let (user, now) = (entry.user, self.clock.now());
        if !self.write(move |tx| Box::pin(async move { stop_watching(tx, user, id, now).await })).await? {
            return Ok(false);
        }
        for statement in REMOVE {
            while self.write(move |tx| Box::pin(async move { remove(tx, statement, user, id).await })).await?
            {
            }
        }
        self.change_things(user, move |tx, clock| {
            Box::pin(async move {
                runs::hold_runs(tx, &[user]).await?;
                let gone = on_tx!(tx, db => sqlx::query("DELETE FROM mailboxes WHERE user_id = $1 AND id = $2")
                    .bind(user).bind(id).execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if gone == 1 {
                    count_leased(tx, user).await?;
                    end_notices(tx, user, id, clock.now()).await?;
                    audit::append(tx, entry, &clock).await?;
                }
                Ok(gone == 1)
            })
        })
        .await
    }
}

async fn find(tx: &mut Tx, user: UserId, id: MailboxId) -> Result<Option<Mailbox>, StoreError> {
    let row: Option<mailboxes::Row> = on_tx!(tx, db => sqlx::query_as(mailboxes::FIND)
        .bind(user).bind(id).fetch_optional(&mut *db).await)?;
    row.map(Mailbox::try_from).transpose()
}

async fn save(tx: &mut Tx, mailbox: Mailbox, entry: NewAuditEntry, clock: &Clock) -> Result<(), StoreError> {
    notices::end(tx, entry.user, &format!("mailbox:{}", mailbox.id), clock.now()).await?;
    mailboxes::upsert(tx, mailbox, clock.now()).await?;
    audit::append(tx, entry, clock).await
}

/// With another epoch, so that a watcher's next write is refused.
async fn stop_watching(
    tx: &mut Tx,
    user: UserId,
    mailbox: MailboxId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let stopped = on_tx!(tx, db => sqlx::query(
        "UPDATE mailboxes SET enabled = $3, updated_at = $4, lease_epoch = lease_epoch + 1,
            lease_owner = NULL, lease_until = NULL
         WHERE user_id = $1 AND id = $2")
        .bind(user).bind(mailbox).bind(false).bind(now)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(stopped == 1)
}

/// Mails that are not answered yet go first. With a mail go its run, the answer and the reply.
const REMOVE: [&str; 4] = [
    "DELETE FROM messages WHERE id IN (SELECT messages.id FROM messages JOIN runs ON runs.id = messages.id
        WHERE messages.user_id = $1 AND mailbox_id = $2 AND finished_at IS NULL LIMIT $3)",
    "DELETE FROM messages WHERE id IN (
        SELECT id FROM messages WHERE user_id = $1 AND mailbox_id = $2 ORDER BY id LIMIT $3)",
    "DELETE FROM sent_mails WHERE (mailbox_id, rfc_message_id) IN (
        SELECT mailbox_id, rfc_message_id FROM sent_mails WHERE user_id = $1 AND mailbox_id = $2 LIMIT $3)",
    "DELETE FROM threads WHERE id IN (SELECT id FROM threads WHERE user_id = $1 AND mailbox_id = $2 LIMIT $3)",
];

/// A batch; answers whether there was any.
async fn remove(
    tx: &mut Tx,
    statement: &'static str,
    user: UserId,
    mailbox: MailboxId,
) -> Result<bool, StoreError> {
    runs::hold_runs(tx, &[user]).await?;
    let removed = on_tx!(tx, db => sqlx::query(statement).bind(user).bind(mailbox).bind(MOST_AT_ONCE)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    count_leased(tx, user).await?;
    Ok(removed > 0)
}

/// No verdict will count back the runs in hand that are gone; nobody claims or ends others meanwhile.
async fn count_leased(tx: &mut Tx, user: UserId) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE lanes SET running = (
            SELECT COUNT(*) FROM runs WHERE runs.user_id = $1 AND lease_until IS NOT NULL)
         WHERE user_id = $1").bind(user).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Nobody can do anything any more about what is gone.
async fn end_notices(
    tx: &mut Tx,
    user: UserId,
    mailbox: MailboxId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for kind in ["mailbox", "mailbox_away"] {
        notices::end(tx, user, &format!("{kind}:{mailbox}"), now).await?;
    }
    let causes: Vec<String> = on_tx!(tx, db => sqlx::query_scalar(
        "SELECT cause FROM notices WHERE user_id = $1 AND ended_at IS NULL AND cause LIKE 'run:%'")
        .bind(user).fetch_all(&mut *db).await)?;
    for cause in causes {
        let Some(run) = cause.strip_prefix("run:").and_then(|id| id.parse::<RunId>().ok()) else { continue };
        let found: Option<RunId> = on_tx!(tx, db => sqlx::query_scalar(
            "SELECT id FROM runs WHERE user_id = $1 AND id = $2")
            .bind(user).bind(run).fetch_optional(&mut *db).await)?;
        if found.is_none() {
            notices::end(tx, user, &cause, now).await?;
        }
    }
    Ok(())
}
