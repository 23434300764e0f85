//! `completions`: what the provider answered, stored whole before anything else happens with it.

use super::claims::Lease;
use super::pool::{on_pool, on_tx};
use super::provider_calls::{CallEnd, end_call};
use super::{CallId, RunId, Store, StoreError, UserId};

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

impl Store {
    /// The stored answer of a run.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_completion(
        &self,
        user: UserId,
        run: RunId,
    ) -> Result<Option<StoredCompletion>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT model, finish, body FROM completions WHERE user_id = $1 AND run_id = $2")
            .bind(user).bind(run).fetch_optional(db).await)?)
    }

    /// Stores an answer and what its call cost in one commit. The cost is stored even if the run has passed to
    /// somebody else; the answer is not. Storing the same answer again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn store_completion(
        &self,
        lease: Lease,
        call: CallId,
        end: CallEnd,
        completion: StoredCompletion,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let stored = self
            .write(move |tx| {
                Box::pin(async move {
                    end_call(tx, lease.user, call, "done", &end, now).await?;
                    Ok(on_tx!(tx, db => sqlx::query(
                        "INSERT INTO completions (run_id, user_id, call_id, model, finish, body, created_at)
                         SELECT id, user_id, $4, $5, $6, $7, $8 FROM runs
                         WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL
                         ON CONFLICT (run_id) DO UPDATE SET call_id = excluded.call_id
                            WHERE completions.call_id = excluded.call_id")
                        .bind(lease.user).bind(lease.run).bind(lease.epoch).bind(call)
                        .bind(completion.model).bind(completion.finish).bind(completion.body).bind(now)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
                })
            })
            .await?;
        if stored == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    /// Notes which agent took a run.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn assign_agent(&self, lease: Lease, agent: super::AgentId) -> Result<(), StoreError> {
        let changed = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query(
                        "UPDATE runs SET agent_id = $4
                         WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL")
                        .bind(lease.user).bind(lease.run).bind(lease.epoch).bind(agent)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
                })
            })
            .await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}
