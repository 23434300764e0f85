//! `sessions` and `refresh_tokens`: who has signed in (SR-32). A session is looked up at every call, so ending it
//! acts at once; the use of a refresh token that was used before ends the session, since one of its two users is
//! a thief.

use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_pool, on_tx};
use super::{Role, SessionId, Store, StoreError, UserId, security_tokens, users};
use crate::clock::{Clock, Timestamp};

/// A session as its user sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// From which address it was begun.
    pub address: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
}

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// From which address.
    pub address: String,
    /// Hash of the token that refreshes it.
    pub refresh_hash: String,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Principal {
    /// The user.
    pub id: UserId,
    /// What the user is to this installation.
    pub role: Role,
}

/// What became of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was good; it is replaced.
    Refreshed(UserId, SessionId),
    /// It is unknown, or its session is over.
    Refused,
    /// It was used before: its session has been ended.
    Reused,
}

/// Live sessions of one user; the oldest end when there are more.
const MOST_SESSIONS: i64 = 100;

impl Store {
    /// Begins a session for whoever has shown the password of this hash. Answers whether the account still has it: a
    /// change of the password ends what is under way with the former one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn begin_session(
        &self,
        session: NewSession,
        verified_hash: String,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                if !users::lock_with_hash(tx, session.user, verified_hash).await? {
                    return Ok(false);
                }
                audit::append(tx, entry, &clock).await?;
                begin(tx, session, clock.now()).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Who calls with this session, while it lives.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_principal(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<Principal>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT users.id, users.role FROM sessions JOIN users ON users.id = sessions.user_id
             WHERE sessions.id = $1 AND sessions.user_id = $2 AND ended_at IS NULL AND expires_at > $3")
            .bind(session).bind(user).bind(self.clock.now()).fetch_optional(db).await)?)
    }

    /// A user's live sessions, newest first.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_sessions(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, address, created_at, expires_at FROM sessions
             WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY id DESC LIMIT $3")
            .bind(user).bind(self.clock.now()).bind(MOST_SESSIONS).fetch_all(db).await)?)
    }

    /// Replaces a refresh token by the next one; its session lasts until `expires_at` from then on.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn refresh_session(
        &self,
        hash: String,
        next: String,
        expires_at: Timestamp,
    ) -> Result<Rotation, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = clock.now();
                let Some((user, session)) = use_token(tx, hash.clone(), now).await? else {
                    return end_reused(tx, hash, &clock).await;
                };
                on_tx!(tx, db => sqlx::query(
                    "UPDATE sessions SET expires_at = $3 WHERE id = $1 AND user_id = $2")
                    .bind(session).bind(user).bind(expires_at).execute(&mut *db).await.map(drop))?;
                add_token(tx, user, session, next, now).await?;
                Ok(Rotation::Refreshed(user, session))
            })
        })
        .await
    }

    /// Ends a session. Answers whether the user has such a live one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn end_session(&self, session: SessionId, entry: NewAuditEntry) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let ended = end(tx, entry.user, Some(session), clock.now()).await? > 0;
                if ended {
                    audit::append(tx, entry, &clock).await?;
                }
                Ok(ended)
            })
        })
        .await
    }

    /// Sets another password in place of the one of this hash, ends every session, every security token and every way to
    /// reset it, and begins a session anew. Answers whether the account still had that password.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn change_password(
        &self,
        (verified_hash, next_hash): (String, String),
        session: NewSession,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                if !users::lock_with_hash(tx, entry.user, verified_hash).await? {
                    return Ok(false);
                }
                set_password(tx, entry.user, next_hash, clock.now()).await?;
                audit::append(tx, entry, &clock).await?;
                begin(tx, session, clock.now()).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Inside a transaction: another password; whoever was signed in is not any more, and security tokens are over.
pub(super) async fn set_password(
    tx: &mut Tx,
    user: UserId,
    password_hash: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query("UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1")
        .bind(user).bind(password_hash).bind(now).execute(&mut *db).await.map(drop))?;
    on_tx!(tx, db => sqlx::query("UPDATE password_resets SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL")
        .bind(user).bind(now).execute(&mut *db).await.map(drop))?;
    security_tokens::revoke(tx, user, None, now).await?;
    end(tx, user, None, now).await.map(drop)
}

/// Inside a transaction: a session with its first refresh token.
pub(super) async fn begin(tx: &mut Tx, session: NewSession, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO sessions (id, user_id, address, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(session.id).bind(session.user).bind(session.address).bind(now).bind(session.expires_at)
        .execute(&mut *db).await.map(drop))?;
    on_tx!(tx, db => sqlx::query(
        "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL AND id NOT IN (
            SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT $3)")
        .bind(session.user).bind(now).bind(MOST_SESSIONS).execute(&mut *db).await.map(drop))?;
    add_token(tx, session.user, session.id, session.refresh_hash, now).await
}

/// One of a user's sessions, or all of them; answers how many lived.
async fn end(
    tx: &mut Tx,
    user: UserId,
    session: Option<SessionId>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query(
        "UPDATE sessions SET ended_at = $3
         WHERE user_id = $1 AND (id = $2 OR $2 IS NULL) AND ended_at IS NULL AND expires_at > $3")
        .bind(user).bind(session).bind(now).execute(&mut *db).await.map(|done| done.rows_affected()))?)
}

async fn add_token(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
    hash: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO refresh_tokens (hash, session_id, user_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind(hash).bind(session).bind(user).bind(now).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Marks a token as used that was not, while its session lives.
async fn use_token(
    tx: &mut Tx,
    hash: String,
    now: Timestamp,
) -> Result<Option<(UserId, SessionId)>, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_as(
        "UPDATE refresh_tokens SET used_at = $2
         WHERE hash = $1 AND used_at IS NULL AND session_id IN (
            SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at > $2)
         RETURNING user_id, session_id")
        .bind(hash).bind(now).fetch_optional(&mut *db).await)?)
}

async fn end_reused(tx: &mut Tx, hash: String, clock: &Clock) -> Result<Rotation, StoreError> {
    let used: Option<(UserId, SessionId)> = on_tx!(tx, db => sqlx::query_as(
        "SELECT user_id, session_id FROM refresh_tokens WHERE hash = $1 AND used_at IS NOT NULL")
        .bind(hash).fetch_optional(&mut *db).await)?;
    let Some((user, session)) = used else { return Ok(Rotation::Refused) };
    if end(tx, user, Some(session), clock.now()).await? == 0 {
        return Ok(Rotation::Refused);
    }
    let entry = NewAuditEntry {
        user,
        action: "refresh_token_reused",
        is_done: false,
        actor: "nobody".to_owned(),
        subject: Some(format!("session:{session}")),
        address: None,
    };
    audit::append(tx, entry, clock).await?;
    Ok(Rotation::Reused)
}
