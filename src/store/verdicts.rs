//! Ending a lease: what became of the run, written in batches and fenced by the lease's epoch.

use std::time::Duration;

use serde::Serialize;
use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

use super::claims::{Holder, Lease};
use super::notices::{self, NewNotice};
use super::pool::{Tx, on_tx};
use super::runs::RunState;
use super::{RunId, Store, StoreError, UserId, lease_clock};
use crate::clock::Timestamp;

/// When a run that is not finished is to be claimed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Never by itself: finished, held, or parked until a condition holds.
    Never,
    /// As soon as somebody is free.
    Now,
    /// Not before this much time has passed.
    After(Duration),
}

/// What became of a leased run.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The lease that ends with this.
    pub lease: Lease,
    /// The state the run goes to.
    pub state: RunState,
    /// Why, as a stable code.
    pub reason: Option<&'static str>,
    /// A bounded code that makes the reason precise (an error class, a reply code).
    pub detail: Option<String>,
    /// When it is to be claimed again.
    pub due: Due,
    /// Whether this was a failed attempt.
    pub counts: bool,
    /// Whether the process was about to run it and did not: its crash record stays.
    pub untouched: bool,
}

impl Verdict {
    /// The run goes back as it was, without an attempt counted: it was not started, or not to its end.
    pub const fn hand_back(lease: Lease) -> Self {
        Self {
            lease,
            state: RunState::Queued,
            reason: None,
            detail: None,
            due: Due::Now,
            counts: false,
            untouched: true,
        }
    }

    /// Whether the run is to wait without a failed attempt: what it waits for may have come while it was worked on.
    fn awaits(&self) -> bool {
        self.state == RunState::Waiting && !self.counts
    }
}

/// The agent that wrote the run's reply, or made its last call; one that was noted counts where there is neither.
macro_rules! agent_of_run {
    () => {
        "COALESCE((SELECT outbox.agent_id FROM outbox WHERE outbox.run_id = runs.id), (SELECT provider_calls.agent_id FROM provider_calls
            WHERE provider_calls.run_id = runs.id AND provider_calls.user_id = runs.user_id
            ORDER BY provider_calls.id DESC LIMIT 1), agent_id)"
    };
}

// A leased run is a running one; asking for `lease_until` instead would tempt the planner to the index of leases,
// which is full of those that have just ended.
const POSTGRES_END: &str = concat!(
    "WITH verdict AS (
    SELECT * FROM UNNEST($1::UUID[], $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[],
                         $7::BIGINT[], $8::BIGINT[], $9::BOOLEAN[], $10::BOOLEAN[])
        AS verdict (id, epoch, state, reason, detail, due_in, counts, finished_at, untouched, awaits)
), locked AS (
    SELECT user_id FROM lanes WHERE user_id IN (SELECT UNNEST($11::UUID[])) ORDER BY user_id FOR UPDATE
), ended AS (
    UPDATE runs SET reason = verdict.reason, detail = verdict.detail, woken = FALSE, agent_id = ",
    agent_of_run!(),
    ",
        state = CASE WHEN woken AND verdict.awaits THEN 'queued' ELSE verdict.state END,
        due_at = now_millis() + CASE WHEN woken AND verdict.awaits THEN 0 ELSE verdict.due_in END, attempt = attempt + verdict.counts,
        crash_count = CASE WHEN verdict.untouched THEN crash_count ELSE 0 END,
        finished_at = verdict.finished_at, lease_owner = NULL, lease_until = NULL
    FROM verdict WHERE runs.id = verdict.id AND runs.lease_epoch = verdict.epoch
        AND runs.state = 'running' AND (SELECT COUNT(*) FROM locked) >= 0
    RETURNING runs.id, runs.user_id, runs.state, verdict.epoch, verdict.finished_at
), settled AS (
    UPDATE outbox SET state = 'sent', epoch = ended.epoch, sent_at = ended.finished_at
    FROM ended WHERE outbox.run_id = ended.id AND outbox.state = 'sending' AND ended.state = 'replied'
), counted AS (
    SELECT user_id, COUNT(*) AS runs FROM ended GROUP BY user_id
), updated AS (
    UPDATE lanes SET running = running - counted.runs FROM counted WHERE lanes.user_id = counted.user_id
)
SELECT id FROM ended"
);

