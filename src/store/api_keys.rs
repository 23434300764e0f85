//! `api_keys`: with which programs call the API in their owner's name (SR-41, SR-42). Of a key only its hash is here.

use std::time::Duration;

use super::api_key_reminders::days_before;
use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_pool, on_tx};
use super::{ApiKeyId, NewNotice, Role, Store, StoreError, UserId, WordList, notices, users};
use crate::clock::Timestamp;

/// After which time without a use a key may be one too many (SR-45): 90 days.
pub(super) const LONG_UNUSED: Duration = Duration::from_secs(90 * 24 * 3600);
/// Live keys of one user.
const MOST_KEYS: i64 = 100;

/// What an owner decides about a key.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ApiKeySettings {
    /// What it is called; one live key of its owner's has this name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do, as stable words.
    #[sqlx(try_from = "String")]
    pub scopes: WordList,
    /// Networks from which alone it is good; all while empty.
    #[sqlx(try_from = "String")]
    pub ip_allow: WordList,
    /// Networks from which it is not.
    #[sqlx(try_from = "String")]
    pub ip_deny: WordList,
    /// Until when it is good; for ever if unset.
    pub expires_at: Option<Timestamp>,
}

/// A key as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// In whose name it acts.
    pub user_id: UserId,
    /// The part that is no secret.
    pub public_id: String,
    /// SHA-256 of the whole, as hex.
    pub hash: String,
    /// What its owner decided.
    #[sqlx(flatten)]
    pub settings: ApiKeySettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// From which address.
    pub created_address: String,
    /// When it was last used; written at most once a minute.
    pub last_used_at: Option<Timestamp>,
    /// From which address it was last used.
    pub last_used_address: Option<String>,
    /// How often it was used.
    pub uses: i64,
    /// Whose place it took.
    pub rotated_from: Option<ApiKeyId>,
    /// Which one takes its place.
    pub rotated_to: Option<ApiKeyId>,
    /// Since when it is good for nothing.
    pub revoked_at: Option<Timestamp>,
    /// Why, as a stable word.
    pub revoked_reason: Option<String>,
    /// When it was first seen where it should not be.
    pub exposed_at: Option<Timestamp>,
}

/// A key that somebody shows, with what its owner is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ShownApiKey {
    /// The key.
    #[sqlx(flatten)]
    pub key: ApiKey,
    /// What its owner is to this installation.
    pub role: Role,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// The part that is no secret.
    pub public_id: String,
    /// SHA-256 of the whole, as hex.
    pub hash: String,
    /// From which address it is made.
    pub address: String,
    /// What its owner decided.
    pub settings: ApiKeySettings,
}

/// What became of a key that was to be made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeySaved {
    /// It is so.
    Done,
    /// Another live key has the name.
    NameTaken,
    /// There are as many as there may be.
    Full,
    /// There is no such live key.
    Unknown,
    /// Somebody else has changed it since it was looked at.
    Outdated,
}

impl ApiKey {
    /// Whether nobody has used it for long.
    pub fn is_unused(&self, now: Timestamp) -> bool {
        now.since(self.last_used_at.unwrap_or(self.created_at)) > LONG_UNUSED
    }
}

