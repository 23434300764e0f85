//! `provider_calls`: one row per call of a provider, written before the call and completed after it (SR-64).

use std::collections::HashMap;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use super::claims::Lease;
use super::completions::Answer;
use super::group::Ask;
use super::outbox;
use super::pool::{Pool, Tx, on_pool, on_tx};
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
        let begun = match &self.pool {
            Pool::Sqlite { writer, .. } => {
                let begin = async move |tx: &mut Tx| begin_on_file(tx, (lease, agent), call, now).await;
                writer.write(move |tx| Box::pin(begin(tx))).await?
            }
            Pool::Postgres { groups, .. } => groups.calls.ask(Beginning { lease, agent, call, now }).await?,
        };
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

/// The key's state is read in the statement that begins the call, so that none begins after a mark.
macro_rules! insert_call {
    ($columns:literal, $asked:literal) => {
        concat!(
            "INSERT INTO provider_calls (id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model,
                started_at, state)
            SELECT ", $columns, ", 'sent' FROM ", $asked,
            " WHERE ai_configuration_id IS NULL OR is_probe OR EXISTS (SELECT 1 FROM ai_configurations AS known
                WHERE known.user_id = asked.user_id AND known.id = ai_configuration_id AND state <> 'invalid'
                    AND (resume_at IS NULL OR resume_at <= started_at))"
        )
    };
}

const SQLITE_BEGIN: &str = insert_call!(
    "id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model, started_at",
    "(SELECT $1 AS id, $2 AS user_id, $3 AS run_id, $4 AS agent_id, $5 AS ai_configuration_id, $6 AS payer,
        $7 AS provider, $8 AS model, $9 AS started_at, $10 AS is_probe) AS asked"
);

// The runs are locked in the order of their ids, as verdicts are written, so that neither waits for the other for ever.
const POSTGRES_BEGIN: &str = concat!(
    "WITH asked AS MATERIALIZED (
        SELECT * FROM UNNEST($1::UUID[], $2::UUID[], $3::UUID[], $4::UUID[], $5::UUID[], $6::TEXT[], $7::TEXT[],
            $8::TEXT[], $9::BIGINT[], $10::BOOLEAN[], $11::BIGINT[])
        AS asked (id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model, started_at, is_probe, epoch)
    ), held AS MATERIALIZED (
        SELECT asked.* FROM asked JOIN runs ON runs.id = asked.run_id AND runs.user_id = asked.user_id
            AND runs.lease_epoch = asked.epoch
        WHERE runs.id = ANY($3) AND runs.lease_until IS NOT NULL
        ORDER BY runs.id FOR NO KEY UPDATE OF runs
    ), assigned AS (
        UPDATE runs SET agent_id = held.agent_id FROM held WHERE runs.id = ANY($3) AND runs.id = held.run_id
    ), made AS (",
    insert_call!(
        "id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model, started_at",
        "held AS asked"
    ),
    " RETURNING id)
    SELECT held.id, held.id IN (SELECT id FROM made) FROM held"
);

const BEGIN_WITHOUT_RUN: &str =
    "INSERT INTO provider_calls (id, user_id, agent_id, ai_configuration_id, payer,
        provider, model, state, started_at)
    SELECT $1, id, $3, $4, $5, $6, $7, 'sent', $8 FROM users
    WHERE id = $2 AND ($4 IS NULL OR EXISTS (SELECT 1 FROM ai_configurations WHERE user_id = $2 AND id = $4
        AND ($9 OR (state <> 'invalid' AND (resume_at IS NULL OR resume_at <= $8)))))";

/// Whether the call may be made; `None` where the lease is lost.
type Begun = Option<bool>;

