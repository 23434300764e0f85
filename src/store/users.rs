//! `users`: owners of agents and keys.

use super::pool::{Tx, on_pool, on_tx};
use super::{Store, StoreError, UserId};
use crate::clock::Timestamp;

/// What a user is to this installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Owns agents and keys.
    User,
    /// The same, and may invite others. Sees nobody else's keys or mail (SR-39).
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::User, Self::Admin];

    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// An owner.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address to sign in with, lower case.
    pub email: String,
    /// The name that replies are written on behalf of.
    pub name: String,
    /// What the user is to this installation.
    pub role: Role,
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
    /// What the user is to this installation; `None` leaves what is there, and a new one is [`Role::User`].
    pub role: Option<Role>,
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
            "SELECT id, email, name, role, password_hash, created_at FROM users
             WHERE email > $1 ORDER BY email LIMIT $2")
            .bind(after).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// The user of this address (lower case).
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, email, name, role, password_hash, created_at FROM users WHERE email = $1")
            .bind(email).fetch_optional(db).await)?)
    }

    /// The user of this id.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, email, name, role, password_hash, created_at FROM users WHERE id = $1")
            .bind(user).fetch_optional(db).await)?)
    }

    /// Replaces a password's hash by a stronger one of the same password, unless it was changed in the meantime.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn renew_password_hash(
        &self,
        user: UserId,
        old: String,
        new: String,
    ) -> Result<(), StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
                    .bind(user).bind(old).bind(new).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }
}

/// Makes or changes a user, and gives a new one its lane.
pub(super) async fn upsert(tx: &mut Tx, user: NewUser, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO users (id, email, name, role, password_hash, created_at, updated_at)
         VALUES ($1, $2, $3, COALESCE($6, 'user'), $4, $5, $5)
         ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name,
            role = COALESCE($6, users.role),
            password_hash = COALESCE(excluded.password_hash, users.password_hash), updated_at = $5")
        .bind(user.id).bind(user.email).bind(user.name).bind(user.password_hash).bind(now).bind(user.role)
        .execute(&mut *db).await.map(drop))?;
    on_tx!(tx, db => sqlx::query("INSERT INTO lanes (user_id) VALUES ($1) ON CONFLICT (user_id) DO NOTHING")
        .bind(user.id).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Inside a transaction: nobody else changes what belongs to this user until it ends. Answers whether there is
/// such a user. SQLite has one writing transaction at a time anyway.
pub(super) async fn lock(tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
    let statement = match tx {
        Tx::Sqlite(_) => "SELECT id FROM users WHERE id = $1",
        Tx::Server(_) => "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE",
    };
    let found: Option<UserId> = on_tx!(tx, db => sqlx::query_scalar(statement)
        .bind(user).fetch_optional(&mut *db).await)?;
    Ok(found.is_some())
}

/// Like [`lock`], and answers whether the user still has the password of this hash, which was verified before: that
/// takes too long for a transaction.
pub(super) async fn lock_with_hash(
    tx: &mut Tx,
    user: UserId,
    verified_hash: String,
) -> Result<bool, StoreError> {
    lock(tx, user).await?;
    let found: Option<UserId> = on_tx!(tx, db => sqlx::query_scalar(
        "SELECT id FROM users WHERE id = $1 AND password_hash = $2")
        .bind(user).bind(verified_hash).fetch_optional(&mut *db).await)?;
    Ok(found.is_some())
}
