//! `suppressions`: where automation has stopped, for an address or for one thread with it, until the owner says
//! otherwise (EM-152, SR-90).

use super::pool::{Tx, on_pool, on_tx};
use super::{MailboxId, NewNotice, Store, StoreError, SuppressionId, ThreadId, UserId, notices};
use crate::clock::Timestamp;

/// Why automation has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Reason {
    /// A reply could not be delivered, for good.
    Bounced,
    /// The correspondent asked to be left alone.
    OptedOut,
    /// The correspondent asked for a person, in this thread.
    PersonWanted,
}

impl Reason {
    /// The stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::OptedOut => "opted_out",
            Self::PersonWanted => "person_wanted",
        }
    }
}

/// A place where automation has stopped.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Suppression {
    /// The id.
    pub id: SuppressionId,
    /// The mailbox that writes no more.
    pub mailbox_id: MailboxId,
    /// Whom it does not write to, in comparable form.
    pub address: String,
    /// The only thread that is meant; all of them without.
    pub thread_id: Option<ThreadId>,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub created_at: Timestamp,
}

/// A place where automation is to stop.
#[derive(Clone, Debug)]
pub struct NewSuppression {
    /// The owner.
    pub user: UserId,
    /// The mailbox that is to write no more.
    pub mailbox: MailboxId,
    /// Whom to; a second one where mail from one address is answered at another.
    pub addresses: Vec<String>,
    /// The only thread that is meant; all of them without.
    pub thread: Option<ThreadId>,
    /// Why.
    pub reason: Reason,
    /// What the owner is told.
    pub sentence: String,
}

impl Store {
    /// Stops automation and tells the owner, once.
    ///
    /// # Errors
    /// Where the database does not answer; then nothing has changed.
    pub async fn suppress(&self, new: NewSuppression) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| Box::pin(async move { suppress(tx, new, &clock).await })).await
    }

    /// Where automation has stopped for a user, newest first.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_suppressions(&self, user: UserId, most: u32) -> Result<Vec<Suppression>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, mailbox_id, address, thread_id, reason, created_at FROM suppressions
             WHERE user_id = $1 ORDER BY id DESC LIMIT $2")
            .bind(user).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// Whose suppression this is; for the operator's command line only.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_suppression_owner(&self, id: SuppressionId) -> Result<Option<UserId>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_scalar("SELECT user_id FROM suppressions WHERE id = $1")
            .bind(id).fetch_optional(db).await)?)
    }

    /// Lets automation go on, and ends the notice. Answers whether it had stopped.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn lift_suppression(&self, user: UserId, id: SuppressionId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.write(move |tx| {
            Box::pin(async move {
                let lifted = on_tx!(tx, db => sqlx::query("DELETE FROM suppressions WHERE user_id = $1 AND id = $2")
                    .bind(user).bind(id).execute(&mut *db).await.map(|done| done.rows_affected()))?;
                notices::end(tx, user, &cause(id), now).await?;
                Ok(lifted == 1)
            })
        })
        .await
    }
}

fn cause(id: SuppressionId) -> String {
    format!("suppression:{id}")
}

/// Inside a transaction: stops automation, and tells the owner where that is news.
pub(super) async fn suppress(
    tx: &mut Tx,
    new: NewSuppression,
    clock: &crate::clock::Clock,
) -> Result<(), StoreError> {
    let mut told = None;
    for address in new.addresses.iter().filter(|address| !address.is_empty()) {
        let id = SuppressionId::new(clock);
        let is_new = insert(tx, id, &new, address, clock.now()).await?;
        told = told.or(is_new.then_some(id));
    }
    let Some(id) = told else { return Ok(()) };
    let notice =
        NewNotice { user: new.user, cause: cause(id), kind: new.reason.as_str(), sentence: new.sentence };
    notices::give(tx, notice, clock).await?;
    Ok(())
}

/// A wish to be left alone outlives a bounce: it is not lifted with it.
async fn insert(
    tx: &mut Tx,
    id: SuppressionId,
    new: &NewSuppression,
    address: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let made = on_tx!(tx, db => sqlx::query(
        "INSERT INTO suppressions (id, user_id, mailbox_id, address, thread_id, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
        .bind(id).bind(new.user).bind(new.mailbox).bind(address.to_owned()).bind(new.thread)
        .bind(new.reason).bind(now)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(made == 1)
}
