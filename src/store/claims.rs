//! Claiming runs under a lease: fair between users, never above a user's cap, suspects one at a time.
//!
//! Who is served next is read from `lanes`, one row per user with its number of leased runs. The users with a
//! backlog are found by skipping through the partial index `runs_due` from user to user, so the cost of a claim
//! depends on how many users wait and not on how many runs do.

use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

use super::pool::{Pool, Tx, on_server};
use super::{RunId, Store, StoreError, UserId};
use crate::clock::{Clock, Timestamp};

/// The process that holds leases; random for every start, so a restart is never taken for its predecessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(Uuid);

impl Holder {
    /// A name for this start of the process.
    pub fn new(clock: &Clock) -> Self {
        Self(clock.new_uuid())
    }

    /// The bare UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

/// The right to work on a run: void as soon as the epoch in the row is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::FromRow)]
pub struct Lease {
    /// The run.
    #[sqlx(rename = "id")]
    pub run: RunId,
    /// Its owner.
    #[sqlx(rename = "user_id")]
    pub user: UserId,
    /// Grows with every claim of this run.
    #[sqlx(rename = "lease_epoch")]
    pub epoch: i64,
}

/// A claimed run.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Claim {
    /// The run.
    pub id: RunId,
    /// Its owner.
    pub user_id: UserId,
    /// The lease's epoch.
    pub lease_epoch: i64,
    /// Failed attempts so far.
    pub attempt: i64,
    /// How often the process died with this run in hand.
    pub crash_count: i64,
    /// Whether the owner has said that it is to be sent: a draft, or an ambiguous mail once more.
    pub resend: bool,
}

impl Claim {
    /// The right that comes with the claim.
    pub const fn lease(&self) -> Lease {
        Lease { run: self.id, user: self.user_id, epoch: self.lease_epoch }
    }
}

/// How much may be claimed.
#[derive(Clone, Copy, Debug)]
pub struct ClaimLimits {
    /// Most runs in this claim.
    pub most: usize,
    /// Most leased runs of one user over all processes.
    pub per_user: u32,
    /// How long the lease lasts unless renewed.
    pub lease: Duration,
}

/// The users with waiting runs and the earliest due time of each, found by skipping from user to user.
macro_rules! postgres_backlog {
    () => {
        "WITH RECURSIVE clock AS MATERIALIZED (
    SELECT now_millis() AS now
), backlog (user_id, due_at) AS (
    (SELECT user_id, due_at FROM runs WHERE due_at IS NOT NULL AND crash_count = 0
     ORDER BY user_id, due_at LIMIT 1)
    UNION ALL
    SELECT next.user_id, next.due_at FROM backlog CROSS JOIN LATERAL (
        SELECT user_id, due_at FROM runs
        WHERE due_at IS NOT NULL AND crash_count = 0 AND user_id > backlog.user_id
        ORDER BY user_id, due_at LIMIT 1) next
)"
    };
}

/// A server's claim is shared by about so many users at least, where so many wait: the runs of one would only queue for
/// the few connections that their mail server allows.
const FEWEST_USERS: i64 = 4;

// As many users are locked as that, or as it takes to fill the claim if these are more, so that another process, or the
// end of leases in this one, finds the others free. `ANY (ARRAY(..))` is always looked up by key, however wrong the
// planner's guess is.
const POSTGRES_CLAIM: &str = concat!(
    postgres_backlog!(),
    ", served AS (
    SELECT user_id, $2 - running AS free FROM lanes
    WHERE running < $2 AND user_id IN (SELECT user_id FROM backlog WHERE due_at <= (SELECT now FROM clock))
    ORDER BY last_served, user_id LIMIT GREATEST(($1 + $2 - 1) / $2, LEAST($1, $5)) FOR UPDATE SKIP LOCKED
), shares AS (
    SELECT ($1 + COUNT(*) - 1) / GREATEST(COUNT(*), 1) AS share FROM served
), picked AS (
    SELECT due.id FROM served CROSS JOIN LATERAL (
        SELECT id FROM runs
        WHERE user_id = served.user_id AND due_at <= (SELECT now FROM clock) AND crash_count = 0
        ORDER BY due_at, id LIMIT LEAST(served.free, (SELECT share FROM shares))) due
    LIMIT $1
), claimed AS (
    UPDATE runs SET state = 'running', reason = NULL, detail = NULL, due_at = NULL,
        lease_owner = $3, lease_epoch = lease_epoch + 1, lease_until = (SELECT now FROM clock) + $4
    WHERE id = ANY (ARRAY(SELECT id FROM picked)) AND due_at IS NOT NULL
    RETURNING id, user_id, lease_epoch, attempt, crash_count, resend
), counted AS (
    SELECT user_id, COUNT(*) AS runs FROM claimed GROUP BY user_id
), updated AS (
    UPDATE lanes SET running = running + counted.runs, last_served = (SELECT now FROM clock)
    FROM counted WHERE lanes.user_id = counted.user_id
)
SELECT id, user_id, lease_epoch, attempt, crash_count, resend FROM claimed"
);

