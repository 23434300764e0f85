//! The calls of runs, begun for many runs at once.

use std::collections::HashMap;

use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

use super::asked_rows::{held, push_asked};
use super::claims::Lease;
use super::group::Ask;
use super::pool::{Database, Tx};
use super::provider_calls::NewCall;
use super::{AgentId, CallId, StoreError};
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

async fn begin_on_file(
    db: &mut SqliteConnection,
    asks: &[Beginning],
) -> Result<HashMap<CallId, bool>, StoreError> {
    let mut query = QueryBuilder::default();
    push_asked(&mut query, CALL_COLUMNS, asks, |mut row, Beginning { lease, agent, call, now }| {
        row.push_bind(call.id)
            .push_bind(lease.user)
            .push_bind(lease.run)
            .push_bind(lease.epoch)
            .push_bind(agent)
            .push_bind(call.ai_configuration)
            .push_bind(call.payer)
            .push_bind(&call.provider)
            .push_bind(&call.model)
            .push_bind(now)
            .push_bind(call.is_probe);
    });
    query.push(SQLITE_BEGIN);
    push_asked(&mut query, "id, user_id, run_id, epoch", asks, |mut row, Beginning { lease, call, .. }| {
        row.push_bind(call.id).push_bind(lease.user).push_bind(lease.run).push_bind(lease.epoch);
    });
    let begun: Vec<(CallId, bool)> = query.push(SQLITE_LIST_BEGUN).build_query_as().fetch_all(db).await?;
    Ok(begun.into_iter().collect())
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

/// The key's state is read in the statement that begins the call, so that none begins after a mark.
macro_rules! insert_calls {
    () => {
        "INSERT INTO provider_calls (id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model,
                started_at, state)
            SELECT id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model, started_at, 'sent'
            FROM held WHERE ai_configuration_id IS NULL OR is_probe OR EXISTS (SELECT 1 FROM ai_configurations AS known
                WHERE known.user_id = held.user_id AND known.id = ai_configuration_id AND state <> 'invalid'
                    AND (resume_at IS NULL OR resume_at <= started_at))"
    };
}

const CALL_COLUMNS: &str =
    "id, user_id, run_id, epoch, agent_id, ai_configuration_id, payer, provider, model, started_at, is_probe";
const SQLITE_BEGIN: &str = concat!(held!(), insert_calls!(), ";");

const SQLITE_LIST_BEGUN: &str =
    concat!(held!(), "SELECT id, EXISTS (SELECT 1 FROM provider_calls WHERE id = held.id) FROM held");

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
    ), made AS (",
    insert_calls!(),
    " RETURNING id)
    SELECT held.id, held.id IN (SELECT id FROM made) FROM held"
);
