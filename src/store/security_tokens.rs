//! `security_tokens`: what makes a sealed token revocable and countable (SR-50). Neither the token nor a key inside it
//! is here, only the hash of its random name.

use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_pool, on_tx};
use super::{
    AgentId, AiConfigurationId, ApiKeyId, NewNotice, Role, SecurityTokenId, Store, StoreError, UserId,
    WordList, notices, users,
};
use crate::clock::Timestamp;

/// A token as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SecurityToken {
    /// The id.
    pub id: SecurityTokenId,
    /// By which platform API key it was made, if not by the person.
    pub api_key_id: Option<ApiKeyId>,
    /// What for, as a stable word.
    pub purpose: String,
    /// With which AI configuration; unset where it carries keys.
    pub ai_configuration_id: Option<AiConfigurationId>,
    /// For which agent only.
    pub agent_id: Option<AgentId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How often it can be used.
    pub max_uses: Option<i64>,
    /// How often it was used.
    pub uses: i64,
    /// When it was last used; without a limit of uses written at most once a minute.
    pub last_used_at: Option<Timestamp>,
    /// From which address it was last used.
    pub last_used_address: Option<String>,
    /// Since when it is good for nothing.
    pub revoked_at: Option<Timestamp>,
}

/// A token that somebody shows, with what it hangs on.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ShownSecurityToken {
    /// The id.
    pub id: SecurityTokenId,
    /// In whose name it acts.
    pub user_id: UserId,
    /// What the user is to this installation.
    pub role: Role,
    /// With which AI configuration.
    pub ai_configuration_id: Option<AiConfigurationId>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How often it can be used.
    pub max_uses: Option<i64>,
    /// How often it was used.
    pub uses: i64,
    /// Since when it is good for nothing.
    pub revoked_at: Option<Timestamp>,
    /// By which platform API key it was made, if not by the person.
    pub maker: Option<ApiKeyId>,
    /// Since when the key is good for nothing that made it.
    pub maker_revoked_at: Option<Timestamp>,
    /// Until when the key is good that made it.
    pub maker_expires_at: Option<Timestamp>,
    /// What the key may do that made it.
    #[sqlx(try_from = "String")]
    pub maker_scopes: WordList,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewSecurityToken {
    /// The id.
    pub id: SecurityTokenId,
    /// SHA-256 of its random name, as hex.
    pub jti_hash: String,
    /// By which platform API key it is made, if not by the person.
    pub api_key: Option<ApiKeyId>,
    /// What for, as a stable word.
    pub purpose: &'static str,
    /// With which AI configuration; unset where it carries keys.
    pub ai_configuration: Option<AiConfigurationId>,
    /// For which agent only.
    pub agent: Option<AgentId>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How often it can be used.
    pub max_uses: Option<i64>,
}

