//! `notices`: what an owner must be told, once per cause.

use std::time::Duration;

use super::pool::{Tx, on_pool, on_tx};
use super::{NoticeId, Store, StoreError, UserId};
use crate::clock::{Clock, Timestamp};

/// Something an owner must know.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Notice {
    /// The id.
    pub id: NoticeId,
    /// The owner.
    pub user_id: UserId,
    /// What it is about; told once while it lasts.
    pub cause: String,
    /// What kind of trouble, as a stable code.
    pub kind: String,
    /// One sentence that says what to do.
    pub sentence: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, if it is over.
    pub ended_at: Option<Timestamp>,
}

/// A notice to be given.
#[derive(Clone, Debug)]
pub struct NewNotice {
    /// The owner.
    pub user: UserId,
    /// What it is about: kind and id of the row, for example `mailbox:<id>`.
    pub cause: String,
    /// What kind of trouble.
    pub kind: &'static str,
    /// One sentence that says what to do; no mail text, no address of a correspondent, no secret.
    pub sentence: String,
}

/// Somebody to whom a letter is due.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OwnerWithNews {
    /// The id.
    pub id: UserId,
    /// The address.
    pub email: String,
}

/// How long nothing more is told of runs that fail for one reason.
const TOLD_AGAIN: Duration = Duration::from_hours(24);

impl Store {
    /// Tells an owner something, unless it has been told and still lasts. Answers whether it is news.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn give_notice(&self, notice: NewNotice) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write_one(move |tx| Box::pin(async move { give(tx, notice, &clock).await })).await
    }

    /// Ends a notice whose cause is gone, so that the same trouble is told again.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn end_notice(&self, user: UserId, cause: String) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| Box::pin(async move { end(tx, user, &cause, now).await })).await
    }

    /// Ends a notice because its owner has dealt with it. Answers whether the user has such a notice; one that is
    /// over stays as it is.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn dismiss_notice(&self, user: UserId, notice: NoticeId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| {
            Box::pin(async move {
                Ok(on_tx!(tx, db => sqlx::query(
                    "UPDATE notices SET ended_at = COALESCE(ended_at, $3) WHERE user_id = $1 AND id = $2")
                    .bind(user).bind(notice).bind(now)
                    .execute(&mut *db).await.map(|done| done.rows_affected() == 1))?)
            })
        })
        .await
    }

    /// A user's notices, newest first, after the given one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_notices(
        &self,
        user: UserId,
        after: Option<NoticeId>,
        most: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, cause, kind, sentence, created_at, ended_at FROM notices
             WHERE user_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3")
            .bind(user).bind(after).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// The next owner, by id after `last`, to whom something is to be mailed that was given before this time.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_owner_with_news(
        &self,
        given_before: Timestamp,
        last: Option<UserId>,
    ) -> Result<Option<OwnerWithNews>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT users.id, users.email FROM notices JOIN users ON users.id = notices.user_id
             WHERE ended_at IS NULL AND mailed_at IS NULL AND notices.created_at <= $1
                AND ($2 IS NULL OR notices.user_id > $2)
             ORDER BY notices.user_id LIMIT 1")
            .bind(given_before).bind(last).fetch_optional(db).await)?)
    }

    /// Everything that lasts and was not mailed yet to an owner, oldest first. It counts as mailed from now on, so
    /// that nobody else mails it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn claim_news(&self, user: UserId, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut claimed: Vec<(NoticeId, String)> = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query_as(
                        "UPDATE notices SET mailed_at = $2
                         WHERE user_id = $1 AND ended_at IS NULL AND mailed_at IS NULL RETURNING id, sentence")
                        .bind(user).bind(now).fetch_all(&mut *db).await)?)
                })
            })
            .await?;
        claimed.sort_unstable_by_key(|(id, _)| id.uuid());
        Ok(claimed.into_iter().map(|(_, sentence)| sentence).collect())
    }

    /// Gives back what was claimed at this time, since no letter of it went out.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn return_news(&self, user: UserId, claimed_at: Timestamp) -> Result<(), StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "UPDATE notices SET mailed_at = NULL WHERE user_id = $1 AND mailed_at = $2")
                    .bind(user).bind(claimed_at).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }
}

/// Inside a transaction: see [`Store::give_notice`]. One of failed runs that is a day old is told again, since nothing
/// shows that its cause is still the same.
pub(super) async fn give(tx: &mut Tx, notice: NewNotice, clock: &Clock) -> Result<bool, StoreError> {
    let now = clock.now();
    let told = on_tx!(tx, db => sqlx::query(
        "INSERT INTO notices (id, user_id, cause, kind, sentence, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (user_id, cause) WHERE ended_at IS NULL DO UPDATE
         SET sentence = excluded.sentence, created_at = excluded.created_at, mailed_at = NULL
         WHERE notices.cause LIKE 'failed:%' AND notices.created_at < $7")
        .bind(NoticeId::new(clock)).bind(notice.user).bind(notice.cause).bind(notice.kind)
        .bind(notice.sentence).bind(now).bind(now.minus(TOLD_AGAIN))
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(told == 1)
}

/// Inside a transaction: the cause is gone.
pub(super) async fn end(tx: &mut Tx, user: UserId, cause: &str, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE notices SET ended_at = $3 WHERE user_id = $1 AND cause = $2 AND ended_at IS NULL")
        .bind(user).bind(cause.to_owned()).bind(now).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Inside a transaction: whatever the user's runs waited for is tried again.
pub(super) async fn end_waiting(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE notices SET ended_at = $2
         WHERE user_id = $1 AND ended_at IS NULL AND (cause = 'no_key' OR cause LIKE 'waiting:%')")
        .bind(user).bind(now).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Inside a transaction: the owner has looked at a run.
pub(super) async fn end_held(
    tx: &mut Tx,
    user: UserId,
    run: super::RunId,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE notices SET ended_at = $3
         WHERE user_id = $1 AND ended_at IS NULL AND (cause = $2 OR cause LIKE 'held:%' OR cause LIKE 'failed:%')")
        .bind(user).bind(format!("run:{run}")).bind(now).execute(&mut *db).await.map(drop))?;
    Ok(())
}