const POSTGRES_NEXT_DUE: &str = concat!(
    postgres_backlog!(),
    ", next (due_at) AS (
    SELECT MIN(due_at) FROM backlog WHERE due_at > (SELECT now - $1 FROM clock)
    UNION ALL
    SELECT MIN(due_at) FROM runs WHERE due_at > (SELECT now - $1 FROM clock) AND crash_count > 0
)
SELECT MIN(due_at) - (SELECT now FROM clock) FROM next"
);

const POSTGRES_CLAIM_SUSPECT: &str = "WITH suspect AS (
    SELECT runs.id, runs.user_id FROM runs JOIN lanes ON lanes.user_id = runs.user_id
    WHERE due_at <= now_millis() AND crash_count > 0 AND running < $1
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE runs SET state = 'running', reason = NULL, detail = NULL, due_at = NULL,
        lease_owner = $2, lease_epoch = lease_epoch + 1, lease_until = now_millis() + $3
    WHERE id IN (SELECT id FROM suspect) AND due_at IS NOT NULL
    RETURNING id, user_id, lease_epoch, attempt, crash_count, resend
), updated AS (
    UPDATE lanes SET running = running + 1 WHERE user_id IN (SELECT user_id FROM claimed)
)
SELECT id, user_id, lease_epoch, attempt, crash_count, resend FROM claimed";

macro_rules! sqlite_backlog {
    () => {
        "WITH RECURSIVE backlog (user_id) AS (
    SELECT MIN(user_id) FROM runs WHERE due_at IS NOT NULL AND crash_count = 0
    UNION ALL
    SELECT (SELECT MIN(user_id) FROM runs
            WHERE due_at IS NOT NULL AND crash_count = 0 AND user_id > backlog.user_id)
    FROM backlog WHERE backlog.user_id IS NOT NULL
), waiting AS (
    SELECT user_id, (SELECT MIN(due_at) FROM runs
        WHERE runs.user_id = backlog.user_id AND due_at IS NOT NULL AND crash_count = 0) AS due_at
    FROM backlog WHERE user_id IS NOT NULL
)"
    };
}

// The walk takes one run of every served user, then each one's next, until there are enough.
const SQLITE_CLAIM: &str = concat!(
    sqlite_backlog!(),
    ", served (user_id, free) AS MATERIALIZED (
    SELECT lanes.user_id, $2 - running FROM waiting JOIN lanes ON lanes.user_id = waiting.user_id
    WHERE due_at <= $3 AND running < $2 ORDER BY last_served, lanes.user_id LIMIT $1
), walk (user_id, free, id) AS (
    SELECT user_id, free, (SELECT id FROM runs
        WHERE user_id = served.user_id AND due_at <= $3 AND crash_count = 0 ORDER BY due_at, id LIMIT 1)
    FROM served
    UNION ALL
    SELECT user_id, free - 1, (SELECT next.id FROM runs AS this CROSS JOIN runs AS next
        WHERE this.id = walk.id AND next.user_id = walk.user_id AND next.due_at <= $3
            AND next.crash_count = 0 AND (next.due_at, next.id) > (this.due_at, this.id)
        ORDER BY next.due_at, next.id LIMIT 1)
    FROM walk WHERE free > 1 AND id IS NOT NULL
)
UPDATE runs SET state = 'running', reason = NULL, detail = NULL, due_at = NULL,
    lease_owner = $4, lease_epoch = lease_epoch + 1, lease_until = $5
WHERE id IN (SELECT id FROM walk WHERE id IS NOT NULL LIMIT $1)
RETURNING id, user_id, lease_epoch, attempt, crash_count, resend"
);

const SQLITE_SERVE: &str = "UPDATE lanes SET running = running + counted.runs, last_served = $2
    FROM (SELECT unhex(value) AS user_id, COUNT(*) AS runs FROM json_each($1) GROUP BY value) AS counted
    WHERE lanes.user_id = counted.user_id";

const SQLITE_NEXT_DUE: &str = concat!(
    sqlite_backlog!(),
    ", next (due_at) AS (
    SELECT MIN(due_at) FROM waiting WHERE due_at > $2 - $1
    UNION ALL
    SELECT MIN(due_at) FROM runs WHERE due_at > $2 - $1 AND crash_count > 0
)
SELECT MIN(due_at) - $2 FROM next"
);

const SQLITE_CLAIM_SUSPECT: &str = "UPDATE runs SET state = 'running', reason = NULL, detail = NULL,
        due_at = NULL, lease_owner = $3, lease_epoch = lease_epoch + 1, lease_until = $4
    WHERE id IN (SELECT runs.id FROM runs JOIN lanes ON lanes.user_id = runs.user_id
                 WHERE due_at <= $1 AND crash_count > 0 AND running < $2 ORDER BY due_at, runs.id LIMIT 1)
    RETURNING id, user_id, lease_epoch, attempt, crash_count, resend";

