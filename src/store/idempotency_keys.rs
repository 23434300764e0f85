//! `idempotency_keys`: answers to creating calls, kept for a day, so that a call that comes again is answered and not
//! carried out again.

use uuid::Uuid;

use super::pool::{Tx, on_tx};
use super::{Store, StoreError, UserId};
use crate::clock::Timestamp;

/// Column label to which the ciphertext of an answer is bound.
pub const ANSWER_COLUMN: &str = "idempotency_keys.answer";

/// A creating call with a name.
#[derive(Clone, Debug)]
pub struct NamedCall {
    /// Names this try; the ciphertext of the answer is bound to it.
    pub id: Uuid,
    /// Who calls.
    pub user: UserId,
    /// The caller's name for the call.
    pub name: String,
    /// Hash of what is asked.
    pub fingerprint: String,
}

/// What is known of a named call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is to be carried out.
    New,
    /// It is being carried out.
    InProgress,
    /// The name was given to another call.
    Different,
    /// It was answered.
    Answered {
        /// The try that was answered.
        id: Uuid,
        /// The status.
        status: i64,
        /// The sealed body.
        answer: String,
    },
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    fingerprint: String,
    status: Option<i64>,
    answer: Option<String>,
    created_at: Timestamp,
}

impl Store {
    /// Begins a named call. One that was begun before `given_up` and not answered is begun again.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn begin_named_call(&self, call: NamedCall, given_up: Timestamp) -> Result<Known, StoreError> {
        let now = self.clock.now();
        self.write(move |tx| {
            Box::pin(async move {
                if add(tx, &call, now).await? {
                    return Ok(Known::New);
                }
                let row: Row = on_tx!(tx, db => sqlx::query_as(
                    "SELECT id, fingerprint, status, answer, created_at FROM idempotency_keys
                     WHERE user_id = $1 AND name = $2")
                    .bind(call.user).bind(call.name.clone()).fetch_one(&mut *db).await)?;
                match (row.status, row.answer) {
                    _ if row.fingerprint != call.fingerprint => Ok(Known::Different),
                    (Some(status), Some(answer)) => Ok(Known::Answered { id: row.id, status, answer }),
                    _ if row.created_at > given_up => Ok(Known::InProgress),
                    _ => {
                        begin_again(tx, &call, row.id, now).await?;
                        Ok(Known::New)
                    }
                }
            })
        })
        .await
    }

    /// Keeps the answer of a named call.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn answer_named_call(
        &self,
        user: UserId,
        id: Uuid,
        status: i64,
        answer: String,
    ) -> Result<(), StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query(
                    "UPDATE idempotency_keys SET status = $3, answer = $4 WHERE user_id = $1 AND id = $2")
                    .bind(user).bind(id).bind(status).bind(answer).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets a named call that was refused, so that it may be made again.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn forget_named_call(&self, user: UserId, id: Uuid) -> Result<(), StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query("DELETE FROM idempotency_keys WHERE user_id = $1 AND id = $2")
                    .bind(user).bind(id).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }
}

async fn add(tx: &mut Tx, call: &NamedCall, now: Timestamp) -> Result<bool, StoreError> {
    let added = on_tx!(tx, db => sqlx::query(
        "INSERT INTO idempotency_keys (id, user_id, name, fingerprint, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id, name) DO NOTHING")
        .bind(call.id).bind(call.user).bind(call.name.clone()).bind(call.fingerprint.clone()).bind(now)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(added == 1)
}

async fn begin_again(tx: &mut Tx, call: &NamedCall, before: Uuid, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE idempotency_keys SET id = $3, created_at = $4 WHERE user_id = $1 AND id = $2")
        .bind(call.user).bind(before).bind(call.id).bind(now).execute(&mut *db).await.map(drop))?;
    Ok(())
}
