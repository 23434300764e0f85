//! `kek_checks`: one sealed word per key-encryption key, so that a wrong key is recognised at start (SR-21).

use super::pool::{on_pool, on_tx};
use super::{Store, StoreError};
use crate::vault::Sealed;

impl Store {
    /// The sealed checks by key id.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_kek_checks(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT kek_id, sealed FROM kek_checks ORDER BY kek_id LIMIT 1000").fetch_all(db).await)?)
    }

    /// Whether a provider key, or a secret of a mailbox that is not paused, is sealed under this key. What lasts for hours
    /// only, such as answers of named calls, does not count.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn is_sealed_under(&self, kek_id: &str) -> Result<bool, StoreError> {
        let sealed = format!("{}%", Sealed::beginning(kek_id));
        Ok(on_pool!(&self.pool, db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM ai_configurations WHERE api_key LIKE $1)
                OR EXISTS (SELECT 1 FROM mailboxes WHERE enabled AND imap_password LIKE $1)
                OR EXISTS (SELECT 1 FROM mailboxes WHERE enabled AND smtp_password LIKE $1)
                OR EXISTS (SELECT 1 FROM mailboxes WHERE enabled AND oauth_client_secret LIKE $1)
                OR EXISTS (SELECT 1 FROM mailboxes WHERE enabled AND oauth_refresh_token LIKE $1)")
            .bind(sealed).fetch_one(db).await)?)
    }

    /// Stores the check of a key that is used for the first time.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_kek_check(&self, kek_id: String, sealed: String) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "INSERT INTO kek_checks (kek_id, sealed, created_at) VALUES ($1, $2, $3)
                     ON CONFLICT (kek_id) DO NOTHING")
                    .bind(kek_id).bind(sealed).bind(now).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }
}
