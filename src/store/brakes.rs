//! Brakes against loops: how many replies there were already, counted in the transaction that would add one more
//! (EM-27, EM-28). On PostgreSQL advisory locks make the counting strict: replies that are counted together are
//! frozen one after the other.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::Row as _;

use super::claims::Lease;
use super::pool::{Tx, on_pool, on_tx};
use super::suppressions::Reason;
use super::{AgentId, MailboxId, RunId, Store, StoreError, ThreadId, UserId};
use crate::clock::Timestamp;

/// The most replies, whatever the other side does (EM-27).
#[derive(Clone, Copy, Debug)]
pub struct Brakes {
    /// To one correspondent from one mailbox within 10 minutes.
    pub per_correspondent_10_minutes: i64,
    /// To one correspondent from one mailbox within a day.
    pub per_correspondent_day: i64,
    /// In one thread within a day.
    pub per_thread_day: i64,
    /// Of one agent within a day, which begins with an hour.
    pub per_agent_day: i64,
}

/// Which brake holds a reply back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Automation has stopped for this correspondent or this thread.
    Suppressed(Reason),
    /// Too many to this correspondent within 10 minutes, or within a day.
    Correspondent,
    /// Too many in this thread within a day.
    Thread,
    /// Too many of this agent within a day.
    Agent,
    /// The question or the answer is the same as the last one of the thread.
    SameContent,
    /// The thread goes back and forth faster than people write.
    RobotSpeed,
}

/// What a reply would be to, for counting.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The owner.
    pub user: UserId,
    /// The run of the question; its own reply is never counted.
    pub run: RunId,
    /// The mailbox that the question came to.
    pub mailbox: MailboxId,
    /// Its thread.
    pub thread: ThreadId,
    /// Who answers.
    pub agent: AgentId,
    /// The one recipient, in comparable form.
    pub recipient: String,
    /// When the question was taken in.
    pub asked_at: Timestamp,
    /// Tells equal questions; `None` where it has no words.
    pub question_hash: Option<[u8; 32]>,
    /// Tells equal answers; `None` before there is one.
    pub answer_hash: Option<[u8; 32]>,
}

const TEN_MINUTES: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);
/// A question that follows our reply within this time was hardly typed by a person.
const QUICK: Duration = Duration::from_secs(60);
/// So many quick exchanges in a row pause a thread (EM-28).
const MOST_QUICK: i64 = 3;

/// What stands before a reply that is not frozen yet.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Counts {
    in_10_minutes: i64,
    in_a_day: i64,
    of_thread: i64,
    of_agent: i64,
    suppressed: Option<Reason>,
    last_question: Option<Vec<u8>>,
    last_answer: Option<Vec<u8>>,
    last_quick: Option<i64>,
    last_at: Option<Timestamp>,
}

/// The replies of a day to one correspondent, in one thread and of one agent, but this run's; and the thread's last.
/// An agent's day begins with the hour, so it has up to 25 of them.
const COUNT: &str = "WITH counted AS (
        SELECT CAST(COALESCE(SUM(CASE WHEN created_at > $4 THEN 1 ELSE 0 END), 0) AS BIGINT) AS in_10_minutes,
            CAST(COUNT(*) AS BIGINT) AS in_a_day
        FROM outbox WHERE user_id = $1 AND mailbox_id = $2 AND recipient = $3 AND created_at > $5 AND run_id <> $7
    ), last AS (
        SELECT question_hash, answer_hash, quick_exchanges, COALESCE(sent_at, created_at) AS at FROM outbox
        WHERE user_id = $1 AND thread_id = $6 AND run_id <> $7 ORDER BY created_at DESC LIMIT 1
    )
    SELECT in_10_minutes, in_a_day,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM outbox
         WHERE user_id = $1 AND thread_id = $6 AND created_at > $5 AND run_id <> $7) AS of_thread,
        (SELECT CAST(COALESCE(SUM(replies), 0) AS BIGINT) FROM agent_hours
         WHERE user_id = $1 AND agent_id = $8 AND hour >= $5 / 3600000)
        - (SELECT CAST(COUNT(*) AS BIGINT) FROM outbox
           WHERE user_id = $1 AND run_id = $7 AND agent_id = $8 AND created_at > $5) AS of_agent,
        (SELECT reason FROM suppressions
         WHERE user_id = $1 AND mailbox_id = $2 AND COALESCE(thread_id, $6) = $6
            AND address IN ($3, (SELECT correspondent FROM threads WHERE id = $6))
         ORDER BY created_at LIMIT 1) AS suppressed,
        last.question_hash AS last_question, last.answer_hash AS last_answer,
        last.quick_exchanges AS last_quick, last.at AS last_at
    FROM counted LEFT JOIN last ON TRUE";

/// Binds an [`Exchange`] to [`COUNT`].
macro_rules! counting {
    ($exchange:expr, $now:expr) => {
        sqlx::query_as(COUNT)
            .bind($exchange.user)
            .bind($exchange.mailbox)
            .bind(&$exchange.recipient)
            .bind($now.minus(TEN_MINUTES))
            .bind($now.minus(DAY))
            .bind($exchange.thread)
            .bind($exchange.run)
            .bind($exchange.agent)
    };
}

