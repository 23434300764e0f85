//! `completions`: what the provider answered, stored whole before anything else happens with it.

use super::brakes::{self, AgentLock, Refusal};
use super::claims::Lease;
use super::outbox::{self, NewReply};
use super::pool::{Tx, on_tx};
use super::provider_calls::{CallEnd, end_call};
use super::{AgentId, CallId, Store, StoreError};
use crate::clock::Timestamp;

/// A stored answer; a run that has one never calls a provider again.
#[derive(Clone, sqlx::FromRow)]
pub struct StoredCompletion {
    /// The model that wrote it.
    pub model: String,
    /// Why the model stopped.
    pub finish: String,
    /// Its words; `None` once retention has removed them.
    pub body: Option<String>,
    /// Whether the owner has put these words in the place of the model's.
    pub edited: bool,
}

/// What a call led to.
#[derive(Clone)]
pub struct Answer {
    /// The call.
    pub call: CallId,
    /// How it ended and what it cost.
    pub end: CallEnd,
    /// What the provider answered.
    pub completion: StoredCompletion,
}

impl Store {
    /// Stores an answer, what its call cost, and the reply that is made of it, in one commit. The cost is stored even
    /// if the run has passed to somebody else, and the answer even if a brake holds the reply back. Storing the same
    /// again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn store_answer(
        &self,
        lease: Lease,
        answer: Answer,
        reply: Option<NewReply>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let now = self.clock.now();
        let again = reply.clone();
        let stored =
            self.write(move |tx| Box::pin(async move { store(tx, lease, answer, reply, now).await })).await?;
        match (stored, again) {
            (Stored::LeaseLost, _) => Err(StoreError::LeaseLost),
            (Stored::Decided(decided), _) => Ok(decided),
            (Stored::Crowded, Some(reply)) => self.freeze_reply(lease, reply).await,
            (Stored::Crowded, None) => Ok(Ok(())),
        }
    }

    /// Notes which agent would answer, for people who ask why it does not.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn assign_agent(&self, lease: Lease, agent: AgentId) -> Result<(), StoreError> {
        self.write_one(move |tx| Box::pin(async move { outbox::assign(tx, lease, agent).await })).await
    }
}

/// What is stored of an answer and its reply.
enum Stored {
    /// Only what the call cost.
    LeaseLost,
    /// The answer; and the reply, unless a brake holds it back.
    Decided(Result<(), Refusal>),
    /// The answer. The reply is too close to a limit of its agent to be counted beside others.
    Crowded,
}

async fn store(
    tx: &mut Tx,
    lease: Lease,
    answer: Answer,
    reply: Option<NewReply>,
    now: Timestamp,
) -> Result<Stored, StoreError> {
    end_call(tx, lease.user, answer.call, "done", &answer.end, now).await?;
    let Some(reply) = reply else {
        if !outbox::holds_lease(tx, lease).await? {
            return Ok(Stored::LeaseLost);
        }
        insert(tx, lease, answer, now).await?;
        return Ok(Stored::Decided(Ok(())));
    };
    let exchange = &reply.frozen.exchange;
    let Some(beside) = brakes::lock(tx, lease, exchange, AgentLock::Shared).await? else {
        return Ok(Stored::LeaseLost);
    };
    insert(tx, lease, answer, now).await?;
    let counts = brakes::count(tx, exchange, now).await?;
    if reply.brakes.is_some_and(|brakes| counts.is_crowded(brakes, beside)) {
        return Ok(Stored::Crowded);
    }
    Ok(Stored::Decided(outbox::freeze(tx, lease, reply, counts, now).await?))
}

async fn insert(tx: &mut Tx, lease: Lease, answer: Answer, now: Timestamp) -> Result<(), StoreError> {
    let completion = answer.completion;
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO completions (run_id, user_id, call_id, model, finish, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (run_id) DO NOTHING")
        .bind(lease.run).bind(lease.user).bind(answer.call)
        .bind(completion.model).bind(completion.finish).bind(completion.body).bind(now)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}
