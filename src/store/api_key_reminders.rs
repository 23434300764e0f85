//! What owners have to know about their platform API keys: which end soon, and which nobody uses (SR-45).

use std::time::Duration;

use super::api_keys::{LONG_UNUSED, disuse_cause, expiry_cause};
use super::pool::{on_pool, on_tx};
use super::{ApiKeyId, NewNotice, Store, StoreError, UserId, notices};
use crate::clock::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Keys that are told of in one go.
const MOST_AT_ONCE: i64 = 200;

/// A key that its owner is to be told of.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ApiKeyReminder {
    /// The key.
    pub id: ApiKeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is called.
    pub name: String,
    /// When it ends; unset where it is told of since nobody uses it.
    pub expires_at: Option<Timestamp>,
}

impl ApiKeyReminder {
    /// In how many days before its end it is told of.
    pub fn days(&self, now: Timestamp) -> Option<i64> {
        days_before(self.expires_at?, now)
    }
}

/// In how many days before the end of a key its owner is told of it.
const TOLD_DAYS: [i64; 3] = [1, 7, 14];

/// Which of them have come: what ends so soon from the beginning needs not be told of at these.
pub(super) fn days_before(expires_at: Timestamp, now: Timestamp) -> Option<i64> {
    let left = expires_at.millis().saturating_sub(now.millis());
    TOLD_DAYS.into_iter().find(|days| left <= days * 24 * 3600 * 1000)
}

impl Store {
    /// Keys that end within 14, 7 days or 1 day, and whose owners were not told that yet.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_ending_api_keys(&self, now: Timestamp) -> Result<Vec<ApiKeyReminder>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, name, expires_at FROM api_keys
             WHERE revoked_at IS NULL AND rotated_to IS NULL AND expires_at > $1
                AND ((told_days IS NULL AND expires_at <= $2) OR (told_days > 7 AND expires_at <= $3)
                    OR (told_days > 1 AND expires_at <= $4))
             ORDER BY expires_at LIMIT $5")
            .bind(now).bind(now.plus(14 * DAY)).bind(now.plus(7 * DAY)).bind(now.plus(DAY)).bind(MOST_AT_ONCE)
            .fetch_all(db).await)?)
    }

    /// Keys that were not used for 90 days, and whose owners were not told that yet.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_unused_api_keys(&self, now: Timestamp) -> Result<Vec<ApiKeyReminder>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, name, CAST(NULL AS BIGINT) AS expires_at FROM api_keys
             WHERE revoked_at IS NULL AND rotated_to IS NULL AND (expires_at IS NULL OR expires_at > $1)
                AND COALESCE(last_used_at, created_at) < $2 AND told_unused_at IS NULL
             ORDER BY id LIMIT $3")
            .bind(now).bind(now.minus(LONG_UNUSED)).bind(MOST_AT_ONCE).fetch_all(db).await)?)
    }

    /// Tells an owner that a key ends within so many days, unless another process has told it. What was told before of
    /// its end is over.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn tell_of_expiry(
        &self,
        key: ApiKeyReminder,
        days: i64,
        sentence: String,
    ) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let is_news = on_tx!(tx, db => sqlx::query(
                    "UPDATE api_keys SET told_days = $3
                     WHERE id = $1 AND user_id = $2 AND (told_days IS NULL OR told_days > $3)")
                    .bind(key.id).bind(key.user_id).bind(days)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if is_news == 0 {
                    return Ok(());
                }
                let (user, cause) = (key.user_id, expiry_cause(key.id));
                notices::end(tx, user, &cause, clock.now()).await?;
                let notice = NewNotice { user, cause, kind: "api_key_expiry", sentence };
                notices::give(tx, notice, &clock).await.map(drop)
            })
        })
        .await
    }

    /// Tells an owner that nobody uses a key, unless another process has told it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn tell_of_disuse(&self, key: ApiKeyReminder, sentence: String) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let is_news = on_tx!(tx, db => sqlx::query(
                    "UPDATE api_keys SET told_unused_at = $3
                     WHERE id = $1 AND user_id = $2 AND told_unused_at IS NULL")
                    .bind(key.id).bind(key.user_id).bind(clock.now())
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if is_news == 0 {
                    return Ok(());
                }
                let (user, cause) = (key.user_id, disuse_cause(key.id));
                let notice = NewNotice { user, cause, kind: "api_key_unused", sentence };
                notices::give(tx, notice, &clock).await.map(drop)
            })
        })
        .await
    }
}
