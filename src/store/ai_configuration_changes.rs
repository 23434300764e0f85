//! What an owner does to an AI configuration: add, change, make the default, delete. A user with configurations
//! always has exactly one default.

use super::ai_configurations::{self, AiConfiguration, NewAiConfiguration};
use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_tx};
use super::{AiConfigurationId, Store, StoreError, UserId, key_limits, notices, runs, users, wake};
use crate::clock::Timestamp;
use crate::vault::Sealed;

/// A change; what is unset stays as it is.
#[derive(Default)]
pub struct AiConfigurationChange {
    /// The model to ask.
    pub model: Option<String>,
    /// Sampling temperature.
    pub temperature: Option<Option<f64>>,
    /// Most tokens in an answer.
    pub max_output_tokens: Option<Option<i64>>,
    /// Another key, with the server that it was given for. Neither changes without the other, so that changes at the same
    /// time cannot bring a key to another server (SR-59).
    pub key: Option<NewKey>,
    /// It becomes the default.
    pub is_default: bool,
}

/// A key with what is kept beside it.
pub struct NewKey {
    /// A base URL other than the provider's own.
    pub base_url: Option<String>,
    /// The key, sealed for the configuration's row.
    pub sealed: Sealed,
    /// Its first characters.
    pub mask: String,
    /// Its last four, where it is long enough.
    pub last_four: Option<String>,
    /// Its fingerprint.
    pub fingerprint: String,
    /// When the provider said that it is good.
    pub verified_at: Option<Timestamp>,
}

impl Store {
    /// Adds a configuration; a user's first one becomes the default. Answers the one that the user already has for
    /// this provider, and leaves it as it is.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_ai_configuration(
        &self,
        mut new: NewAiConfiguration,
        entry: NewAuditEntry,
    ) -> Result<Option<AiConfigurationId>, StoreError> {
        let clock = self.clock.clone();
        let due = self.lease_clock().await?;
        let known = self
            .write(move |tx| {
                Box::pin(async move {
                    let user = new.user_id;
                    users::lock(tx, user).await?;
                    if let Some(known) = find_of_provider(tx, user, &new.provider).await? {
                        return Ok(Some(known));
                    }
                    new.is_default |= !has_default(tx, user).await?;
                    ai_configurations::upsert(tx, new, clock.now()).await?;
                    audit::append(tx, entry, &clock).await?;
                    free_what_waits(tx, user, due).await?;
                    Ok(None)
                })
            })
            .await?;
        self.wake_queue();
        Ok(known)
    }

    /// Changes a configuration; a changed one is tried afresh. Answers whether the user has it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn change_ai_configuration(
        &self,
        id: AiConfigurationId,
        change: AiConfigurationChange,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        let due = self.lease_clock().await?;
        let found = self
            .write(move |tx| {
                Box::pin(async move {
                    let (user, now) = (entry.user, clock.now());
                    users::lock(tx, user).await?;
                    let Some(stored) = find(tx, user, id).await? else { return Ok(false) };
                    ai_configurations::upsert(tx, changed(stored, change), now).await?;
                    audit::append(tx, entry, &clock).await?;
                    notices::end(tx, user, &format!("ai_configuration:{id}"), now).await?;
                    free_what_waits(tx, user, due).await?;
                    Ok(true)
                })
            })
            .await?;
        self.wake_queue();
        Ok(found)
    }

    /// Deletes a configuration; the oldest other one takes the place of a default. Answers whether the user had it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn delete_ai_configuration(
        &self,
        id: AiConfigurationId,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        let due = self.lease_clock().await?;
        let found = self
            .write(move |tx| {
                Box::pin(async move {
                    let (user, now) = (entry.user, clock.now());
                    users::lock(tx, user).await?;
                    let was_default: Option<bool> = on_tx!(tx, db => sqlx::query_scalar(
                        "DELETE FROM ai_configurations WHERE user_id = $1 AND id = $2 RETURNING is_default")
                        .bind(user).bind(id).fetch_optional(&mut *db).await)?;
                    let Some(was_default) = was_default else { return Ok(false) };
                    if was_default {
                        promote_oldest(tx, user).await?;
                    }
                    audit::append(tx, entry, &clock).await?;
                    notices::end(tx, user, &format!("ai_configuration:{id}"), now).await?;
                    key_limits::end_warnings(tx, user, id, now).await?;
                    // What waited for this key has another one now, or learns that it has none.
                    free_what_waits(tx, user, due).await?;
                    Ok(true)
                })
            })
            .await?;
        self.wake_queue();
        Ok(found)
    }

    /// Notes that the provider has just said that the key is good; one that was out of use is used again. A key
    /// that was replaced in the meantime is not touched.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn note_verified_key(&self, configuration: &AiConfiguration) -> Result<(), StoreError> {
        let (user, id, now) = (configuration.user_id, configuration.id, self.clock.now());
        let key = configuration.api_key.as_stored().to_owned();
        let due = self.lease_clock().await?;
        self.write(move |tx| {
            Box::pin(async move {
                let noted = on_tx!(tx, db => sqlx::query(
                    "UPDATE ai_configurations SET verified_at = $4,
                        state_reason = CASE state WHEN 'invalid' THEN NULL ELSE state_reason END,
                        state = CASE state WHEN 'invalid' THEN 'active' ELSE state END
                     WHERE user_id = $1 AND id = $2 AND api_key = $3")
                    .bind(user).bind(id).bind(key).bind(now)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if noted == 1 {
                    notices::end(tx, user, &format!("ai_configuration:{id}"), now).await?;
                    free_what_waits(tx, user, due).await?;
                }
                Ok(())
            })
        })
        .await?;
        self.wake_queue();
        Ok(())
    }
}

