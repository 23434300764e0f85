//! `ai_configurations`: a user's provider, model and sealed key; one per provider, one of them the default.

use std::fmt;

use super::key_limits;
use super::notices::{self, NewNotice};
use super::pool::{Tx, on_pool, on_tx};
use super::{AiConfigurationId, Store, StoreError, UserId};
use crate::clock::Timestamp;
use crate::provider::ErrorClass;
use crate::vault::{Place, Sealed};

/// Column label to which the ciphertext of a provider key is bound.
pub const API_KEY_COLUMN: &str = "ai_configurations.api_key";

/// Whether a key is to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum KeyState {
    /// In use.
    Active,
    /// The provider refused it; it is not tried again until it is replaced.
    Invalid,
    /// The provider wants money first; it is tried again at `resume_at`.
    Exhausted,
}

/// A configuration as stored.
#[derive(Clone, sqlx::FromRow)]
pub struct AiConfiguration {
    /// The id.
    pub id: AiConfigurationId,
    /// The owner.
    pub user_id: UserId,
    /// The provider's name.
    pub provider: String,
    /// A base URL other than the provider's own.
    pub base_url: Option<String>,
    /// The model to ask.
    pub model: String,
    /// Sampling temperature, where the model takes one.
    pub temperature: Option<f64>,
    /// Most tokens in an answer.
    pub max_output_tokens: Option<i64>,
    /// The sealed key.
    #[sqlx(try_from = "String")]
    pub api_key: Sealed,
    /// The key's first characters, for lists.
    pub api_key_mask: String,
    /// Its last four, where it is long enough.
    pub api_key_last_four: Option<String>,
    /// Tells whether two configurations hold the same key.
    pub key_fingerprint: String,
    /// Whether agents use it that name no other.
    pub is_default: bool,
    /// Whether the key is to be used.
    pub state: KeyState,
    /// Why not.
    pub state_reason: Option<String>,
    /// When an exhausted key is tried again.
    pub resume_at: Option<Timestamp>,
    /// When the provider last said that the key is good.
    pub verified_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its owner last changed it.
    pub updated_at: Timestamp,
}

impl AiConfiguration {
    /// Where the sealed key belongs: anywhere else it does not open (SR-18).
    pub fn key_place(&self) -> Place<'_> {
        Place {
            column: API_KEY_COLUMN,
            owner: self.user_id.uuid(),
            record: self.id.uuid(),
            provider: &self.provider,
        }
    }
}

impl fmt::Debug for AiConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AiConfiguration").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a provider's answer says of a key.
pub struct KeyMark {
    /// Whether it is to be used.
    pub state: KeyState,
    /// The class of the provider's error.
    pub reason: &'static str,
    /// When it may be tried again.
    pub resume_at: Option<Timestamp>,
    /// What its owner is told, with the mark.
    pub notice: Option<NewNotice>,
}

impl KeyMark {
    /// Of a key that its provider refuses: it is not used again until it is replaced or verified, and its owner is told
    /// (SR-3).
    pub fn refused(configuration: &AiConfiguration) -> Self {
        let (reason, provider) = (ErrorClass::AuthInvalid.as_str(), &configuration.provider);
        let notice = NewNotice {
            user: configuration.user_id,
            cause: format!("ai_configuration:{}", configuration.id),
            kind: reason,
            sentence: format!("{provider} refuses your key: save a new one; your mail waits for it."),
        };
        Self { state: KeyState::Invalid, reason, resume_at: None, notice: Some(notice) }
    }
}

/// A configuration to be made or changed.
#[derive(Clone)]
pub struct NewAiConfiguration {
    /// The id; the ciphertext is bound to it.
    pub id: AiConfigurationId,
    /// The owner.
    pub user_id: UserId,
    /// The provider's name.
    pub provider: String,
    /// A base URL other than the provider's own.
    pub base_url: Option<String>,
    /// The model to ask.
    pub model: String,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Most tokens in an answer.
    pub max_output_tokens: Option<i64>,
    /// The sealed key.
    pub api_key: Sealed,
    /// The key's first characters.
    pub api_key_mask: String,
    /// Its last four, where it is long enough.
    pub api_key_last_four: Option<String>,
    /// Fingerprint of the key.
    pub key_fingerprint: String,
    /// Whether it becomes the default.
    pub is_default: bool,
    /// When the provider said that the key is good; unset for one that it was not asked about.
    pub verified_at: Option<Timestamp>,
}

macro_rules! list_configurations {
    ($ids:literal, $of_users:literal) => {
        concat!(
            "SELECT ",
            $ids,
            ", provider, base_url, model, temperature, max_output_tokens, api_key,
                api_key_mask, api_key_last_four, key_fingerprint, is_default, state, state_reason, resume_at,
                verified_at, created_at, updated_at
             FROM ai_configurations WHERE user_id ",
            $of_users,
            " ORDER BY provider LIMIT 10000"
        )
    };
}

/// A user's configurations by provider; at most one per provider.
pub(super) const LIST: &str = list_configurations!("id, user_id", "= $1");
/// The same of many users, who stand in `asked (owner)`. There are fewer providers than would fill the list.
pub(super) const SQLITE_LIST_OF_ALL: &str =
    list_configurations!("id, user_id", "IN (SELECT owner FROM asked)");