impl Store {
    /// Makes a key, in the name of the entry's user.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_api_key(&self, key: NewApiKey, entry: NewAuditEntry) -> Result<ApiKeySaved, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let (user, now) = (entry.user, clock.now());
                users::lock(tx, user).await?;
                if is_name_taken(tx, user, key.id, key.settings.name.clone()).await? {
                    return Ok(ApiKeySaved::NameTaken);
                }
                if count_live(tx, user, now).await? >= MOST_KEYS {
                    return Ok(ApiKeySaved::Full);
                }
                insert(tx, user, key, None, now).await?;
                audit::append(tx, entry, &clock).await?;
                Ok(ApiKeySaved::Done)
            })
        })
        .await
    }

    /// Whose key it is that has this public part; whether the rest of it is right is for the caller to see.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_shown_api_key(&self, public_id: &str) -> Result<Option<ShownApiKey>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT api_keys.id, user_id, public_id, hash, api_keys.name, description, scopes, ip_allow, ip_deny,
                expires_at, api_keys.created_at, created_address, last_used_at, last_used_address, uses,
                rotated_from, rotated_to, revoked_at, revoked_reason, exposed_at, users.role
             FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE public_id = $1")
            .bind(public_id).fetch_optional(db).await)?)
    }

    /// One of a user's keys.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_api_key(&self, user: UserId, key: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, public_id, hash, name, description, scopes, ip_allow, ip_deny, expires_at,
                created_at, created_address, last_used_at, last_used_address, uses, rotated_from, rotated_to,
                revoked_at, revoked_reason, exposed_at
             FROM api_keys WHERE user_id = $1 AND id = $2")
            .bind(user).bind(key).fetch_optional(db).await)?)
    }

    /// A user's keys, newest first, after the given one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_api_keys(
        &self,
        user: UserId,
        after: Option<ApiKeyId>,
        most: u32,
    ) -> Result<Vec<ApiKey>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, public_id, hash, name, description, scopes, ip_allow, ip_deny, expires_at,
                created_at, created_address, last_used_at, last_used_address, uses, rotated_from, rotated_to,
                revoked_at, revoked_reason, exposed_at
             FROM api_keys WHERE user_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3")
            .bind(user).bind(after).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// Changes what an owner decided about a key that is not revoked, from what was `seen` of it: a right that was
    /// taken away in the meantime must not come back.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn change_api_key(
        &self,
        seen: ApiKey,
        settings: ApiKeySettings,
        entry: NewAuditEntry,
    ) -> Result<ApiKeySaved, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let (user, key, now) = (entry.user, seen.id, clock.now());
                users::lock(tx, user).await?;
                match find_settings(tx, user, key).await? {
                    None => return Ok(ApiKeySaved::Unknown),
                    Some(settings) if settings != seen.settings => return Ok(ApiKeySaved::Outdated),
                    Some(_) => {}
                }
                // A key that was replaced has its name in common with the one in its place.
                let is_renamed = settings.name != seen.settings.name;
                if is_renamed && is_name_taken(tx, user, key, settings.name.clone()).await? {
                    return Ok(ApiKeySaved::NameTaken);
                }
                update(tx, user, key, settings, now).await?;
                notices::end(tx, user, &expiry_cause(key), now).await?;
                audit::append(tx, entry, &clock).await?;
                Ok(ApiKeySaved::Done)
            })
        })
        .await
    }

    /// Makes a key good for nothing. Answers whether the user has such a one that was not revoked yet.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn revoke_api_key(&self, key: ApiKeyId, entry: NewAuditEntry) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let revoked = revoke(tx, entry.user, key, "revoked", clock.now()).await?;
                if revoked {
                    audit::append(tx, entry, &clock).await?;
                }
                Ok(revoked)
            })
        })
        .await
    }

    /// Notes that a key was seen where it should not be, and tells its owner; once.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn expose_api_key(
        &self,
        key: ApiKeyId,
        entry: NewAuditEntry,
        sentence: String,
    ) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let exposed = on_tx!(tx, db => sqlx::query(
                    "UPDATE api_keys SET exposed_at = $3 WHERE id = $1 AND user_id = $2 AND exposed_at IS NULL")
                    .bind(key).bind(entry.user).bind(clock.now())
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if exposed == 0 {
                    return Ok(());
                }
                let (user, cause) = (entry.user, exposure_cause(key));
                audit::append(tx, entry, &clock).await?;
                let notice = NewNotice { user, cause, kind: "api_key_exposed", sentence };
                notices::give(tx, notice, &clock).await.map(drop)
            })
        })
        .await
    }

    /// Notes uses of a key.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn note_api_key_uses(
        &self,
        key: ApiKeyId,
        uses: i64,
        (at, address): (Timestamp, String),
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let owner: Option<UserId> = on_tx!(tx, db => sqlx::query_scalar(
                    "UPDATE api_keys SET uses = uses + $2, last_used_at = $3, last_used_address = $4,
                        told_unused_at = NULL
                     WHERE id = $1 RETURNING user_id")
                    .bind(key).bind(uses).bind(at).bind(address).fetch_optional(&mut *db).await)?;
                match owner {
                    Some(owner) => notices::end(tx, owner, &disuse_cause(key), at).await,
                    None => Ok(()),
                }
            })
        })
        .await
    }
}