impl Store {
    /// Makes a token, in the name of the entry's user, unless `most` of theirs are good already. Answers whether it
    /// is made.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_security_token(
        &self,
        token: NewSecurityToken,
        most: u32,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let (user, now) = (entry.user, clock.now());
                users::lock(tx, user).await?;
                if count_live(tx, user, now).await? >= i64::from(most) {
                    return Ok(false);
                }
                insert(tx, user, token, now).await?;
                audit::append(tx, entry, &clock).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The token whose random name has this hash.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_shown_security_token(
        &self,
        user: UserId,
        jti_hash: &str,
    ) -> Result<Option<ShownSecurityToken>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT tokens.id, tokens.user_id, users.role, ai_configuration_id, tokens.expires_at, max_uses,
                tokens.uses, tokens.revoked_at, tokens.api_key_id AS maker, api_keys.revoked_at AS maker_revoked_at,
                api_keys.expires_at AS maker_expires_at, COALESCE(api_keys.scopes, '[]') AS maker_scopes
             FROM security_tokens AS tokens JOIN users ON users.id = tokens.user_id
                LEFT JOIN api_keys ON api_keys.id = tokens.api_key_id AND api_keys.user_id = tokens.user_id
             WHERE jti_hash = $1 AND tokens.user_id = $2")
            .bind(jti_hash).bind(user).fetch_optional(db).await)?)
    }

    /// A user's tokens, newest first, after the given one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_security_tokens(
        &self,
        user: UserId,
        after: Option<SecurityTokenId>,
        most: u32,
    ) -> Result<Vec<SecurityToken>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, api_key_id, purpose, ai_configuration_id, agent_id, created_at, expires_at, max_uses, uses,
                last_used_at, last_used_address, revoked_at
             FROM security_tokens WHERE user_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3")
            .bind(user).bind(after).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// Uses a token once. Answers whether it could be used: of as many uses at the same time as there may be, exactly
    /// so many can.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn use_security_token(
        &self,
        token: SecurityTokenId,
        address: String,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| {
            Box::pin(async move {
                let used = on_tx!(tx, db => sqlx::query(
                    "UPDATE security_tokens SET uses = uses + 1, last_used_at = $2, last_used_address = $3
                     WHERE id = $1 AND revoked_at IS NULL AND (max_uses IS NULL OR uses < max_uses)")
                    .bind(token).bind(now).bind(address)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                Ok(used == 1)
            })
        })
        .await
    }

    /// Notes uses of a token that can be used as often as one likes.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn note_security_token_uses(
        &self,
        token: SecurityTokenId,
        uses: i64,
        (at, address): (Timestamp, String),
    ) -> Result<(), StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "UPDATE security_tokens SET uses = uses + $2, last_used_at = $3, last_used_address = $4
                     WHERE id = $1")
                    .bind(token).bind(uses).bind(at).bind(address).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }

    /// Makes one of a user's tokens good for nothing, or all of them. Answers how many were good until then.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn revoke_security_tokens(
        &self,
        token: Option<SecurityTokenId>,
        entry: NewAuditEntry,
    ) -> Result<u64, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let revoked = revoke(tx, entry.user, token, clock.now()).await?;
                if revoked > 0 {
                    audit::append(tx, entry, &clock).await?;
                }
                Ok(revoked)
            })
        })
        .await
    }

    /// Notes that a token was seen where it should not be, and tells its owner; once.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn expose_security_token(
        &self,
        token: SecurityTokenId,
        entry: NewAuditEntry,
        sentence: String,
    ) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let exposed = on_tx!(tx, db => sqlx::query(
                    "UPDATE security_tokens SET exposed_at = $3
                     WHERE id = $1 AND user_id = $2 AND exposed_at IS NULL")
                    .bind(token).bind(entry.user).bind(clock.now())
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if exposed == 0 {
                    return Ok(());
                }
                let (user, cause) = (entry.user, exposure_cause(token));
                audit::append(tx, entry, &clock).await?;
                let notice = NewNotice { user, cause, kind: "security_token_exposed", sentence };
                notices::give(tx, notice, &clock).await.map(drop)
            })
        })
        .await
    }
}

fn exposure_cause(token: SecurityTokenId) -> String {
    format!("security_token_exposed:{token}")
}

/// A token that is used up is not live any more.
async fn count_live(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_scalar(
        "SELECT COUNT(*) FROM security_tokens
         WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND (max_uses IS NULL OR uses < max_uses)")
        .bind(user).bind(now).fetch_one(&mut *db).await)?)
}

async fn insert(
    tx: &mut Tx,
    user: UserId,
    token: NewSecurityToken,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO security_tokens (id, user_id, jti_hash, api_key_id, purpose, ai_configuration_id, agent_id,
            created_at, expires_at, max_uses, uses)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)")
        .bind(token.id).bind(user).bind(token.jti_hash).bind(token.api_key).bind(token.purpose)
        .bind(token.ai_configuration).bind(token.agent).bind(now).bind(token.expires_at).bind(token.max_uses)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Inside a transaction: one of a user's tokens, or all of them; answers how many were good until then.
pub(super) async fn revoke(
    tx: &mut Tx,
    user: UserId,
    token: Option<SecurityTokenId>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let revoked = on_tx!(tx, db => sqlx::query(
        "UPDATE security_tokens SET revoked_at = $3
         WHERE user_id = $1 AND (id = $2 OR $2 IS NULL) AND revoked_at IS NULL AND expires_at > $3")
        .bind(user).bind(token).bind(now).execute(&mut *db).await.map(|done| done.rows_affected()))?;
    if let Some(token) = token {
        notices::end(tx, user, &exposure_cause(token), now).await?;
    }
    Ok(revoked)
}
