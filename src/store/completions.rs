//! `completions`: what the provider answered, stored whole before anything else happens with it.

use super::claims::Lease;
use super::outbox::{self, NewReply, Refusal};
use super::pool::on_tx;
use super::provider_calls::{CallEnd, end_call};
use super::{AgentId, CallId, Store, StoreError};

/// A stored answer; a run that has one never calls a provider again.
#[derive(Clone, sqlx::FromRow)]
pub struct StoredCompletion {
    /// The model that wrote it.
    pub model: String,
    /// Why the model stopped.
    pub finish: String,
    /// Its words; `None` once retention has removed them.
    pub body: Option<String>,
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
        let stored = self
            .write(move |tx| {
                Box::pin(async move {
                    let Answer { call, end, completion } = answer;
                    end_call(tx, lease.user, call, "done", &end, now).await?;
                    if !outbox::holds_lease(tx, lease).await? {
                        return Ok(None);
                    }
                    on_tx!(tx, db => sqlx::query(
                        "INSERT INTO completions (run_id, user_id, call_id, model, finish, body, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7)
                         ON CONFLICT (run_id) DO NOTHING")
                        .bind(lease.run).bind(lease.user).bind(call)
                        .bind(completion.model).bind(completion.finish).bind(completion.body).bind(now)
                        .execute(&mut *db).await.map(drop))?;
                    match reply {
                        Some(reply) => outbox::freeze(tx, lease, reply, now).await.map(Some),
                        None => Ok(Some(Ok(()))),
                    }
                })
            })
            .await?;
        stored.ok_or(StoreError::LeaseLost)
    }

    /// Notes which agent would answer, for people who ask why it does not.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn assign_agent(&self, lease: Lease, agent: AgentId) -> Result<(), StoreError> {
        self.write_one(move |tx| Box::pin(async move { outbox::assign(tx, lease, agent).await })).await
    }
}