/// The cause of the notice that a key ends soon.
pub(super) fn expiry_cause(key: ApiKeyId) -> String {
    format!("api_key_expiry:{key}")
}

/// The cause of the notice that nobody uses a key.
pub(super) fn disuse_cause(key: ApiKeyId) -> String {
    format!("api_key_unused:{key}")
}

fn exposure_cause(key: ApiKeyId) -> String {
    format!("api_key_exposed:{key}")
}

/// Inside a transaction in which nobody else changes what is the user's: what was decided about a key that is not
/// revoked.
pub(super) async fn find_settings(
    tx: &mut Tx,
    user: UserId,
    key: ApiKeyId,
) -> Result<Option<ApiKeySettings>, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_as(
        "SELECT name, description, scopes, ip_allow, ip_deny, expires_at FROM api_keys
         WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL")
        .bind(user).bind(key).fetch_optional(&mut *db).await)?)
}

/// Inside a transaction in which nobody else changes what is the user's.
async fn is_name_taken(tx: &mut Tx, user: UserId, key: ApiKeyId, name: String) -> Result<bool, StoreError> {
    let other: Option<ApiKeyId> = on_tx!(tx, db => sqlx::query_scalar(
        "SELECT id FROM api_keys
         WHERE user_id = $1 AND name = $2 AND id <> $3 AND revoked_at IS NULL AND rotated_to IS NULL")
        .bind(user).bind(name).bind(key).fetch_optional(&mut *db).await)?;
    Ok(other.is_some())
}

async fn count_live(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_scalar(
        "SELECT COUNT(*) FROM api_keys
         WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)")
        .bind(user).bind(now).fetch_one(&mut *db).await)?)
}

/// Inside a transaction: a key, which may take another one's place.
pub(super) async fn insert(
    tx: &mut Tx,
    user: UserId,
    key: NewApiKey,
    rotated_from: Option<ApiKeyId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let settings = key.settings;
    let (scopes, ip_allow) = (settings.scopes.stored()?, settings.ip_allow.stored()?);
    let (ip_deny, told_days) =
        (settings.ip_deny.stored()?, settings.expires_at.and_then(|end| days_before(end, now)));
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO api_keys (id, user_id, public_id, hash, name, description, scopes, ip_allow, ip_deny,
            expires_at, told_days, created_at, created_address, rotated_from, uses)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0)")
        .bind(key.id).bind(user).bind(key.public_id).bind(key.hash).bind(settings.name)
        .bind(settings.description).bind(scopes).bind(ip_allow).bind(ip_deny).bind(settings.expires_at)
        .bind(told_days).bind(now).bind(key.address).bind(rotated_from)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

async fn update(
    tx: &mut Tx,
    user: UserId,
    key: ApiKeyId,
    settings: ApiKeySettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (scopes, ip_allow) = (settings.scopes.stored()?, settings.ip_allow.stored()?);
    let (ip_deny, told_days) =
        (settings.ip_deny.stored()?, settings.expires_at.and_then(|end| days_before(end, now)));
    on_tx!(tx, db => sqlx::query(
        "UPDATE api_keys SET name = $3, description = $4, scopes = $5, ip_allow = $6, ip_deny = $7,
            expires_at = $8, told_days = $9
         WHERE user_id = $1 AND id = $2")
        .bind(user).bind(key).bind(settings.name).bind(settings.description).bind(scopes).bind(ip_allow)
        .bind(ip_deny).bind(settings.expires_at).bind(told_days).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Inside a transaction: a key is good for nothing any more, and nothing more is told of it.
pub(super) async fn revoke(
    tx: &mut Tx,
    user: UserId,
    key: ApiKeyId,
    reason: &'static str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let revoked = on_tx!(tx, db => sqlx::query(
        "UPDATE api_keys SET revoked_at = $3, revoked_reason = $4
         WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL")
        .bind(user).bind(key).bind(now).bind(reason)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    for cause in [expiry_cause(key), disuse_cause(key), exposure_cause(key)] {
        notices::end(tx, user, &cause, now).await?;
    }
    Ok(revoked == 1)
}