/// The configurations of the users `$3`, each with its `configuration_id` and `configuration_owner`.
macro_rules! configurations_of_users {
    () => {
        concat!(
            "SELECT own.* FROM UNNEST($3::UUID[]) AS asked (user_id) CROSS JOIN LATERAL (",
            $crate::store::ai_configurations::list_configurations!(
                "id AS configuration_id, user_id AS configuration_owner",
                "= asked.user_id"
            ),
            ") AS own"
        )
    };
}
pub(super) use {configurations_of_users, list_configurations};

impl Store {
    /// A user's configurations by provider; at most one per provider.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_ai_configurations(&self, user: UserId) -> Result<Vec<AiConfiguration>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(LIST).bind(user).fetch_all(db).await)?)
    }

    /// The configuration to use: the one asked for, or the user's default.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_ai_configuration(
        &self,
        user: UserId,
        chosen: Option<AiConfigurationId>,
    ) -> Result<Option<AiConfiguration>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, provider, base_url, model, temperature, max_output_tokens, api_key,
                api_key_mask, api_key_last_four, key_fingerprint, is_default, state, state_reason, resume_at,
                verified_at, created_at, updated_at
             FROM ai_configurations
             WHERE user_id = $1 AND (id = $2 OR ($2 IS NULL AND is_default))")
            .bind(user).bind(chosen).fetch_optional(db).await)?)
    }

    /// Marks what a provider said about a key. A key that was replaced in the meantime is not touched, and no
    /// lesser trouble hides a greater one, since calls that began before a mark may end after it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn mark_key(&self, configuration: &AiConfiguration, mark: KeyMark) -> Result<(), StoreError> {
        let (id, user) = (configuration.id, configuration.user_id);
        let key = configuration.api_key.as_stored().to_owned();
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let changed = on_tx!(tx, db => sqlx::query(
                    "UPDATE ai_configurations SET state = $4, state_reason = $5, resume_at = $6
                     WHERE user_id = $1 AND id = $2 AND api_key = $3
                        AND ($4 = 'invalid' OR state = 'active' OR (state = 'exhausted' AND $4 = 'exhausted'))")
                    .bind(user).bind(id).bind(key).bind(mark.state).bind(mark.reason).bind(mark.resume_at)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if let (1, Some(notice)) = (changed, mark.notice) {
                    notices::give(tx, notice, &clock).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Whether this caller is the one that may try an exhausted key whose time has come (SR-2); nobody else may
    /// before `until`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn take_probe(
        &self,
        configuration: &AiConfiguration,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, user, now) = (configuration.id, configuration.user_id, self.clock.now());
        let taken = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query(
                        "UPDATE ai_configurations SET resume_at = $4
                         WHERE user_id = $1 AND id = $2 AND state = 'exhausted' AND resume_at <= $3")
                        .bind(user).bind(id).bind(now).bind(until)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
                })
            })
            .await?;
        Ok(taken == 1)
    }

    /// An exhausted key has worked again: it is used as before, what waited for it is due, and its notice ends.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn resume_key(&self, configuration: &AiConfiguration) -> Result<(), StoreError> {
        let (id, user, now) = (configuration.id, configuration.user_id, self.clock.now());
        let due = self.lease_clock().await?;
        self.write(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "UPDATE ai_configurations SET state = 'active', state_reason = NULL, resume_at = NULL
                     WHERE user_id = $1 AND id = $2 AND state = 'exhausted'")
                    .bind(user).bind(id).execute(&mut *db).await.map(drop))?;
                notices::end(tx, user, &format!("ai_configuration:{id}"), now).await?;
                super::runs::unpark(tx, user, due).await?;
                super::wake::tell_others(tx).await
            })
        })
        .await?;
        self.wake_queue();
        Ok(())
    }
}

/// Makes or changes a configuration; a changed one is tried afresh.
pub(super) async fn upsert(
    tx: &mut Tx,
    configuration: NewAiConfiguration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let owned = (configuration.user_id, configuration.id);
    key_limits::forget_other(tx, owned, configuration.api_key.as_stored(), now).await?;
    if configuration.is_default {
        on_tx!(tx, db => sqlx::query(
            "UPDATE ai_configurations SET is_default = $3 WHERE user_id = $1 AND id <> $2 AND is_default")
            .bind(configuration.user_id).bind(configuration.id).bind(false)
            .execute(&mut *db).await.map(drop))?;
    }
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO ai_configurations (id, user_id, provider, base_url, model, temperature,
            max_output_tokens, api_key, api_key_mask, key_fingerprint, is_default, state, created_at, updated_at,
            api_key_last_four, verified_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active', $12, $12, $13, $14)
         ON CONFLICT (id) DO UPDATE SET base_url = excluded.base_url, model = excluded.model,
            temperature = excluded.temperature, max_output_tokens = excluded.max_output_tokens,
            api_key = excluded.api_key, api_key_mask = excluded.api_key_mask,
            key_fingerprint = excluded.key_fingerprint, is_default = excluded.is_default,
            api_key_last_four = excluded.api_key_last_four, verified_at = excluded.verified_at,
            state = 'active', state_reason = NULL, resume_at = NULL, updated_at = $12
         WHERE ai_configurations.user_id = excluded.user_id")
        .bind(configuration.id).bind(configuration.user_id).bind(configuration.provider)
        .bind(configuration.base_url).bind(configuration.model).bind(configuration.temperature)
        .bind(configuration.max_output_tokens).bind(configuration.api_key.as_stored().to_owned())
        .bind(configuration.api_key_mask).bind(configuration.key_fingerprint)
        .bind(configuration.is_default).bind(now).bind(configuration.api_key_last_four)
        .bind(configuration.verified_at)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}
