//! `invites`: permissions to sign up, given by an administrator (SR-39).

use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_pool, on_tx};
use super::{InviteId, Store, StoreError, UserId};
use crate::clock::Timestamp;

/// An invitation as its giver sees it; its token is shown once and not stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Invite {
    /// The id.
    pub id: InviteId,
    /// The only address that may use it, lower case; anybody if unset.
    pub email: Option<String>,
    /// When it was given.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// An invitation to be given.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// The id.
    pub id: InviteId,
    /// Hash of its token.
    pub hash: String,
    /// The only address that may use it, lower case; anybody if unset.
    pub email: Option<String>,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Store {
    /// Gives an invitation, in the name of the entry's user.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_invite(&self, invite: NewInvite, entry: NewAuditEntry) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "INSERT INTO invites (id, user_id, hash, email, created_at, expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6)")
                    .bind(invite.id).bind(entry.user).bind(invite.hash).bind(invite.email).bind(clock.now())
                    .bind(invite.expires_at).execute(&mut *db).await.map(drop))?;
                audit::append(tx, entry, &clock).await
            })
        })
        .await
    }

    /// The invitations that a user gave, newest first, after the given one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_invites(
        &self,
        user: UserId,
        after: Option<InviteId>,
        most: u32,
    ) -> Result<Vec<Invite>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, email, created_at, expires_at, used_at FROM invites
             WHERE user_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3")
            .bind(user).bind(after).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// Takes an invitation back. Answers whether the user has given such a one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn delete_invite(&self, invite: InviteId, entry: NewAuditEntry) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let gone = on_tx!(tx, db => sqlx::query("DELETE FROM invites WHERE id = $1 AND user_id = $2")
                    .bind(invite).bind(entry.user)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if gone == 1 {
                    audit::append(tx, entry, &clock).await?;
                }
                Ok(gone == 1)
            })
        })
        .await
    }
}

/// Inside a transaction: uses up an invitation. Answers whether it was good for this address (lower case).
pub(super) async fn redeem(
    tx: &mut Tx,
    hash: String,
    email: String,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let used = on_tx!(tx, db => sqlx::query(
        "UPDATE invites SET used_at = $3
         WHERE hash = $1 AND used_at IS NULL AND expires_at > $3 AND (email IS NULL OR email = $2)")
        .bind(hash).bind(email).bind(now).execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(used == 1)
}