async fn begin_on_file(
    tx: &mut Tx,
    (lease, agent): (Lease, AgentId),
    call: NewCall,
    now: Timestamp,
) -> Result<Begun, StoreError> {
    outbox::assign(tx, lease, agent).await?;
    let made = on_tx!(tx, db => sqlx::query(SQLITE_BEGIN)
        .bind(call.id).bind(lease.user).bind(lease.run).bind(agent).bind(call.ai_configuration).bind(call.payer)
        .bind(call.provider).bind(call.model).bind(now).bind(call.is_probe)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(Some(made == 1))
}

/// A call about to be made, with others.
pub(super) struct Beginning {
    lease: Lease,
    agent: AgentId,
    call: NewCall,
    now: Timestamp,
}

impl Ask for Beginning {
    type Answer = Begun;

    async fn answer(pool: &PgPool, asks: &[Self]) -> Result<Vec<Begun>, StoreError> {
        let calls = asks.iter().map(|ask| &ask.call);
        let begun: HashMap<CallId, bool> = sqlx::query_as(POSTGRES_BEGIN)
            .bind(calls.clone().map(|call| call.id).collect::<Vec<_>>())
            .bind(asks.iter().map(|ask| ask.lease.user).collect::<Vec<_>>())
            .bind(asks.iter().map(|ask| ask.lease.run).collect::<Vec<_>>())
            .bind(asks.iter().map(|ask| ask.agent).collect::<Vec<_>>())
            .bind(calls.clone().map(|call| call.ai_configuration).collect::<Vec<_>>())
            .bind(calls.clone().map(|call| call.payer).collect::<Vec<_>>())
            .bind(calls.clone().map(|call| call.provider.as_str()).collect::<Vec<_>>())
            .bind(calls.clone().map(|call| call.model.as_str()).collect::<Vec<_>>())
            .bind(asks.iter().map(|ask| ask.now).collect::<Vec<_>>())
            .bind(calls.map(|call| call.is_probe).collect::<Vec<_>>())
            .bind(asks.iter().map(|ask| ask.lease.epoch).collect::<Vec<_>>())
            .fetch_all(pool)
            .await?
            .into_iter()
            .collect();
        Ok(asks.iter().map(|ask| begun.get(&ask.call.id).copied()).collect())
    }
}

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

const END_TOGETHER: &str = "UPDATE provider_calls SET state = 'done', answered_model = ended.answered_model,
        request_id = ended.request_id, error_class = ended.error_class, error_code = ended.error_code,
        maybe_charged = ended.maybe_charged, input_tokens = ended.input_tokens,
        cached_tokens = ended.cached_tokens, output_tokens = ended.output_tokens,
        reasoning_tokens = ended.reasoning_tokens, latency_ms = ended.latency_ms,
        cost_nanousd = ended.cost_nanousd, ended_at = $14
    FROM UNNEST($1::UUID[], $2::UUID[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::BOOLEAN[],
            $8::BIGINT[], $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::BIGINT[])
        AS ended (user_id, id, answered_model, request_id, error_class, error_code, maybe_charged, input_tokens,
            cached_tokens, output_tokens, reasoning_tokens, latency_ms, cost_nanousd)
    WHERE provider_calls.id = ANY($2) AND provider_calls.id = ended.id AND provider_calls.user_id = ended.user_id";

/// Completes the rows of calls that were answered.
pub(super) async fn end_calls(
    db: &mut PgConnection,
    answers: Vec<(UserId, &Answer)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ends = answers.iter().map(|(_, answer)| &answer.end);
    let column = |pick: fn(&CallEnd) -> u64| ends.clone().map(|end| whole(pick(end))).collect::<Vec<_>>();
    sqlx::query(END_TOGETHER)
        .bind(answers.iter().map(|(user, _)| *user).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, answer)| answer.call).collect::<Vec<_>>())
        .bind(ends.clone().map(|end| end.answered_model.as_deref()).collect::<Vec<_>>())
        .bind(ends.clone().map(|end| end.request_id.as_deref()).collect::<Vec<_>>())
        .bind(ends.clone().map(|end| end.error_class).collect::<Vec<_>>())
        .bind(ends.clone().map(|end| end.error_code.as_deref()).collect::<Vec<_>>())
        .bind(ends.clone().map(|end| end.maybe_charged).collect::<Vec<_>>())
        .bind(column(|end| end.input_tokens))
        .bind(column(|end| end.cached_tokens))
        .bind(column(|end| end.output_tokens))
        .bind(column(|end| end.reasoning_tokens))
        .bind(ends.clone().map(|end| milliseconds(end.latency)).collect::<Vec<_>>())
        .bind(ends.clone().map(|end| end.cost_nanousd.map(whole)).collect::<Vec<_>>())
        .bind(now)
        .execute(db)
        .await?;
    Ok(())
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
