//! Replacing a platform API key: the next one is good at once, the old one for a while longer (SR-45).

use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_tx};
use super::{ApiKey, ApiKeyId, NewApiKey, Store, StoreError, UserId, api_keys, notices, users};
use crate::clock::Timestamp;

/// What became of a key that was to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyRotation {
    /// It has a successor.
    Done,
    /// It had one already.
    Rotated,
    /// There is no such key that is good.
    Unknown,
    /// Somebody else has changed it since it was looked at.
    Outdated,
}

/// Whose place a key took, and which one takes its own.
type Neighbours = (Option<ApiKeyId>, Option<ApiKeyId>);

impl Store {
    /// Puts the next key in the place of one that is good and still as it was `seen`; that one ends at `old_ends_at`, if
    /// not before. Whose place it had taken itself ends at once.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn rotate_api_key(
        &self,
        seen: ApiKey,
        old_ends_at: Timestamp,
        next: NewApiKey,
        entry: NewAuditEntry,
    ) -> Result<ApiKeyRotation, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let (user, old, now) = (entry.user, seen.id, clock.now());
                users::lock(tx, user).await?;
                let before = match find_neighbours(tx, user, old, now).await? {
                    None => return Ok(ApiKeyRotation::Unknown),
                    Some((_, Some(_))) => return Ok(ApiKeyRotation::Rotated),
                    Some((before, None)) => before,
                };
                if api_keys::find_settings(tx, user, old).await? != Some(seen.settings) {
                    return Ok(ApiKeyRotation::Outdated);
                }
                if let Some(before) = before {
                    api_keys::revoke(tx, user, before, "rotated", now).await?;
                }
                replace(tx, user, old, next.id, old_ends_at).await?;
                notices::end(tx, user, &api_keys::expiry_cause(old), now).await?;
                api_keys::insert(tx, user, next, Some(old), now).await?;
                audit::append(tx, entry, &clock).await?;
                Ok(ApiKeyRotation::Done)
            })
        })
        .await
    }
}

async fn find_neighbours(
    tx: &mut Tx,
    user: UserId,
    key: ApiKeyId,
    now: Timestamp,
) -> Result<Option<Neighbours>, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_as(
        "SELECT rotated_from, rotated_to FROM api_keys
         WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)")
        .bind(user).bind(key).bind(now).fetch_optional(&mut *db).await)?)
}

async fn replace(
    tx: &mut Tx,
    user: UserId,
    old: ApiKeyId,
    next: ApiKeyId,
    ends_at: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE api_keys SET rotated_to = $3,
            expires_at = CASE WHEN expires_at IS NULL OR expires_at > $4 THEN $4 ELSE expires_at END
         WHERE user_id = $1 AND id = $2")
        .bind(user).bind(old).bind(next).bind(ends_at).execute(&mut *db).await.map(drop))?;
    Ok(())
}