impl Store {
    /// Leases up to `limits.most` due runs, the least recently served users first.
    ///
    /// # Errors
    /// Where the database does not answer; then nothing is claimed.
    pub async fn claim_runs(&self, holder: Holder, limits: ClaimLimits) -> Result<Vec<Claim>, StoreError> {
        match &self.pool {
            Pool::Postgres { keyed, .. } => {
                Ok(on_server!(keyed, db => claim_postgres(db, holder, limits).await)?)
            }
            Pool::Sqlite { .. } => {
                let clock = self.clock.clone();
                self.write(move |tx| {
                    Box::pin(async move {
                        match tx {
                            Tx::Sqlite(db) => claim_sqlite(db, holder, limits, clock.now()).await,
                            Tx::Server(_) => Ok(Vec::new()),
                        }
                    })
                })
                .await
            }
        }
    }

    /// Leases one due run that has a crash on record, if there is any.
    ///
    /// # Errors
    /// Where the database does not answer; then nothing is claimed.
    pub async fn claim_suspect(
        &self,
        holder: Holder,
        limits: ClaimLimits,
    ) -> Result<Option<Claim>, StoreError> {
        match &self.pool {
            Pool::Postgres { pool, .. } => {
                let claiming = sqlx::query_as(POSTGRES_CLAIM_SUSPECT)
                    .bind(i64::from(limits.per_user))
                    .bind(holder.0)
                    .bind(millis(limits.lease));
                Ok(on_server!(pool, db => claiming.fetch_optional(db).await)?)
            }
            Pool::Sqlite { .. } => {
                let clock = self.clock.clone();
                self.write(move |tx| {
                    Box::pin(async move {
                        match tx {
                            Tx::Sqlite(db) => claim_suspect_sqlite(db, holder, limits, clock.now()).await,
                            Tx::Server(_) => Ok(None),
                        }
                    })
                })
                .await
            }
        }
    }

    /// In how long the next run becomes due that was not yet due `ago`, when somebody looked; zero where it has become so
    /// since, and `None` while nothing waits for a time.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn until_next_due(&self, ago: Duration) -> Result<Option<Duration>, StoreError> {
        // Rounded up: what became due in the millisecond of the look may have been missed by it.
        let ago = millis(ago).saturating_add(1);
        let millis: Option<i64> = match &self.pool {
            Pool::Postgres { keyed, .. } => {
                let looking = sqlx::query_scalar(POSTGRES_NEXT_DUE).bind(ago);
                on_server!(keyed, db => looking.fetch_one(db).await)?
            }
            Pool::Sqlite { read, .. } => {
                sqlx::query_scalar(SQLITE_NEXT_DUE).bind(ago).bind(self.clock.now()).fetch_one(read).await?
            }
        };
        Ok(millis.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0))))
    }
}

async fn claim_postgres(
    db: &mut PgConnection,
    holder: Holder,
    limits: ClaimLimits,
) -> Result<Vec<Claim>, sqlx::Error> {
    sqlx::query_as(POSTGRES_CLAIM)
        .bind(i64::try_from(limits.most).unwrap_or(i64::MAX))
        .bind(i64::from(limits.per_user))
        .bind(holder.0)
        .bind(millis(limits.lease))
        .bind(FEWEST_USERS)
        .fetch_all(db)
        .await
}

async fn claim_sqlite(
    db: &mut SqliteConnection,
    holder: Holder,
    limits: ClaimLimits,
    now: Timestamp,
) -> Result<Vec<Claim>, StoreError> {
    let claims: Vec<Claim> = sqlx::query_as(SQLITE_CLAIM)
        .bind(i64::try_from(limits.most).unwrap_or(i64::MAX))
        .bind(i64::from(limits.per_user))
        .bind(now)
        .bind(holder.0)
        .bind(now.plus(limits.lease))
        .fetch_all(&mut *db)
        .await?;
    if !claims.is_empty() {
        serve_lanes(db, &claims, now).await?;
    }
    Ok(claims)
}

async fn claim_suspect_sqlite(
    db: &mut SqliteConnection,
    holder: Holder,
    limits: ClaimLimits,
    now: Timestamp,
) -> Result<Option<Claim>, StoreError> {
    let claim: Option<Claim> = sqlx::query_as(SQLITE_CLAIM_SUSPECT)
        .bind(now)
        .bind(i64::from(limits.per_user))
        .bind(holder.0)
        .bind(now.plus(limits.lease))
        .fetch_optional(&mut *db)
        .await?;
    if let Some(claim) = &claim {
        serve_lanes(db, std::slice::from_ref(claim), now).await?;
    }
    Ok(claim)
}

async fn serve_lanes(db: &mut SqliteConnection, claims: &[Claim], now: Timestamp) -> Result<(), StoreError> {
    let users: Vec<String> = claims.iter().map(|claim| claim.user_id.uuid().simple().to_string()).collect();
    sqlx::query(SQLITE_SERVE)
        .bind(serde_json::to_string(&users).unwrap_or_default())
        .bind(now)
        .execute(&mut *db)
        .await?;
    Ok(())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