// What depends on the lease comes before its end.
const SQLITE_END: &str = concat!(
    "UPDATE lanes SET running = running - counted.runs
    FROM (SELECT runs.user_id, COUNT(DISTINCT runs.id) AS runs FROM json_each($1) AS verdict
        CROSS JOIN runs ON runs.id = unhex(verdict.value ->> 'id')
            AND runs.lease_epoch = verdict.value ->> 'epoch' AND runs.lease_until IS NOT NULL
        GROUP BY runs.user_id) AS counted
    WHERE lanes.user_id = counted.user_id;

    UPDATE outbox SET state = 'sent', sent_at = $2, epoch = runs.lease_epoch
    FROM json_each($1) AS verdict
        CROSS JOIN runs ON runs.id = unhex(verdict.value ->> 'id')
            AND runs.lease_epoch = verdict.value ->> 'epoch' AND runs.lease_until IS NOT NULL
    WHERE verdict.value ->> 'state' = 'replied' AND outbox.run_id = runs.id AND outbox.state = 'sending';

    UPDATE runs SET reason = verdict.reason, detail = verdict.detail, woken = FALSE, agent_id = ",
    agent_of_run!(),
    ",
        state = CASE WHEN woken AND verdict.awaits THEN 'queued' ELSE verdict.state END,
        due_at = CASE WHEN woken AND verdict.awaits THEN $2 ELSE verdict.due_at END, attempt = attempt + verdict.counts,
        crash_count = CASE WHEN verdict.untouched THEN crash_count ELSE 0 END,
        finished_at = verdict.finished_at, lease_owner = NULL, lease_until = NULL
    FROM (SELECT unhex(value ->> 'id') AS id, value ->> 'epoch' AS epoch, value ->> 'state' AS state,
        value ->> 'reason' AS reason, value ->> 'detail' AS detail, value ->> 'due_at' AS due_at,
        value ->> 'counts' AS counts, value ->> 'finished_at' AS finished_at,
        value ->> 'untouched' AS untouched, value ->> 'awaits' AS awaits FROM json_each($1)) AS verdict
    WHERE runs.id = verdict.id AND runs.lease_epoch = verdict.epoch AND runs.lease_until IS NOT NULL
    RETURNING runs.id"
);

impl Store {
    /// Ends these leases in one commit and answers which of them were still held; the others had passed to
    /// somebody else and nothing was written for them. With a run that ends as replied, its reply becomes `sent`.
    ///
    /// # Errors
    /// Where the database does not answer; then all leases still stand.
    pub async fn end_leases(&self, mut verdicts: Vec<Verdict>) -> Result<Vec<RunId>, StoreError> {
        verdicts.sort_unstable_by_key(|verdict| verdict.lease.run);
        let now = self.clock.now();
        let wakes = verdicts.iter().any(|verdict| verdict.due == Due::Now);
        let ended = self
            .write_step(move |tx| {
                Box::pin(async move {
                    match tx {
                        Tx::Sqlite(db) => end_sqlite(db, &verdicts, now).await,
                        Tx::Server(db) => end_postgres(db, &verdicts, now).await,
                    }
                })
            })
            .await?;
        if wakes {
            self.wake_queue();
        }
        Ok(ended)
    }

