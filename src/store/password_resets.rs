//! `password_resets`: links that were mailed to set another password (SR-38). Used once; a change of the password
//! ends them all.

use super::audit::{self, NewAuditEntry};
use super::pool::on_tx;
use super::{Store, StoreError, UserId, sessions};
use crate::clock::Timestamp;

impl Store {
    /// Notes a link by its token's hash.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_password_reset(
        &self,
        hash: String,
        expires_at: Timestamp,
        entry: NewAuditEntry,
    ) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "INSERT INTO password_resets (hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
                    .bind(hash).bind(entry.user).bind(clock.now()).bind(expires_at)
                    .execute(&mut *db).await.map(drop))?;
                audit::append(tx, entry, &clock).await
            })
        })
        .await
    }

    /// Uses a link up: sets the password and ends every session. Answers whose it was, if it was good.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn use_password_reset(
        &self,
        hash: String,
        password_hash: String,
        address: Option<String>,
    ) -> Result<Option<UserId>, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = clock.now();
                let user: Option<UserId> = on_tx!(tx, db => sqlx::query_scalar(
                    "UPDATE password_resets SET used_at = $2
                     WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING user_id")
                    .bind(hash).bind(now).fetch_optional(&mut *db).await)?;
                let Some(user) = user else { return Ok(None) };
                sessions::set_password(tx, user, password_hash, now).await?;
                let entry = NewAuditEntry {
                    user,
                    action: "password_reset",
                    is_done: true,
                    actor: "nobody".to_owned(),
                    subject: None,
                    address,
                };
                audit::append(tx, entry, &clock).await?;
                Ok(Some(user))
            })
        })
        .await
    }
}
