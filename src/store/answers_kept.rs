//! What calls led to, kept for many runs at once: what they cost, the answers, and the replies that are made of them.

use std::collections::HashSet;

use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

use super::asked_rows::{held, push_asked};
use super::brakes::{Counted, Refusal, lock_counted};
use super::claims::Lease;
use super::completions::Answer;
use super::group::Ask;
use super::outbox::NewReply;
use super::pool::{Database, Tx};
use super::provider_calls::{CallEnd, milliseconds, whole};
use super::{StoreError, freezing};
use crate::clock::Timestamp;

/// What became of the reply, if there is one and no brake holds it back; `None` where the lease is lost, and nothing
/// but what the call cost is stored.
type Kept = Option<Result<(), Refusal>>;

/// An answer to be stored with others.
pub(super) struct Keeping {
    pub(super) lease: Lease,
    pub(super) answer: Answer,
    pub(super) reply: Option<NewReply>,
    pub(super) now: Timestamp,
}

impl Ask for Keeping {
    type Answer = Kept;

    // It is paid.
    const OUTLIVES_ASKER: bool = true;

    const WRITES_IN_STEPS: bool = true;

    async fn answer(tx: &mut Tx, asks: &[Self]) -> Result<Vec<Kept>, StoreError> {
        let Some(now) = asks.iter().map(|ask| ask.now).max() else { return Ok(Vec::new()) };
        let held: Vec<Lease> = match tx.database() {
            Database::File(db) => store_on_file(db, asks, now).await?,
            Database::Server(db) => store_on_server(db, asks, now).await?,
        };
        let held: HashSet<Lease> = held.into_iter().collect();
        let is_held = |ask: &&Keeping| held.contains(&ask.lease);
        let replies = asks.iter().filter(is_held);
        let replies = replies.filter_map(|ask| Some((ask.lease, ask.reply.as_ref()?))).collect();
        let mut frozen = freezing::freeze_together(tx, replies, now).await?.into_iter();
        let mut kept = |ask: &Keeping| match &ask.reply {
            _ if !is_held(&ask) => None,
            Some(_) => frozen.next(),
            None => Some(Ok(())),
        };
        Ok(asks.iter().map(&mut kept).collect())
    }
}

/// Ends the calls, stores the answers of those whose leases still hold, and answers which these are; nobody else can
/// claim their runs until this transaction has ended.
async fn store_on_file(
    db: &mut SqliteConnection,
    asks: &[Keeping],
    now: Timestamp,
) -> Result<Vec<Lease>, StoreError> {
    let mut query = QueryBuilder::default();
    push_asked(
        &mut query,
        END_COLUMNS,
        asks,
        |mut row, Keeping { lease, answer: Answer { call, end, .. }, .. }| {
            row.push_bind(lease.user)
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
        },
    );
    query.push(SQLITE_END);
    push_asked(&mut query, COMPLETION_COLUMNS, asks, |mut row, Keeping { lease, answer, .. }| {
        let completion = &answer.completion;
        row.push_bind(lease.user)
            .push_bind(lease.run)
            .push_bind(lease.epoch)
            .push_bind(answer.call)
            .push_bind(&completion.model)
            .push_bind(&completion.finish)
            .push_bind(&completion.body)
            .push_bind(now);
    });
    query.push(SQLITE_STORE);
    push_asked(&mut query, "user_id, run_id, epoch", asks, |mut row, Keeping { lease, .. }| {
        row.push_bind(lease.user).push_bind(lease.run).push_bind(lease.epoch);
    });
    Ok(query.push(SQLITE_LIST_HELD).build_query_as().fetch_all(db).await?)
}

