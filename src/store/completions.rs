//! `completions`: what the provider answered, stored whole before anything else happens with it.

use super::answers_kept::Keeping;
use super::brakes::Refusal;
use super::claims::Lease;
use super::outbox::{self, NewReply};
use super::provider_calls::CallEnd;
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
        let kept = self.pool.groups().answers.ask(Keeping { lease, answer, reply, now }).await?;
        kept.ok_or(StoreError::LeaseLost)
    }

    /// Notes which agent would answer, for people who ask why it does not.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn assign_agent(&self, lease: Lease, agent: AgentId) -> Result<(), StoreError> {
        self.write_one(move |tx| Box::pin(async move { outbox::assign(tx, lease, agent).await })).await
    }
}
