//! `provider_calls`: one row per call of a provider, written before the call and completed after it (SR-64).

use std::time::Duration;

use super::calls_begun::Beginning;
use super::claims::Lease;
use super::pool::{Tx, on_pool, on_tx};
use super::{AgentId, AiConfigurationId, CallId, RunId, Store, StoreError, UserId};
use crate::clock::Timestamp;

/// Class of a call that cost its tokens and brought no word.
pub const NO_WORDS: &str = "no_words";

/// Whose key was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Payer {
    /// The owner's own.
    Owner,
    /// The operator's.
    Platform,
}

/// A call about to be made.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// The id.
    pub id: CallId,
    /// The owner's configuration; `None` for the platform key, and for a key that is stored nowhere.
    pub ai_configuration: Option<AiConfigurationId>,
    /// Whose key is used.
    pub payer: Payer,
    /// The provider's name.
    pub provider: String,
    /// The model asked for.
    pub model: String,
    /// Whether it is the one call that finds out if an exhausted key is good again.
    pub is_probe: bool,
}

/// How a call ended.
#[derive(Clone, Debug, Default)]
pub struct CallEnd {
    /// Class of the error, where there was one.
    pub error_class: Option<&'static str>,
    /// The provider's code for it.
    pub error_code: Option<String>,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// The model that answered.
    pub answered_model: Option<String>,
    /// Whether it may have cost money all the same.
    pub maybe_charged: bool,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Of those, tokens read from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// Of those, reasoning tokens.
    pub reasoning_tokens: u64,
    /// What the provider says that it charges, in billionths of a US dollar.
    pub cost_nanousd: Option<u64>,
    /// How long the call took.
    pub latency: Duration,
}

/// A call as people see it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ProviderCall {
    /// The id.
    pub id: CallId,
    /// The owner's configuration; `None` for the platform key.
    pub ai_configuration_id: Option<AiConfigurationId>,
    /// Whose key was used.
    pub payer: Payer,
    /// The provider's name.
    pub provider: String,
    /// The model asked for.
    pub model: String,
    /// The model that answered.
    pub answered_model: Option<String>,
    /// Class of the error, where there was one.
    pub error_class: Option<String>,
    /// The provider's code for it.
    pub error_code: Option<String>,
    /// Whether a failed call may have cost money all the same.
    pub maybe_charged: bool,
    /// Tokens read, cached ones included.
    pub input_tokens: i64,
    /// Of those, tokens read from the provider's cache.
    pub cached_tokens: i64,
    /// Tokens written, reasoning included.
    pub output_tokens: i64,
    /// Of those, reasoning tokens.
    pub reasoning_tokens: i64,
    /// What the provider says that it charged, in billionths of a US dollar.
    pub cost_nanousd: Option<i64>,
    /// How long it took, in milliseconds; `None` while it is under way.
    pub latency_ms: Option<i64>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it is under way.
    pub ended_at: Option<Timestamp>,
}

/// What an owner used, by who paid and for which model.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UsageTotal {
    /// Whose key was used.
    pub payer: Payer,
    /// The provider's name.
    pub provider: String,
    /// The model asked for.
    pub model: String,
    /// Number of calls.
    pub calls: i64,
    /// Of those, failed ones.
    pub failed: i64,
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
}

impl Store {
    /// Commits that a call is about to be made, and by which agent, unless its key is marked as not to be used: then
    /// no call is noted and the answer is `false` (SR-2, SR-3).
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn begin_call(&self, lease: Lease, agent: AgentId, call: NewCall) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let begun = self.pool.groups().calls.ask(Beginning { lease, agent, call, now }).await?;
        begun.ok_or(StoreError::LeaseLost)
    }

    /// Commits that a call without a run is about to be made, for a preview of an agent or for a chat, unless its key is
    /// marked as not to be used: then no call is noted and the answer is `false`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn begin_call_without_run(
        &self,
        user: UserId,
        agent: Option<AgentId>,
        call: NewCall,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let made = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query(BEGIN_WITHOUT_RUN)
                        .bind(call.id).bind(user).bind(agent).bind(call.ai_configuration).bind(call.payer)
                        .bind(call.provider).bind(call.model).bind(now).bind(call.is_probe)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
                })
            })
            .await?;
        Ok(made == 1)
    }

    /// Completes the row of a call without a run.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn end_call_without_run(
        &self,
        user: UserId,
        call: CallId,
        end: CallEnd,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| Box::pin(async move { end_call(tx, user, call, "done", &end, now).await }))
            .await
    }

    /// Notes that a call failed. Not fenced: it was made and may have cost money, whoever has the run now.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn fail_call(&self, user: UserId, call: CallId, end: CallEnd) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| Box::pin(async move { end_call(tx, user, call, "failed", &end, now).await }))
            .await
    }

    /// The calls made for a run, oldest first.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_calls(&self, user: UserId, run: RunId) -> Result<Vec<ProviderCall>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, ai_configuration_id, payer, provider, model, answered_model, error_class, error_code,
                maybe_charged, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nanousd, latency_ms,
                started_at, ended_at
             FROM provider_calls WHERE user_id = $1 AND run_id = $2 ORDER BY id LIMIT 1000")
            .bind(user).bind(run).fetch_all(db).await)?)
    }

    /// What a user's calls came to, over all time.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn sum_usage(&self, user: UserId) -> Result<Vec<UsageTotal>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT payer, provider, model, CAST(COUNT(*) AS BIGINT) AS calls,
                CAST(COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0) AS BIGINT) AS failed,
                CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens,
                CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens
             FROM provider_calls WHERE user_id = $1 GROUP BY payer, provider, model
             ORDER BY payer, provider, model LIMIT 1000")
            .bind(user).fetch_all(db).await)?)
    }
}

const BEGIN_WITHOUT_RUN: &str =
    "INSERT INTO provider_calls (id, user_id, agent_id, ai_configuration_id, payer,
        provider, model, state, started_at)
    SELECT $1, id, $3, $4, $5, $6, $7, 'sent', $8 FROM users
    WHERE id = $2 AND ($4 IS NULL OR EXISTS (SELECT 1 FROM ai_configurations WHERE user_id = $2 AND id = $4
        AND ($9 OR (state <> 'invalid' AND (resume_at IS NULL OR resume_at <= $8)))))";

/// Completes a call's row.
pub(super) async fn end_call(
    tx: &mut Tx,
    user: UserId,
    call: CallId,
    state: &'static str,
    end: &CallEnd,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE provider_calls SET state = $3, answered_model = $4, request_id = $5, error_class = $6,
            error_code = $7, maybe_charged = $8, input_tokens = $9, cached_tokens = $10, output_tokens = $11,
            reasoning_tokens = $12, latency_ms = $13, ended_at = $14, cost_nanousd = $15
         WHERE user_id = $1 AND id = $2")
        .bind(user).bind(call).bind(state).bind(&end.answered_model).bind(&end.request_id)
        .bind(end.error_class).bind(&end.error_code).bind(end.maybe_charged)
        .bind(whole(end.input_tokens)).bind(whole(end.cached_tokens)).bind(whole(end.output_tokens))
        .bind(whole(end.reasoning_tokens))
        .bind(milliseconds(end.latency)).bind(now).bind(end.cost_nanousd.map(whole))
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
