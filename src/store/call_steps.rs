//! The calls of runs, begun and ended for many runs at once.

use std::collections::{HashMap, HashSet};

use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

use super::claims::Lease;
use super::completions::Answer;
use super::group::Ask;
use super::pool::{Database, Tx};
use super::provider_calls::{CallEnd, NewCall, milliseconds, whole};
use super::{AgentId, CallId, StoreError, UserId};
use crate::clock::Timestamp;

/// A call about to be made by an agent, under the lease of a run.
pub(super) struct Beginning {
    pub(super) lease: Lease,
    pub(super) agent: AgentId,
    pub(super) call: NewCall,
    pub(super) now: Timestamp,
}

impl Ask for Beginning {
    /// Whether the call may be made; `None` where the lease is lost.
    type Answer = Option<bool>;

    async fn answer(tx: &mut Tx, asks: &[Self]) -> Result<Vec<Option<bool>>, StoreError> {
        let begun = match tx.database() {
            Database::File(db) => begin_on_file(db, asks).await?,
            Database::Server(db) => begin_on_server(db, asks).await?,
        };
        Ok(asks.iter().map(|ask| begun.get(&ask.call.id).copied()).collect())
    }
}

/// SQLite changes one table per statement.
async fn begin_on_file(
    db: &mut SqliteConnection,
    asks: &[Beginning],
) -> Result<HashMap<CallId, bool>, StoreError> {
    let mut query = QueryBuilder::new(SQLITE_LEASES);
    query.push_values(asks, |mut row, Beginning { lease, agent, .. }| {
        row.push_bind(lease.user).push_bind(lease.run).push_bind(lease.epoch).push_bind(agent);
    });
    let held: Vec<Lease> = query.push(SQLITE_ASSIGN).build_query_as().fetch_all(&mut *db).await?;
    let held: HashSet<Lease> = held.into_iter().collect();
    let held: Vec<&Beginning> = asks.iter().filter(|ask| held.contains(&ask.lease)).collect();
    if held.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = QueryBuilder::new(SQLITE_ASKED);
    query.push_values(&held, |mut row, Beginning { lease, agent, call, now }| {
        row.push_bind(call.id)
            .push_bind(lease.user)
            .push_bind(lease.run)
            .push_bind(agent)
            .push_bind(call.ai_configuration)
            .push_bind(call.payer)
            .push_bind(&call.provider)
            .push_bind(&call.model)
            .push_bind(now)
            .push_bind(call.is_probe);
    });
    let made: Vec<(CallId,)> = query.push(SQLITE_BEGIN).build_query_as().fetch_all(db).await?;
    let made: HashSet<CallId> = made.into_iter().map(|(call,)| call).collect();
    Ok(held.iter().map(|ask| (ask.call.id, made.contains(&ask.call.id))).collect())
}

async fn begin_on_server(
    db: &mut PgConnection,
    asks: &[Beginning],
) -> Result<HashMap<CallId, bool>, StoreError> {
    let calls = asks.iter().map(|ask| &ask.call);
    let begun: Vec<(CallId, bool)> = sqlx::query_as(POSTGRES_BEGIN)
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
        .fetch_all(db)
        .await?;
    Ok(begun.into_iter().collect())
}

const SQLITE_LEASES: &str = "WITH asked (user_id, run_id, epoch, agent_id) AS (";
const SQLITE_ASSIGN: &str = ")
    UPDATE runs SET agent_id = asked.agent_id FROM asked
    WHERE runs.id = asked.run_id AND runs.user_id = asked.user_id AND runs.lease_epoch = asked.epoch
        AND runs.lease_until IS NOT NULL
    RETURNING runs.id, runs.user_id, runs.lease_epoch";