    /// Keeps this process's leases for another `lease`, and answers which it still holds.
    ///
    /// # Errors
    /// Where the database does not answer; then nothing is known.
    pub async fn renew_leases(&self, holder: Holder, lease: Duration) -> Result<Vec<Lease>, StoreError> {
        let clock = self.clock.clone();
        self.write_one(move |tx| {
            Box::pin(async move {
                let until = lease_clock(tx, &clock).await?.plus(lease);
                let statement = match tx {
                    Tx::Sqlite(_) => SQLITE_RENEW,
                    Tx::Server(_) => POSTGRES_RENEW,
                };
                Ok(on_tx!(tx, db => sqlx::query_as(statement)
                    .bind(holder.uuid()).bind(until).fetch_all(&mut *db).await)?)
            })
        })
        .await
    }

    /// Takes back the leases of processes that died: their runs become due again with one more crash on record,
    /// or are quarantined once they have `max_crashes`. With `everyone`, all leases count as dead (the start of
    /// the only process of a SQLite file). The owners of quarantined runs are told.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn reap_leases(
        &self,
        max_crashes: u32,
        everyone: bool,
        tell: fn(RunId, UserId, u32) -> NewNotice,
    ) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        let reaped: Vec<Reaped> = self
            .write(move |tx| {
                Box::pin(async move {
                    let now = lease_clock(tx, &clock).await?;
                    let dead_before = if everyone { Timestamp::from_millis(i64::MAX) } else { now };
                    let statement = match tx {
                        Tx::Sqlite(_) => SQLITE_REAP,
                        Tx::Server(_) => POSTGRES_REAP,
                    };
                    let reaped: Vec<Reaped> = on_tx!(tx, db => sqlx::query_as(statement)
                        .bind(dead_before).bind(i64::from(max_crashes)).bind(now)
                        .fetch_all(&mut *db).await)?;
                    for run in &reaped {
                        on_tx!(tx, db => sqlx::query(
                            "UPDATE lanes SET running = running - 1 WHERE user_id = $1")
                            .bind(run.user_id).execute(&mut *db).await.map(drop))?;
                        if run.quarantined {
                            notices::give(tx, tell(run.id, run.user_id, max_crashes), &clock).await?;
                        }
                    }
                    Ok(reaped)
                })
            })
            .await?;
        if !reaped.is_empty() {
            tracing::warn!(runs = reaped.len(), "took back runs whose process died");
            self.wake_queue();
        }
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct Reaped {
    id: RunId,
    user_id: UserId,
    quarantined: bool,
}

const SQLITE_RENEW: &str = "UPDATE runs SET lease_until = $2
    WHERE lease_until IS NOT NULL AND lease_owner = $1 RETURNING id, user_id, lease_epoch";

// A run that somebody has locked is renewed the next time: no lease is to end because of another one's wait.
const POSTGRES_RENEW: &str = "WITH free AS (
    SELECT id FROM runs WHERE lease_until IS NOT NULL AND lease_owner = $1 FOR UPDATE SKIP LOCKED
), renewed AS (
    UPDATE runs SET lease_until = $2 FROM free
    WHERE runs.id = free.id AND lease_until IS NOT NULL AND lease_owner = $1
)
SELECT id, user_id, lease_epoch FROM runs WHERE lease_until IS NOT NULL AND lease_owner = $1";

macro_rules! reap {
    ($dead:literal) => { concat!(
    "UPDATE runs SET crash_count = crash_count + 1, lease_owner = NULL, lease_until = NULL, agent_id = ",
    agent_of_run!(),
    ",
        state = CASE WHEN crash_count + 1 >= $2 THEN 'quarantined' ELSE 'queued' END,
        reason = CASE WHEN crash_count + 1 >= $2 THEN 'crashes' ELSE NULL END,
        due_at = CASE WHEN crash_count + 1 >= $2 THEN NULL ELSE $3 END,
        finished_at = CASE WHEN crash_count + 1 >= $2 THEN $3 ELSE NULL END
    WHERE lease_until IS NOT NULL AND lease_until < $1",
    $dead,
    " RETURNING id, user_id, (state = 'quarantined') AS quarantined"
) } }

