//! Brakes against loops: how many replies there were already, counted in the transaction that would add one more
//! (EM-27, EM-28). On PostgreSQL advisory locks make the counting strict: replies that count for each other are
//! frozen one after the other.

use std::time::Duration;

use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

use super::asked_rows::push_asked;
use super::group::Ask;
use super::pool::{Database, Tx};
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
macro_rules! counts {
    ($last:literal) => {
        concat!(
            "SELECT
                (SELECT CAST(COUNT(*) AS BIGINT) FROM outbox
                 WHERE user_id = asked.user_id AND mailbox_id = asked.mailbox_id AND recipient = asked.recipient
                    AND created_at > ten_minutes_ago AND run_id <> asked.run_id) AS in_10_minutes,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM outbox
                 WHERE user_id = asked.user_id AND mailbox_id = asked.mailbox_id AND recipient = asked.recipient
                    AND created_at > day_ago AND run_id <> asked.run_id) AS in_a_day,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM outbox
                 WHERE user_id = asked.user_id AND thread_id = asked.thread_id
                    AND created_at > day_ago AND run_id <> asked.run_id) AS of_thread,
                (SELECT CAST(COALESCE(SUM(replies), 0) AS BIGINT) FROM agent_hours
                 WHERE user_id = asked.user_id AND agent_id = asked.agent_id AND hour >= day_ago / 3600000)
                - (SELECT CAST(COUNT(*) AS BIGINT) FROM outbox
                   WHERE user_id = asked.user_id AND run_id = asked.run_id AND agent_id = asked.agent_id
                      AND created_at > day_ago) AS of_agent,
                (SELECT reason FROM suppressions
                 WHERE user_id = asked.user_id AND mailbox_id = asked.mailbox_id
                    AND COALESCE(thread_id, asked.thread_id) = asked.thread_id
                    AND address IN (asked.recipient, (SELECT correspondent FROM threads WHERE id = asked.thread_id))
                 ORDER BY created_at LIMIT 1) AS suppressed,
                last.question_hash AS last_question, last.answer_hash AS last_answer,
                last.quick_exchanges AS last_quick, COALESCE(last.sent_at, last.created_at) AS last_at
            FROM asked LEFT JOIN ",
            $last,
            " ORDER BY position"
        )
    };
}

macro_rules! columns {
    () => {
        "user_id, mailbox_id, recipient, ten_minutes_ago, day_ago, thread_id, run_id, agent_id, position"
    };
}

const EXCHANGE_COLUMNS: &str = columns!();

const SQLITE_COUNT: &str = counts!(
    "outbox AS last ON last.run_id = (SELECT run_id FROM outbox
        WHERE user_id = asked.user_id AND thread_id = asked.thread_id AND run_id <> asked.run_id
        ORDER BY created_at DESC LIMIT 1)"
);
// The last ones are looked up one by one, so that no guess of the planner's makes it read the table through.
const POSTGRES_COUNT: &str = concat!(
    "WITH asked (",
    columns!(),
    ") AS (SELECT * FROM UNNEST($1::UUID[], $2::UUID[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::UUID[], $7::UUID[],
        $8::UUID[]) WITH ORDINALITY) ",
    counts!(
        "LATERAL (SELECT question_hash, answer_hash, quick_exchanges, sent_at, created_at FROM outbox
            WHERE user_id = asked.user_id AND thread_id = asked.thread_id AND run_id <> asked.run_id
            ORDER BY created_at DESC LIMIT 1) AS last ON TRUE"
    )
);

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
        let counts = self.pool.groups().counts.ask(Counting { exchange: exchange.clone(), now }).await?;
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

    /// Counts replies of the same agent that are about to be frozen with this one.
    pub(super) fn add_of_agent(&mut self, replies: i64) {
        self.of_agent = self.of_agent.saturating_add(replies);
    }
}

fn is_same(last: &Option<Vec<u8>>, new: Option<[u8; 32]>) -> bool {
    last.as_deref().zip(new).is_some_and(|(last, new)| last == new)
}

/// A question for what stands before a reply.
pub(super) struct Counting {
    exchange: Exchange,
    now: Timestamp,
}

impl Ask for Counting {
    type Answer = Counts;

