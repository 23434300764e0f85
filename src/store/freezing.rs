//! A reply is counted and written in one transaction, under locks that keep it from being counted beside others
//! (EM-27). Replies that do not count for each other are frozen together.

use std::collections::{HashMap, HashSet};

use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

use super::asked_rows::push_asked;
use super::brakes::{self, Counts, Exchange, Refusal};
use super::claims::Lease;
use super::outbox::NewReply;
use super::pool::{Database, Tx};
use super::{AgentId, StoreError};
use crate::clock::Timestamp;

/// Writes the reply if no brake holds it back, under a lease that this transaction has found held. What is counted for it
/// is locked already. The same reply again changes nothing.
pub(super) async fn freeze(
    tx: &mut Tx,
    lease: Lease,
    reply: &NewReply,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let frozen = freeze_together(tx, vec![(lease, reply)], now).await?;
    frozen.into_iter().next().ok_or_else(|| undecided(lease))
}

/// The same for many, in their order.
pub(super) async fn freeze_together(
    tx: &mut Tx,
    replies: Vec<(Lease, &NewReply)>,
    now: Timestamp,
) -> Result<Vec<Result<(), Refusal>>, StoreError> {
    let mut outcomes = HashMap::with_capacity(replies.len());
    let mut waiting: Vec<_> = replies.iter().copied().enumerate().collect();
    while !waiting.is_empty() {
        let (round, later) = split_round(waiting);
        waiting = later;
        freeze_round(tx, round, now, &mut outcomes).await?;
    }
    let outcome =
        |(place, (lease, _)): (usize, &(Lease, _))| outcomes.remove(&place).ok_or_else(|| undecided(*lease));
    replies.iter().enumerate().map(outcome).collect()
}

fn undecided(lease: Lease) -> StoreError {
    StoreError::Impossible { table: "outbox", column: "run_id", id: lease.run.to_string() }
}

/// A reply and its place among those that were asked for.
type Placed<'a> = (usize, (Lease, &'a NewReply));

/// Those that do not count for each other, but for their agents; and the others.
fn split_round(waiting: Vec<Placed<'_>>) -> (Vec<Placed<'_>>, Vec<Placed<'_>>) {
    let (mut correspondents, mut threads) = (HashSet::new(), HashSet::new());
    waiting.into_iter().partition(|(_, (_, reply))| {
        let exchange = &reply.frozen.exchange;
        let is_first = correspondents.insert((exchange.mailbox, exchange.recipient.as_str()));
        threads.insert(exchange.thread) && is_first
    })
}

async fn freeze_round(
    tx: &mut Tx,
    round: Vec<Placed<'_>>,
    now: Timestamp,
    outcomes: &mut HashMap<usize, Result<(), Refusal>>,
) -> Result<(), StoreError> {
    let exchanges: Vec<&Exchange> = round.iter().map(|(_, (_, reply))| &reply.frozen.exchange).collect();
    let counts = brakes::count_together(tx, &exchanges, now).await?;
    let mut of_agents: HashMap<AgentId, i64> = HashMap::new();
    let mut rows = Rows::default();
    for ((place, (lease, reply)), mut counts) in round.into_iter().zip(counts) {
        let exchange = &reply.frozen.exchange;
        let of_agent = of_agents.entry(exchange.agent).or_default();
        counts.add_of_agent(*of_agent);
        let outcome = match reply.brakes.and_then(|brakes| counts.refusal(exchange, brakes)) {
            Some(refusal) => Err(refusal),
            None => {
                *of_agent = of_agent.saturating_add(1);
                rows.push(lease, reply, &counts);
                Ok(())
            }
        };
        outcomes.insert(place, outcome);
    }
    rows.insert(tx, now).await
}

