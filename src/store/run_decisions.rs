//! What a person decides about a run that has stopped. Each decision is one about what the person has seen: where the
//! run has moved on meanwhile, nothing happens.

use super::audit::{self, NewAuditEntry};
use super::outbox::OutboxState;
use super::pool::{Tx, on_tx};
use super::runs::{self, Run};
use super::{RunId, Store, StoreError, UserId, notices, wake};
use crate::clock::Timestamp;

/// The reason of a run that its owner put an end to.
pub const DISCARDED: &str = "discarded";

/// What is to become of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is tried again; with `true`, what its owner's word overcomes is overcome.
    Retry(bool),
    /// Its reply is to say this, and goes out.
    Edit(String),
    /// It is not answered.
    Discard,
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It holds.
    Done,
    /// The run is not what was seen any more.
    MovedOn,
    /// There are no words that could be replaced.
    NoWords,
    /// An attempt to send the reply was made, so its bytes stay what they are.
    Attempted,
}

impl Store {
    /// Carries out what the owner decides about a run as it was `seen`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn decide_run(
        &self,
        seen: &Run,
        decision: Decision,
        entry: NewAuditEntry,
    ) -> Result<Decided, StoreError> {
        let (user, run) = (seen.user_id, seen.id);
        let seen = seen.clone();
        let (clock, due) = (self.clock.clone(), self.lease_clock().await?);
        let decided = self
            .write(move |tx| {
                Box::pin(async move {
                    if !hold(tx, &seen).await? {
                        return Ok(Decided::MovedOn);
                    }
                    match decision {
                        Decision::Retry(resend) => {
                            runs::forget_unusable(tx, user, run).await?;
                            runs::make_due(tx, user, run, resend, due).await?;
                        }
                        Decision::Edit(words) => {
                            if let Some(refusal) = replace_words(tx, user, run, words).await? {
                                return Ok(refusal);
                            }
                            runs::make_due(tx, user, run, true, due).await?;
                        }
                        Decision::Discard => discard(tx, user, run, clock.now()).await?,
                    }
                    notices::end_held(tx, user, run, clock.now()).await?;
                    audit::append(tx, entry, &clock).await?;
                    wake::tell_others(tx).await?;
                    Ok(Decided::Done)
                })
            })
            .await?;
        self.wake_queue();
        Ok(decided)
    }
}

/// Keeps the run from being claimed until this transaction has ended, if it is still what was seen.
async fn hold(tx: &mut Tx, seen: &Run) -> Result<bool, StoreError> {
    let held = on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET lease_epoch = lease_epoch
         WHERE user_id = $1 AND id = $2 AND lease_until IS NULL AND state = $3 AND COALESCE(reason, '') = $4")
        .bind(seen.user_id).bind(seen.id).bind(seen.state).bind(seen.reason.clone().unwrap_or_default())
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(held == 1)
}

/// The reply is written anew of these words. Bytes of which an attempt was made are never replaced (promise 5).
async fn replace_words(
    tx: &mut Tx,
    user: UserId,
    run: RunId,
    words: String,
) -> Result<Option<Decided>, StoreError> {
    let frozen: Option<(OutboxState, Option<Timestamp>)> = on_tx!(tx, db => sqlx::query_as(
        "SELECT state, sending_at FROM outbox WHERE user_id = $1 AND run_id = $2")
        .bind(user).bind(run).fetch_optional(&mut *db).await)?;
    if frozen.is_some_and(|(state, sending_at)| state != OutboxState::Ready || sending_at.is_some()) {
        return Ok(Some(Decided::Attempted));
    }
    let replaced = on_tx!(tx, db => sqlx::query(
        "UPDATE completions SET body = $3, finish = 'stop', edited = $4 WHERE user_id = $1 AND run_id = $2")
        .bind(user).bind(run).bind(words).bind(true)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    if replaced == 0 {
        return Ok(Some(Decided::NoWords));
    }
    forget_untouched(tx, user, run).await?;
    Ok(None)
}

async fn discard(tx: &mut Tx, user: UserId, run: RunId, now: Timestamp) -> Result<(), StoreError> {
    forget_untouched(tx, user, run).await?;
    on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET state = 'skipped', reason = $3, detail = NULL, due_at = NULL, resend = $4,
            finished_at = $5
         WHERE user_id = $1 AND id = $2 AND lease_until IS NULL")
        .bind(user).bind(run).bind(DISCARDED).bind(false).bind(now)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// A reply that nobody has tried to send is as if it had never been: it counts for no brake either.
async fn forget_untouched(tx: &mut Tx, user: UserId, run: RunId) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO agent_hours (agent_id, hour, slot, user_id, replies)
         SELECT agent_id, created_at / 3600000, 0, user_id, -1 FROM outbox
         WHERE user_id = $1 AND run_id = $2 AND state = 'ready' AND sending_at IS NULL AND agent_id IS NOT NULL
         ON CONFLICT (agent_id, hour, slot) DO UPDATE SET replies = agent_hours.replies - 1")
        .bind(user).bind(run).execute(&mut *db).await.map(drop))?;
    on_tx!(tx, db => sqlx::query(
        "DELETE FROM outbox WHERE user_id = $1 AND run_id = $2 AND state = 'ready' AND sending_at IS NULL")
        .bind(user).bind(run).execute(&mut *db).await.map(drop))?;
    Ok(())
}
