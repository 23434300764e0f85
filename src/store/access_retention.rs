//! Forgetting what signing in leaves behind: sessions that are over, counts that have ended, answers kept for a day,
//! consents that nobody gave.

use std::time::Duration;

use super::pool::on_tx;
use super::{Store, StoreError};
use crate::clock::Timestamp;

/// Rows removed in one transaction, so that nobody waits long behind a sweep.
const MOST_AT_ONCE: i64 = 500;
/// How long counts are remembered after they have ended: a lock that comes again is longer.
const COUNTS: Duration = Duration::from_secs(12 * 3600);
/// How long an answer is kept for a call that comes again.
const ANSWERS: Duration = Duration::from_secs(24 * 3600);
/// How long sessions, links, invitations, keys and tokens are kept after they are over.
const REMAINS: Duration = Duration::from_secs(30 * 24 * 3600);

impl Store {
    /// Removes a bounded batch of what is over; answers how many rows it removed. Audit entries go when they were
    /// written before `audit_before`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn forget_access(&self, audit_before: Timestamp) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let removals = [
            (FORGET_ATTEMPTS, now.minus(COUNTS)),
            (FORGET_ANSWERS, now.minus(ANSWERS)),
            (FORGET_SESSIONS, now.minus(REMAINS)),
            (FORGET_RESETS, now.minus(REMAINS)),
            (FORGET_CONSENTS, now),
            (FORGET_INVITES, now.minus(REMAINS)),
            (FORGET_TOKENS, now.minus(REMAINS)),
            (FORGET_KEYS, now.minus(REMAINS)),
            (FORGET_AUDIT, audit_before),
        ];
        self.write(move |tx| {
            Box::pin(async move {
                let mut removed = 0;
                for (statement, before) in removals {
                    removed += on_tx!(tx, db => sqlx::query(statement).bind(before).bind(MOST_AT_ONCE)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                }
                Ok(removed)
            })
        })
        .await
    }
}

const FORGET_ATTEMPTS: &str =
    "DELETE FROM attempts WHERE name IN (SELECT name FROM attempts WHERE ends_at < $1 LIMIT $2)";

const FORGET_ANSWERS: &str = "DELETE FROM idempotency_keys
    WHERE id IN (SELECT id FROM idempotency_keys WHERE created_at < $1 LIMIT $2)";

/// With their refresh tokens.
const FORGET_SESSIONS: &str = "DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE COALESCE(ended_at, expires_at) < $1 LIMIT $2)";

const FORGET_RESETS: &str = "DELETE FROM password_resets
    WHERE hash IN (SELECT hash FROM password_resets WHERE expires_at < $1 LIMIT $2)";

/// Nobody can come back with them any more.
const FORGET_CONSENTS: &str =
    "DELETE FROM oauth_states WHERE id IN (SELECT id FROM oauth_states WHERE expires_at < $1 LIMIT $2)";

const FORGET_INVITES: &str =
    "DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE expires_at < $1 LIMIT $2)";

const FORGET_TOKENS: &str = "DELETE FROM security_tokens
    WHERE id IN (SELECT id FROM security_tokens WHERE expires_at < $1 LIMIT $2)";

const FORGET_KEYS: &str = "DELETE FROM api_keys WHERE id IN (
    SELECT id FROM api_keys WHERE revoked_at < $1 OR expires_at < $1 LIMIT $2)";

const FORGET_AUDIT: &str = "DELETE FROM audit_entries WHERE (user_id, position) IN (
    SELECT user_id, position FROM audit_entries WHERE created_at < $1 ORDER BY position LIMIT $2)";