fn changed(stored: AiConfiguration, change: AiConfigurationChange) -> NewAiConfiguration {
    let key = change.key.unwrap_or(NewKey {
        base_url: stored.base_url,
        sealed: stored.api_key,
        mask: stored.api_key_mask,
        last_four: stored.api_key_last_four,
        fingerprint: stored.key_fingerprint,
        verified_at: stored.verified_at,
    });
    NewAiConfiguration {
        id: stored.id,
        user_id: stored.user_id,
        provider: stored.provider,
        base_url: key.base_url,
        model: change.model.unwrap_or(stored.model),
        temperature: change.temperature.unwrap_or(stored.temperature),
        max_output_tokens: change.max_output_tokens.unwrap_or(stored.max_output_tokens),
        api_key: key.sealed,
        api_key_mask: key.mask,
        api_key_last_four: key.last_four,
        key_fingerprint: key.fingerprint,
        is_default: change.is_default || stored.is_default,
        verified_at: key.verified_at,
    }
}

async fn find(
    tx: &mut Tx,
    user: UserId,
    id: AiConfigurationId,
) -> Result<Option<AiConfiguration>, StoreError> {
    let all: Vec<AiConfiguration> = on_tx!(tx, db => sqlx::query_as(ai_configurations::LIST)
        .bind(user).fetch_all(&mut *db).await)?;
    Ok(all.into_iter().find(|configuration| configuration.id == id))
}

async fn find_of_provider(
    tx: &mut Tx,
    user: UserId,
    provider: &str,
) -> Result<Option<AiConfigurationId>, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_scalar(
        "SELECT id FROM ai_configurations WHERE user_id = $1 AND provider = $2")
        .bind(user).bind(provider.to_owned()).fetch_optional(&mut *db).await)?)
}

async fn has_default(tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
    let found: Option<AiConfigurationId> = on_tx!(tx, db => sqlx::query_scalar(
        "SELECT id FROM ai_configurations WHERE user_id = $1 AND is_default")
        .bind(user).fetch_optional(&mut *db).await)?;
    Ok(found.is_some())
}

async fn promote_oldest(tx: &mut Tx, user: UserId) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE ai_configurations SET is_default = $2 WHERE user_id = $1 AND id = (
            SELECT id FROM ai_configurations WHERE user_id = $1 ORDER BY created_at, id LIMIT 1)")
        .bind(user).bind(true).execute(&mut *db).await.map(drop))?;
    Ok(())
}

async fn free_what_waits(tx: &mut Tx, user: UserId, due: Timestamp) -> Result<(), StoreError> {
    runs::unpark(tx, user, due).await?;
    wake::tell_others(tx).await
}
