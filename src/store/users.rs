//! `users`: owners of agents and keys.

use super::pool::{Tx, on_pool, on_tx};
use super::{Store, StoreError, UserId};
use crate::clock::Timestamp;

/// An owner.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address to sign in with, lower case.
    pub email: String,
    /// The name that replies are written on behalf of.
    pub name: String,
    /// Argon2id in PHC form; `None` for who cannot sign in.
    pub password_hash: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// An owner to be made or changed.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The id.
    pub id: UserId,
    /// The address to sign in with, lower case.
    pub email: String,
    /// The name that replies are written on behalf of.
    pub name: String,
    /// Argon2id in PHC form; `None` leaves what is there.
    pub password_hash: Option<String>,
}

impl Store {
    /// All users by address, `most` at a time, after `after`; for the operator.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_users(&self, after: &str, most: u32) -> Result<Vec<User>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, email, name, password_hash, created_at FROM users
             WHERE email > $1 ORDER BY email LIMIT $2")
            .bind(after).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// The user of this address (lower case).
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, email, name, password_hash, created_at FROM users WHERE email = $1")
            .bind(email).fetch_optional(db).await)?)
    }

    /// The user of this id.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, email, name, password_hash, created_at FROM users WHERE id = $1")
            .bind(user).fetch_optional(db).await)?)
    }
}

/// Makes or changes a user, and gives a new one its lane.
pub(super) async fn upsert(tx: &mut Tx, user: NewUser, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name,
            password_hash = COALESCE(excluded.password_hash, users.password_hash), updated_at = $5")
        .bind(user.id).bind(user.email).bind(user.name).bind(user.password_hash).bind(now)
        .execute(&mut *db).await.map(drop))?;
    on_tx!(tx, db => sqlx::query("INSERT INTO lanes (user_id) VALUES ($1) ON CONFLICT (user_id) DO NOTHING")
        .bind(user.id).execute(&mut *db).await.map(drop))?;
    Ok(())
}