/// The replies of a round that are to be written.
#[derive(Default)]
struct Rows<'a> {
    leases: Vec<Lease>,
    replies: Vec<&'a NewReply>,
    quick_exchanges: Vec<i64>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, lease: Lease, reply: &'a NewReply, counts: &Counts) {
        self.leases.push(lease);
        self.replies.push(reply);
        self.quick_exchanges.push(counts.quick_exchanges(&reply.frozen.exchange));
    }

    async fn insert(self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        if self.replies.is_empty() {
            return Ok(());
        }
        match tx.database() {
            Database::File(db) => self.insert_on_file(db, now).await,
            Database::Server(db) => self.insert_on_server(db, now).await,
        }
    }

    async fn insert_on_file(self, db: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
        let mut query = QueryBuilder::default();
        let rows = self.leases.iter().zip(&self.replies);
        push_asked(&mut query, "run_id, user_id, agent_id, created_at", rows, |mut row, (lease, reply)| {
            row.push_bind(lease.run)
                .push_bind(lease.user)
                .push_bind(reply.frozen.exchange.agent)
                .push_bind(now);
        });
        query.push(SQLITE_ADD);
        let rows = self.leases.iter().zip(&self.replies).zip(self.quick_exchanges);
        push_asked(&mut query, OUTBOX_COLUMNS, rows, |mut row, ((lease, reply), quick_exchanges)| {
            let NewReply { frozen, .. } = reply;
            let exchange = &frozen.exchange;
            row.push_bind(lease.run)
                .push_bind(lease.user)
                .push_bind(exchange.mailbox)
                .push_bind(exchange.thread)
                .push_bind(frozen.rfc_message_id.as_str())
                .push_bind(&exchange.recipient)
                .push_bind(lease.epoch)
                .push_bind(exchange.agent)
                .push_bind(exchange.question_hash.map(Vec::from))
                .push_bind(exchange.answer_hash.map(Vec::from))
                .push_bind(quick_exchanges)
                .push_bind("ready")
                .push_bind(now);
        });
        query.push(SQLITE_INSERT);
        let rows = self.leases.iter().zip(&self.replies);
        push_asked(&mut query, "run_id, raw", rows, |mut row, (lease, reply)| {
            row.push_bind(lease.run).push_bind(&reply.frozen.raw);
        });
        query.push(SQLITE_INSERT_BYTES).build().execute(db).await?;
        Ok(())
    }

    async fn insert_on_server(self, db: &mut PgConnection, now: Timestamp) -> Result<(), StoreError> {
        let exchanges = self.replies.iter().map(|reply| &reply.frozen.exchange);
        let frozen = self.replies.iter().map(|reply| &reply.frozen);
        sqlx::query(POSTGRES_INSERT)
            .bind(self.leases.iter().map(|lease| lease.run).collect::<Vec<_>>())
            .bind(self.leases.iter().map(|lease| lease.user).collect::<Vec<_>>())
            .bind(exchanges.clone().map(|exchange| exchange.mailbox).collect::<Vec<_>>())
            .bind(exchanges.clone().map(|exchange| exchange.thread).collect::<Vec<_>>())
            .bind(frozen.clone().map(|frozen| frozen.rfc_message_id.as_str()).collect::<Vec<_>>())
            .bind(exchanges.clone().map(|exchange| exchange.recipient.as_str()).collect::<Vec<_>>())
            .bind(frozen.map(|frozen| frozen.raw.as_slice()).collect::<Vec<_>>())
            .bind(self.leases.iter().map(|lease| lease.epoch).collect::<Vec<_>>())
            .bind(now)
            .bind(exchanges.clone().map(|exchange| exchange.agent).collect::<Vec<_>>())
            .bind(exchanges.clone().map(|exchange| exchange.question_hash.map(Vec::from)).collect::<Vec<_>>())
            .bind(exchanges.map(|exchange| exchange.answer_hash.map(Vec::from)).collect::<Vec<_>>())
            .bind(self.quick_exchanges)
            .execute(db)
            .await?;
        Ok(())
    }
}

macro_rules! outbox {
    () => {
        "run_id, user_id, mailbox_id, thread_id, rfc_message_id, recipient, epoch, agent_id, question_hash,
            answer_hash, quick_exchanges, state, created_at"
    };
}

macro_rules! insert {
    () => {
        concat!("INSERT INTO outbox (", outbox!(), ") ")
    };
}

macro_rules! unless_there {
    () => {
        " ON CONFLICT (run_id) DO NOTHING"
    };
}

/// Adds replies to their agents' hours. Slots are from a time when an agent's replies were counted side by side.
macro_rules! add {
    ($frozen:literal) => {
        concat!(
            "INSERT INTO agent_hours (agent_id, hour, slot, user_id, replies)
             SELECT agent_id, created_at / 3600000, 0, user_id, COUNT(*) FROM ",
            $frozen,
            " GROUP BY 1, 2, 4
             ON CONFLICT (agent_id, hour, slot) DO UPDATE SET replies = agent_hours.replies + EXCLUDED.replies"
        )
    };
}

// The hours come first, while it can be seen which of the replies are new.
const OUTBOX_COLUMNS: &str = outbox!();
const SQLITE_ADD: &str =
    concat!(add!("asked WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE run_id = asked.run_id)"), ";");
const SQLITE_INSERT: &str = concat!(insert!(), "SELECT * FROM asked WHERE TRUE", unless_there!(), ";");
const SQLITE_INSERT_BYTES: &str =
    concat!("INSERT INTO outbox_bytes (run_id, raw) SELECT * FROM asked WHERE TRUE", unless_there!());

const POSTGRES_INSERT: &str = concat!(
    "WITH replies AS (
        SELECT * FROM UNNEST($1::UUID[], $2::UUID[], $3::UUID[], $4::UUID[], $5::TEXT[], $6::TEXT[], $7::BYTEA[],
            $8::BIGINT[], $10::UUID[], $11::BYTEA[], $12::BYTEA[], $13::BIGINT[])
        AS replies (run_id, user_id, mailbox_id, thread_id, rfc_message_id, recipient, raw, epoch, agent_id,
            question_hash, answer_hash, quick_exchanges)
    ), frozen AS (",
    insert!(),
    "SELECT run_id, user_id, mailbox_id, thread_id, rfc_message_id, recipient, epoch, agent_id, question_hash,
        answer_hash, quick_exchanges, 'ready', $9 FROM replies",
    unless_there!(),
    " RETURNING agent_id, created_at, user_id
    ), kept AS (INSERT INTO outbox_bytes (run_id, raw) SELECT run_id, raw FROM replies",
    unless_there!(),
    ") ",
    add!("frozen")
);
