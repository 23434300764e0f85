//! An account that goes: at once it can do nothing any more and nothing is done for it; its rows go in batches, so that
//! nobody waits long behind them; the user's own row goes last (SR-84).

use super::pool::{Tx, on_pool, on_tx};
use super::{Store, StoreError, UserId, runs, users};

/// Rows of one table that are removed in one transaction.
const MOST_AT_ONCE: i64 = 500;
/// Accounts that are looked after in one go.
const MOST_USERS: i64 = 20;

impl Store {
    /// Ends an account for whoever has shown the password of this hash: its keys and passwords are gone, its sessions are
    /// over, its mailboxes are watched no more, and what is worked on for it is refused when it comes back. Nothing of it
    /// can be undone. Answers whether the account still had that password.
    ///
    /// # Errors
    /// Where the database does not answer; then nothing is ended.
    pub async fn begin_departure(&self, user: UserId, verified_hash: String) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.write(move |tx| {
            Box::pin(async move {
                if !users::lock_with_hash(tx, user, verified_hash).await? {
                    return Ok(false);
                }
                runs::hold_runs(tx, &[user]).await?;
                on_tx!(tx, db => sqlx::query("UPDATE users SET leaving_at = $2, password_hash = NULL WHERE id = $1")
                    .bind(user).bind(now).execute(&mut *db).await.map(drop))?;
                on_tx!(tx, db => sqlx::query(END_MAILBOXES).bind(user).bind(now).bind(false)
                    .execute(&mut *db).await.map(drop))?;
                for statement in END {
                    on_tx!(tx, db => sqlx::query(statement).bind(user).execute(&mut *db).await.map(drop))?;
                }
                Ok(true)
            })
        })
        .await
    }

    /// Removes a batch of rows of an account that goes. Answers whether there is more.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn continue_departure(&self, user: UserId) -> Result<bool, StoreError> {
        self.write(move |tx| Box::pin(async move { remove_batch(tx, user).await })).await
    }

    /// Removes a batch of rows of each account that is on its way out. Answers of how many there is more.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn continue_departures(&self) -> Result<u64, StoreError> {
        let mut unfinished = 0;
        for user in self.list_leaving().await? {
            unfinished += u64::from(self.continue_departure(user).await?);
        }
        Ok(unfinished)
    }

    async fn list_leaving(&self) -> Result<Vec<UserId>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_scalar(
            "SELECT id FROM users WHERE leaving_at IS NOT NULL ORDER BY id LIMIT $1")
            .bind(MOST_USERS).fetch_all(db).await)?)
    }
}

/// Another epoch, so that a watcher's next write is refused.
const END_MAILBOXES: &str =
    "UPDATE mailboxes SET enabled = $3, updated_at = $2, lease_epoch = lease_epoch + 1,
        lease_owner = NULL, lease_until = NULL, imap_password = NULL, smtp_password = NULL,
        oauth_client_secret = NULL, oauth_refresh_token = NULL
    WHERE user_id = $1";

/// Without a lane no run is claimed; a run in hand is gone when its worker wants to write.
const END: [&str; 8] = [
    "DELETE FROM lanes WHERE user_id = $1",
    "DELETE FROM messages WHERE id IN (SELECT id FROM runs WHERE user_id = $1 AND lease_until IS NOT NULL)",
    "DELETE FROM ai_configurations WHERE user_id = $1",
    "DELETE FROM password_resets WHERE user_id = $1",
    "DELETE FROM sessions WHERE user_id = $1",
    "DELETE FROM security_tokens WHERE user_id = $1",
    "DELETE FROM api_keys WHERE user_id = $1",
    // An invitation that was used is its giver's; the address in it is not.
    "UPDATE invites SET email = NULL
     WHERE used_at IS NOT NULL AND email = (SELECT email FROM users WHERE id = $1)",
];

/// What there may be much of. With a message go its run, the answer and the reply.
const REMOVE: [&str; 6] = [
    "DELETE FROM messages WHERE id IN (SELECT id FROM runs WHERE user_id = $1 ORDER BY id LIMIT $2)",
    "DELETE FROM sent_mails WHERE (mailbox_id, rfc_message_id) IN (
        SELECT mailbox_id, rfc_message_id FROM sent_mails WHERE user_id = $1 LIMIT $2)",
    "DELETE FROM threads WHERE id IN (SELECT id FROM threads WHERE user_id = $1 LIMIT $2)",
    "DELETE FROM provider_calls WHERE id IN (SELECT id FROM provider_calls WHERE user_id = $1 LIMIT $2)",
    "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE user_id = $1 LIMIT $2)",
    "DELETE FROM audit_entries WHERE (user_id, position) IN (
        SELECT user_id, position FROM audit_entries WHERE user_id = $1 LIMIT $2)",
];

async fn remove_batch(tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
    let mut removed = 0;
    for statement in REMOVE {
        removed += on_tx!(tx, db => sqlx::query(statement).bind(user).bind(MOST_AT_ONCE)
            .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    }
    if removed > 0 {
        return Ok(true);
    }
    // Attempts are counted under names; those of a user end with the id.
    on_tx!(tx, db => sqlx::query("DELETE FROM attempts WHERE name LIKE $1")
        .bind(format!("%:{user}")).execute(&mut *db).await.map(drop))?;
    // Every table that names a user forgets the user's rows with this one.
    on_tx!(tx, db => sqlx::query("DELETE FROM users WHERE id = $1 AND leaving_at IS NOT NULL")
        .bind(user).execute(&mut *db).await.map(drop))?;
    Ok(false)
}