    async fn answer(tx: &mut Tx, asks: &[Self]) -> Result<Vec<Counts>, StoreError> {
        let Some(now) = asks.iter().map(|ask| ask.now).max() else { return Ok(Vec::new()) };
        let exchanges: Vec<&Exchange> = asks.iter().map(|ask| &ask.exchange).collect();
        count_together(tx, &exchanges, now).await
    }
}

/// Counts what stands before the reply of each of these exchanges, without each other.
pub(super) async fn count_together(
    tx: &mut Tx,
    exchanges: &[&Exchange],
    now: Timestamp,
) -> Result<Vec<Counts>, StoreError> {
    match tx.database() {
        Database::File(db) => count_on_file(db, exchanges, now).await,
        Database::Server(db) => count_on_server(db, exchanges, now).await,
    }
}

async fn count_on_file(
    db: &mut SqliteConnection,
    exchanges: &[&Exchange],
    now: Timestamp,
) -> Result<Vec<Counts>, StoreError> {
    let mut query = QueryBuilder::default();
    push_asked(&mut query, EXCHANGE_COLUMNS, (0_i64..).zip(exchanges), |mut row, (position, exchange)| {
        row.push_bind(exchange.user)
            .push_bind(exchange.mailbox)
            .push_bind(&exchange.recipient)
            .push_bind(now.minus(TEN_MINUTES))
            .push_bind(now.minus(DAY))
            .push_bind(exchange.thread)
            .push_bind(exchange.run)
            .push_bind(exchange.agent)
            .push_bind(position);
    });
    Ok(query.push(SQLITE_COUNT).build_query_as().fetch_all(db).await?)
}

async fn count_on_server(
    db: &mut PgConnection,
    exchanges: &[&Exchange],
    now: Timestamp,
) -> Result<Vec<Counts>, StoreError> {
    let all = exchanges.iter();
    Ok(sqlx::query_as(POSTGRES_COUNT)
        .bind(all.clone().map(|exchange| exchange.user).collect::<Vec<_>>())
        .bind(all.clone().map(|exchange| exchange.mailbox).collect::<Vec<_>>())
        .bind(all.clone().map(|exchange| exchange.recipient.as_str()).collect::<Vec<_>>())
        .bind(vec![now.minus(TEN_MINUTES); exchanges.len()])
        .bind(vec![now.minus(DAY); exchanges.len()])
        .bind(all.clone().map(|exchange| exchange.thread).collect::<Vec<_>>())
        .bind(all.clone().map(|exchange| exchange.run).collect::<Vec<_>>())
        .bind(all.map(|exchange| exchange.agent).collect::<Vec<_>>())
        .fetch_all(db)
        .await?)
}

/// Locks what is counted, by kinds and names ([`Counted`]). Everybody locks in the order correspondent, thread, agent, and
/// each of these in the order of the numbers, so that nobody waits in a circle.
macro_rules! lock_counted {
    ($kinds:literal, $names:literal) => {
        concat!(
            "SELECT pg_advisory_xact_lock(kind, number) FROM (
                SELECT DISTINCT kind, hashtext(name) AS number
                FROM UNNEST(",
            $kinds,
            "::INT[], ",
            $names,
            "::TEXT[]) AS counted (kind, name) ORDER BY kind, number
            ) AS counted"
        )
    };
}
pub(super) use lock_counted;

/// What is counted for these replies, as a server locks it.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) kinds: Vec<i32>,
    pub(super) names: Vec<String>,
}

impl Counted {
    pub(super) fn add(&mut self, exchange: &Exchange) {
        self.kinds.extend([1, 2, 3]);
        self.names.push(format!("{} {}", exchange.mailbox, exchange.recipient));
        self.names.extend([exchange.thread.to_string(), exchange.agent.to_string()]);
    }
}

/// Keeps other replies to the same correspondent, of the same thread and of the same agent from being counted until
/// this transaction has ended. A file has one writer, who needs no lock.
pub(super) async fn lock(tx: &mut Tx, exchange: &Exchange) -> Result<(), StoreError> {
    let Database::Server(db) = tx.database() else { return Ok(()) };
    let mut counted = Counted::default();
    counted.add(exchange);
    sqlx::query(lock_counted!("$1", "$2")).bind(counted.kinds).bind(counted.names).execute(db).await?;
    Ok(())
}