const SQLITE_ASKED: &str =
    "WITH asked (id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model,
    started_at, is_probe) AS (";

/// The key's state is read in the statement that begins the call, so that none begins after a mark.
macro_rules! insert_calls {
    ($asked:literal) => {
        concat!(
            "INSERT INTO provider_calls (id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model,
                started_at, state)
            SELECT id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model, started_at, 'sent'
            FROM ", $asked,
            " WHERE ai_configuration_id IS NULL OR is_probe OR EXISTS (SELECT 1 FROM ai_configurations AS known
                WHERE known.user_id = asked.user_id AND known.id = ai_configuration_id AND state <> 'invalid'
                    AND (resume_at IS NULL OR resume_at <= started_at))
            RETURNING id"
        )
    };
}

const SQLITE_BEGIN: &str = concat!(") ", insert_calls!("asked"));

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
    insert_calls!("held AS asked"),
    ")
    SELECT held.id, held.id IN (SELECT id FROM made) FROM held"
);

/// Completes the rows of calls that were answered.
pub(super) async fn end_calls(
    tx: &mut Tx,
    answers: Vec<(UserId, &Answer)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match tx.database() {
        Database::File(db) => end_on_file(db, answers, now).await,
        Database::Server(db) => end_on_server(db, answers, now).await,
    }
}

async fn end_on_file(
    db: &mut SqliteConnection,
    answers: Vec<(UserId, &Answer)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::new(SQLITE_ENDED);
    query.push_values(answers, |mut row, (user, Answer { call, end, .. })| {
        row.push_bind(user)
            .push_bind(call)
            .push_bind(&end.answered_model)
            .push_bind(&end.request_id)
            .push_bind(end.error_class)
            .push_bind(&end.error_code)
            .push_bind(end.maybe_charged)
            .push_bind(whole(end.input_tokens))
            .push_bind(whole(end.cached_tokens))
            .push_bind(whole(end.output_tokens))
            .push_bind(whole(end.reasoning_tokens))
            .push_bind(milliseconds(end.latency))
            .push_bind(end.cost_nanousd.map(whole))
            .push_bind(now);
    });
    query.push(SQLITE_END).build().execute(db).await?;
    Ok(())
}

async fn end_on_server(
    db: &mut PgConnection,
    answers: Vec<(UserId, &Answer)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ends = answers.iter().map(|(_, answer)| &answer.end);
    let column = |pick: fn(&CallEnd) -> u64| ends.clone().map(|end| whole(pick(end))).collect::<Vec<_>>();
    sqlx::query(POSTGRES_END)
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

macro_rules! end_calls {
    ($ended:literal) => {
        concat!(
            "UPDATE provider_calls SET state = 'done', answered_model = ended.answered_model,
                request_id = ended.request_id, error_class = ended.error_class, error_code = ended.error_code,
                maybe_charged = ended.maybe_charged, input_tokens = ended.input_tokens,
                cached_tokens = ended.cached_tokens, output_tokens = ended.output_tokens,
                reasoning_tokens = ended.reasoning_tokens, latency_ms = ended.latency_ms,
                cost_nanousd = ended.cost_nanousd, ended_at = ended.ended_at
            FROM ", $ended,
            " WHERE provider_calls.id = ended.id AND provider_calls.user_id = ended.user_id"
        )
    };
}

const SQLITE_ENDED: &str =
    "WITH ended (user_id, id, answered_model, request_id, error_class, error_code, maybe_charged,
    input_tokens, cached_tokens, output_tokens, reasoning_tokens, latency_ms, cost_nanousd, ended_at) AS (";

const SQLITE_END: &str = concat!(") ", end_calls!("ended"));

const POSTGRES_END: &str = concat!(
    end_calls!(
        "(SELECT *, $14 FROM UNNEST($1::UUID[], $2::UUID[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[],
            $7::BOOLEAN[], $8::BIGINT[], $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::BIGINT[])
        ) AS ended (user_id, id, answered_model, request_id, error_class, error_code, maybe_charged, input_tokens,
            cached_tokens, output_tokens, reasoning_tokens, latency_ms, cost_nanousd, ended_at)"
    ),
    " AND provider_calls.id = ANY($2)"
);
