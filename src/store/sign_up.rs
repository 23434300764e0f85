//! Signing up: the account, its first session and what is told of it, in one transaction.

use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_tx};
use super::sessions::{self, NewSession};
use super::{NewUser, Role, Store, StoreError, UserId, invites, users};
use crate::clock::Timestamp;

/// Who is let in.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Everybody.
    Open,
    /// Whoever has the invitation whose token has this hash.
    Invite(Option<String>),
    /// Nobody.
    Closed,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// There is a new account.
    Done,
    /// The invitation is missing, used, too old, or for somebody else.
    NotInvited,
    /// Nobody is let in.
    Closed,
}

impl Store {
    /// Makes an account and signs it in. The very first one is always let in, and is the administrator (SR-39).
    ///
    /// # Errors
    /// [`StoreError::Taken`] where the address has an account; the invitation is not used up then.
    pub async fn sign_up(
        &self,
        user: NewUser,
        admission: Admission,
        session: NewSession,
        entry: NewAuditEntry,
    ) -> Result<SignedUp, StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = clock.now();
                keep_others_out(tx).await?;
                let is_first = is_empty(tx).await?;
                if !is_first && let Some(refused) = refuse(tx, admission, &user.email, now).await? {
                    return Ok(refused);
                }
                if has_account(tx, &user.email).await? {
                    return Err(StoreError::Taken("users.email"));
                }
                let role = is_first.then_some(Role::Admin);
                users::upsert(tx, NewUser { role, ..user }, now).await?;
                audit::append(tx, entry, &clock).await?;
                sessions::begin(tx, session, now).await?;
                Ok(SignedUp::Done)
            })
        })
        .await
    }

    /// Whether there is no account yet.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn has_no_users(&self) -> Result<bool, StoreError> {
        Ok(self.list_users("", 1).await?.is_empty())
    }
}

/// Uses an invitation up where one is needed.
async fn refuse(
    tx: &mut Tx,
    admission: Admission,
    email: &str,
    now: Timestamp,
) -> Result<Option<SignedUp>, StoreError> {
    let is_let_in = match admission {
        Admission::Open => true,
        Admission::Closed => return Ok(Some(SignedUp::Closed)),
        Admission::Invite(None) => false,
        Admission::Invite(Some(hash)) => invites::redeem(tx, hash, email.to_owned(), now).await?,
    };
    Ok((!is_let_in).then_some(SignedUp::NotInvited))
}

/// Two first accounts at once would both be the first. SQLite has one writing transaction at a time anyway.
async fn keep_others_out(tx: &mut Tx) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(_) => Ok(()),
        Tx::Server(_) => Ok(on_tx!(tx, db => sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *db).await.map(drop))?),
    }
}

async fn is_empty(tx: &mut Tx) -> Result<bool, StoreError> {
    let any: Option<UserId> = on_tx!(tx, db => sqlx::query_scalar("SELECT id FROM users LIMIT 1")
        .fetch_optional(&mut *db).await)?;
    Ok(any.is_none())
}

async fn has_account(tx: &mut Tx, email: &str) -> Result<bool, StoreError> {
    let found: Option<UserId> = on_tx!(tx, db => sqlx::query_scalar("SELECT id FROM users WHERE email = $1")
        .bind(email.to_owned()).fetch_optional(&mut *db).await)?;
    Ok(found.is_some())
}
