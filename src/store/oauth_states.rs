//! `oauth_states`: consents that a session has asked for (SR-9). A session has one open consent at most, and it is used
//! up by one statement, so that two who come with it at once are one and nobody.

use super::audit::{self, NewAuditEntry};
use super::pool::on_tx;
use super::{OauthStateId, SessionId, Store, StoreError, UserId};
use crate::clock::Timestamp;
use crate::vault::Sealed;

/// Column label to which the ciphertext of a verifier is bound.
pub const VERIFIER_COLUMN: &str = "oauth_states.verifier";

/// A consent to be asked for.
pub struct NewOauthState {
    /// The id; the ciphertext of the verifier is bound to it.
    pub id: OauthStateId,
    /// Whose it is.
    pub user: UserId,
    /// The session that asks.
    pub session: SessionId,
    /// Hash of the state that comes back with the code.
    pub state_hash: String,
    /// Hash of what the browser that asks keeps; none where a person will paste the code.
    pub browser_hash: Option<String>,
    /// The sealed verifier.
    pub verifier: Sealed,
    /// Where the browser goes afterwards: a path of ours.
    pub return_path: Option<String>,
    /// Until when it may be given.
    pub expires_at: Timestamp,
}

/// A consent that was given.
#[derive(sqlx::FromRow)]
pub struct OauthState {
    /// The id.
    pub id: OauthStateId,
    /// Whose it is.
    pub user_id: UserId,
    /// The session that asked for it.
    pub session_id: SessionId,
    /// The sealed verifier.
    #[sqlx(try_from = "String")]
    pub verifier: Sealed,
    /// Where the browser goes afterwards.
    pub return_path: Option<String>,
}

impl Store {
    /// Notes a consent that is asked for. It takes the place of one that the session asked for and did not get.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_oauth_state(&self, new: NewOauthState, entry: NewAuditEntry) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, entry, &clock).await?;
                on_tx!(tx, db => sqlx::query(
                    "DELETE FROM oauth_states WHERE user_id = $1 AND session_id = $2 AND used_at IS NULL")
                    .bind(new.user).bind(new.session).execute(&mut *db).await.map(drop))?;
                on_tx!(tx, db => sqlx::query(
                    "INSERT INTO oauth_states (id, state_hash, browser_hash, user_id, session_id, verifier,
                        return_path, created_at, expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
                    .bind(new.id).bind(new.state_hash).bind(new.browser_hash).bind(new.user).bind(new.session)
                    .bind(new.verifier.as_stored().to_owned()).bind(new.return_path).bind(clock.now())
                    .bind(new.expires_at).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }

    /// Uses up the consent of this state that this browser asked for, while its session lives. Answers it once.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn use_oauth_state(
        &self,
        state_hash: String,
        browser_hash: String,
    ) -> Result<Option<OauthState>, StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| {
            Box::pin(async move {
                Ok(on_tx!(tx, db => sqlx::query_as(
                    "UPDATE oauth_states SET used_at = $3
                     WHERE state_hash = $1 AND browser_hash = $2 AND used_at IS NULL AND expires_at > $3
                        AND EXISTS (SELECT 1 FROM sessions WHERE sessions.id = oauth_states.session_id
                            AND sessions.user_id = oauth_states.user_id AND sessions.ended_at IS NULL
                            AND sessions.expires_at > $3)
                     RETURNING id, user_id, session_id, verifier, return_path")
                    .bind(state_hash).bind(browser_hash).bind(now).fetch_optional(&mut *db).await)?)
            })
        })
        .await
    }

    /// Uses up the consent that this session asked for without a browser. Answers it once.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn use_headless_oauth_state(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<OauthState>, StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| {
            Box::pin(async move {
                Ok(on_tx!(tx, db => sqlx::query_as(
                    "UPDATE oauth_states SET used_at = $3
                     WHERE user_id = $1 AND session_id = $2 AND browser_hash IS NULL AND used_at IS NULL
                        AND expires_at > $3
                     RETURNING id, user_id, session_id, verifier, return_path")
                    .bind(user).bind(session).bind(now).fetch_optional(&mut *db).await)?)
            })
        })
        .await
    }
}