const SQLITE_REAP: &str = reap!("");
// Lanes before runs, as in claims and verdicts. What somebody has locked is looked at the next time.
const POSTGRES_REAP: &str = concat!(
    "WITH lane AS MATERIALIZED (
    SELECT user_id FROM lanes
    WHERE user_id IN (SELECT user_id FROM runs WHERE lease_until IS NOT NULL AND lease_until < $1)
    FOR UPDATE SKIP LOCKED
), dead AS MATERIALIZED (
    SELECT id FROM runs WHERE lease_until IS NOT NULL AND lease_until < $1 AND user_id IN (SELECT user_id FROM lane)
    FOR UPDATE SKIP LOCKED
) ",
    reap!(" AND id IN (SELECT id FROM dead)")
);

/// One verdict as the JSON that SQLite reads.
#[derive(Serialize)]
struct Ending<'a> {
    id: String,
    epoch: i64,
    state: &'a str,
    reason: Option<&'a str>,
    detail: Option<&'a str>,
    due_at: Option<i64>,
    counts: i64,
    finished_at: Option<i64>,
    untouched: bool,
    awaits: bool,
}

async fn end_sqlite(
    db: &mut SqliteConnection,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Vec<RunId>, StoreError> {
    let endings: Vec<Ending<'_>> = verdicts.iter().map(|verdict| ending(verdict, now)).collect();
    let json = serde_json::to_string(&endings).unwrap_or_default();
    Ok(sqlx::query_scalar(SQLITE_END).bind(json).bind(now).fetch_all(db).await?)
}

fn ending(verdict: &Verdict, now: Timestamp) -> Ending<'_> {
    Ending {
        id: verdict.lease.run.uuid().simple().to_string(),
        epoch: verdict.lease.epoch,
        state: verdict.state.as_str(),
        reason: verdict.reason,
        detail: verdict.detail.as_deref(),
        due_at: due_in(verdict.due).map(|millis| now.millis().saturating_add(millis)),
        counts: i64::from(verdict.counts),
        finished_at: verdict.state.is_end().then_some(now.millis()),
        untouched: verdict.untouched,
        awaits: verdict.awaits(),
    }
}

async fn end_postgres(
    db: &mut PgConnection,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Vec<RunId>, StoreError> {
    let column = |pick: fn(&Verdict) -> i64| verdicts.iter().map(pick).collect::<Vec<i64>>();
    let ids: Vec<Uuid> = verdicts.iter().map(|verdict| verdict.lease.run.uuid()).collect();
    let users: Vec<Uuid> = verdicts.iter().map(|verdict| verdict.lease.user.uuid()).collect();
    Ok(sqlx::query_scalar(POSTGRES_END)
        .bind(ids)
        .bind(column(|verdict| verdict.lease.epoch))
        .bind(verdicts.iter().map(|verdict| verdict.state.as_str()).collect::<Vec<_>>())
        .bind(verdicts.iter().map(|verdict| verdict.reason).collect::<Vec<_>>())
        .bind(verdicts.iter().map(|verdict| verdict.detail.clone()).collect::<Vec<_>>())
        .bind(verdicts.iter().map(|verdict| due_in(verdict.due)).collect::<Vec<_>>())
        .bind(column(|verdict| i64::from(verdict.counts)))
        .bind(
            verdicts.iter().map(|verdict| verdict.state.is_end().then_some(now.millis())).collect::<Vec<_>>(),
        )
        .bind(verdicts.iter().map(|verdict| verdict.untouched).collect::<Vec<_>>())
        .bind(verdicts.iter().map(Verdict::awaits).collect::<Vec<_>>())
        .bind(users)
        .fetch_all(&mut *db)
        .await?)
}

fn due_in(due: Due) -> Option<i64> {
    match due {
        Due::Never => None,
        Due::Now => Some(0),
        Due::After(delay) => Some(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)),
    }
}
