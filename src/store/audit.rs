//! `audit_entries`: what happened with an account and its keys, append-only; each entry's hash covers the one
//! before it (SR-77). An entry is written in the transaction of what it tells.

use sha2::{Digest, Sha256};

use super::pool::{Tx, on_pool, on_tx};
use super::{Store, StoreError, UserId, users};
use crate::clock::{Clock, Timestamp};

/// An entry as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditEntry {
    /// Its number among the user's entries, from 1 without a gap.
    pub position: i64,
    /// What was done, as a stable word.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Who did it: `session:<id>`, or `nobody` before signing in.
    pub actor: String,
    /// What it was done to: `<kind>:<id>`.
    pub subject: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// SHA-256 over the hash before and this entry, as hex.
    pub hash: String,
}

/// An entry to be written; no secret and no text of a mail.
#[derive(Clone, Debug)]
pub struct NewAuditEntry {
    /// Whose account it is about.
    pub user: UserId,
    /// What was done, as a stable word.
    pub action: &'static str,
    /// Whether it was done, or refused.
    pub is_done: bool,
    /// Who did it.
    pub actor: String,
    /// What it was done to.
    pub subject: Option<String>,
    /// From which address.
    pub address: Option<String>,
}

impl Store {
    /// Writes down what changes nothing else, such as a refused sign-in.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_audit_entry(&self, entry: NewAuditEntry) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| Box::pin(async move { append(tx, entry, &clock).await })).await
    }

    /// A user's entries, newest first, before the given position.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_audit_entries(
        &self,
        user: UserId,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT position, action, outcome, actor, subject, address, created_at, hash FROM audit_entries
             WHERE user_id = $1 AND position < $2 ORDER BY position DESC LIMIT $3")
            .bind(user).bind(before.unwrap_or(i64::MAX)).bind(i64::from(most)).fetch_all(db).await)?)
    }
}

impl AuditEntry {
    /// Whether this entry follows on the one with this hash.
    pub fn follows(&self, hash: &str) -> bool {
        self.hash == chained(hash, self)
    }
}

/// Inside a transaction: the user's next entry. Nothing is written of a user who is gone.
pub(super) async fn append(tx: &mut Tx, entry: NewAuditEntry, clock: &Clock) -> Result<(), StoreError> {
    if !users::lock(tx, entry.user).await? {
        return Ok(());
    }
    let user = entry.user;
    let last: Option<(i64, String)> = on_tx!(tx, db => sqlx::query_as(
        "SELECT position, hash FROM audit_entries WHERE user_id = $1 ORDER BY position DESC LIMIT 1")
        .bind(user).fetch_optional(&mut *db).await)?;
    let (position, hash) = last.unwrap_or_default();
    let mut row = AuditEntry {
        position: position + 1,
        action: entry.action.to_owned(),
        outcome: if entry.is_done { "done" } else { "refused" }.to_owned(),
        actor: entry.actor,
        subject: entry.subject,
        address: entry.address,
        created_at: clock.now(),
        hash: String::new(),
    };
    row.hash = chained(&hash, &row);
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO audit_entries (user_id, position, action, outcome, actor, subject, address, created_at, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(user).bind(row.position).bind(row.action).bind(row.outcome).bind(row.actor).bind(row.subject)
        .bind(row.address).bind(row.created_at).bind(row.hash)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Each part with its length before it, so that no two entries read the same.
fn chained(before: &str, entry: &AuditEntry) -> String {
    let (position, created_at) = (entry.position.to_string(), entry.created_at.millis().to_string());
    let parts = [
        before,
        &position,
        &entry.action,
        &entry.outcome,
        &entry.actor,
        entry.subject.as_deref().unwrap_or_default(),
        entry.address.as_deref().unwrap_or_default(),
        &created_at,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