async fn store_on_server(
    db: &mut PgConnection,
    asks: &[Keeping],
    now: Timestamp,
) -> Result<Vec<Lease>, StoreError> {
    let ends = asks.iter().map(|ask| &ask.answer.end);
    let column = |pick: fn(&CallEnd) -> u64| ends.clone().map(|end| whole(pick(end))).collect::<Vec<_>>();
    let completions = asks.iter().map(|ask| &ask.answer.completion);
    let mut counted = Counted::default();
    asks.iter().filter_map(|ask| ask.reply.as_ref()).for_each(|reply| counted.add(&reply.frozen.exchange));
    Ok(sqlx::query_as(POSTGRES_STORE)
        .bind(asks.iter().map(|ask| ask.lease.user).collect::<Vec<_>>())
        .bind(asks.iter().map(|ask| ask.lease.run).collect::<Vec<_>>())
        .bind(asks.iter().map(|ask| ask.lease.epoch).collect::<Vec<_>>())
        .bind(asks.iter().map(|ask| ask.answer.call).collect::<Vec<_>>())
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
        .bind(completions.clone().map(|completion| completion.model.as_str()).collect::<Vec<_>>())
        .bind(completions.clone().map(|completion| completion.finish.as_str()).collect::<Vec<_>>())
        .bind(completions.map(|completion| completion.body.as_deref()).collect::<Vec<_>>())
        .bind(now)
        .bind(counted.kinds)
        .bind(counted.names)
        .fetch_all(db)
        .await?)
}

macro_rules! end_calls {
    () => {
        "UPDATE provider_calls SET state = 'done', answered_model = ended.answered_model,
                request_id = ended.request_id, error_class = ended.error_class, error_code = ended.error_code,
                maybe_charged = ended.maybe_charged, input_tokens = ended.input_tokens,
                cached_tokens = ended.cached_tokens, output_tokens = ended.output_tokens,
                reasoning_tokens = ended.reasoning_tokens, latency_ms = ended.latency_ms,
                cost_nanousd = ended.cost_nanousd, ended_at = ended.ended_at
            FROM asked AS ended WHERE provider_calls.id = ended.call_id AND provider_calls.user_id = ended.user_id"
    };
}

macro_rules! list_held {
    () => {
        "SELECT run_id AS id, user_id, epoch AS lease_epoch FROM held"
    };
}

macro_rules! store_completions {
    () => {
        "INSERT INTO completions (run_id, user_id, call_id, model, finish, body, created_at)
        SELECT run_id, user_id, call_id, model, finish, body, created_at FROM held
        WHERE TRUE ON CONFLICT (run_id) DO NOTHING"
    };
}

const END_COLUMNS: &str =
    "user_id, call_id, answered_model, request_id, error_class, error_code, maybe_charged, input_tokens,
    cached_tokens, output_tokens, reasoning_tokens, latency_ms, cost_nanousd, ended_at";
const SQLITE_END: &str = concat!(end_calls!(), ";");

const COMPLETION_COLUMNS: &str = "user_id, run_id, epoch, call_id, model, finish, body, created_at";
const SQLITE_STORE: &str = concat!(held!(), store_completions!(), ";");
const SQLITE_LIST_HELD: &str = concat!(held!(), list_held!());

// The runs are locked in the order of their ids, as verdicts are written, so that neither waits for the other for ever.
const POSTGRES_STORE: &str = concat!(
    // For the replies that are counted and written next; before the runs, so that nobody waits in a circle.
    "WITH locked AS MATERIALIZED (",
    lock_counted!("$20", "$21"),
    "), asked AS MATERIALIZED (
        SELECT *, $19 AS ended_at, $19 AS created_at
        FROM UNNEST($1::UUID[], $2::UUID[], $3::BIGINT[], $4::UUID[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[],
            $9::BOOLEAN[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[], $15::BIGINT[],
            $16::TEXT[], $17::TEXT[], $18::TEXT[])
        AS asked (user_id, run_id, epoch, call_id, answered_model, request_id, error_class, error_code, maybe_charged,
            input_tokens, cached_tokens, output_tokens, reasoning_tokens, latency_ms, cost_nanousd, model, finish, body)
    ), held AS MATERIALIZED (
        SELECT asked.* FROM asked JOIN runs ON runs.id = asked.run_id AND runs.user_id = asked.user_id
            AND runs.lease_epoch = asked.epoch AND runs.lease_until IS NOT NULL
        WHERE runs.id = ANY($2) AND (SELECT COUNT(*) FROM locked) >= 0
        ORDER BY runs.id FOR NO KEY UPDATE OF runs
    ), done AS (",
    end_calls!(),
    " AND provider_calls.id = ANY($4)
    ), stored AS (",
    store_completions!(),
    ") ",
    list_held!()
);