impl Store {
    /// Which brake would hold back a reply, so that no model is asked for one. Only [`Store::freeze_reply`] and
    /// [`Store::store_answer`] decide.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_refusal(
        &self,
        exchange: &Exchange,
        brakes: Brakes,
    ) -> Result<Option<Refusal>, StoreError> {
        let now = self.clock.now();
        let counts: Counts = on_pool!(&self.pool, db => counting!(exchange, now).fetch_one(db).await)?;
        Ok(counts.refusal(exchange, brakes))
    }
}

impl Counts {
    /// Which brake holds this exchange's reply back.
    pub(super) fn refusal(&self, exchange: &Exchange, brakes: Brakes) -> Option<Refusal> {
        if let Some(reason) = self.suppressed {
            return Some(Refusal::Suppressed(reason));
        }
        if self.in_10_minutes >= brakes.per_correspondent_10_minutes
            || self.in_a_day >= brakes.per_correspondent_day
        {
            return Some(Refusal::Correspondent);
        }
        if self.of_thread >= brakes.per_thread_day {
            return Some(Refusal::Thread);
        }
        if self.of_agent >= brakes.per_agent_day {
            return Some(Refusal::Agent);
        }
        if is_same(&self.last_question, exchange.question_hash)
            || is_same(&self.last_answer, exchange.answer_hash)
        {
            return Some(Refusal::SameContent);
        }
        (self.quick_exchanges(exchange) >= MOST_QUICK).then_some(Refusal::RobotSpeed)
    }

    /// How many exchanges in a row were quick, this one included.
    pub(super) fn quick_exchanges(&self, exchange: &Exchange) -> i64 {
        let is_quick = self
            .last_at
            .is_some_and(|last| last <= exchange.asked_at && exchange.asked_at < last.plus(QUICK));
        if is_quick { self.last_quick.unwrap_or(0).saturating_add(1) } else { 0 }
    }

    /// Whether this reply, counted beside so many that are not frozen yet, could be the one too many of its agent.
    pub(super) fn is_crowded(&self, brakes: Brakes, beside: i64) -> bool {
        let is_full = self.of_agent >= brakes.per_agent_day;
        beside > 0 && !is_full && self.of_agent.saturating_add(beside) >= brakes.per_agent_day
    }
}

fn is_same(last: &Option<Vec<u8>>, new: Option<[u8; 32]>) -> bool {
    last.as_deref().zip(new).is_some_and(|(last, new)| last == new)
}

/// Counts what stands before this exchange's reply.
pub(super) async fn count(tx: &mut Tx, exchange: &Exchange, now: Timestamp) -> Result<Counts, StoreError> {
    Ok(on_tx!(tx, db => counting!(exchange, now).fetch_one(&mut *db).await)?)
}

/// How a reply is kept from being counted beside others of the same agent. One lock for each agent would let it
/// freeze one reply per commit; so many share it while the limit is far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AgentLock {
    /// Beside others: only as good as [`Counts::is_crowded`] says.
    Shared,
    /// Alone.
    Alone,
}

/// Keeps other replies to the same correspondent, of the same thread and of the same agent from being counted until
/// this transaction has ended, if the lease holds. Answers how many replies can be at work beside this one, which is
/// none where there is one writer only; `None` where the lease is lost.
///
/// Locks are taken in the order run, correspondent, thread, agent: so nobody waits in a circle.
pub(super) async fn lock(
    tx: &mut Tx,
    lease: Lease,
    exchange: &Exchange,
    agent: AgentLock,
) -> Result<Option<i64>, StoreError> {
    match tx {
        Tx::Sqlite(_) => Ok(super::outbox::holds_lease(tx, lease).await?.then_some(0)),
        Tx::Postgres(db) => lock_counted(db, lease, exchange, agent).await,
        Tx::Single(db) => lock_counted(db, lease, exchange, agent).await,
    }
}

const LOCK: &str = "WITH held AS MATERIALIZED (
        SELECT 1 FROM runs WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL FOR UPDATE
    )
    SELECT pg_advisory_xact_lock(1, hashtext($4)), pg_advisory_xact_lock(2, hashtext($5)),
        CASE WHEN $7 THEN pg_advisory_xact_lock(3, hashtext($6)) ELSE pg_advisory_xact_lock_shared(3, hashtext($6)) END,
        CAST(current_setting('max_connections') AS BIGINT) AS most
    FROM held";

async fn lock_counted(
    db: &mut PgConnection,
    lease: Lease,
    exchange: &Exchange,
    agent: AgentLock,
) -> Result<Option<i64>, StoreError> {
    let row = sqlx::query(LOCK)
        .bind(lease.user)
        .bind(lease.run)
        .bind(lease.epoch)
        .bind(format!("{} {}", exchange.mailbox, exchange.recipient))
        .bind(exchange.thread.to_string())
        .bind(exchange.agent.to_string())
        .bind(agent == AgentLock::Alone)
        .fetch_optional(&mut *db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let most: i64 = row.try_get("most")?;
    Ok(Some(if agent == AgentLock::Alone { 0 } else { most }))
}
