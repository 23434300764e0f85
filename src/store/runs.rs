//! `runs`: the state of each message's answer, for people who ask.

use super::pool::{Database, Tx, on_pool, on_tx};
use super::{AgentId, MailboxId, RunId, Store, StoreError, UserId};
use crate::clock::Timestamp;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RunState {
    /// To be claimed as soon as somebody is free.
    Queued,
    /// Claimed, under a lease.
    Running,
    /// Later by a clock, or once a condition holds.
    Waiting,
    /// A person decides.
    Held,
    /// The answer was handed over to the mail server.
    Replied,
    /// Rightly not answered.
    Skipped,
    /// Could not be answered.
    Failed,
    /// Its process died with it in hand too often.
    Quarantined,
}

impl RunState {
    /// All states, in the order in which people read them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Held,
        Self::Replied,
        Self::Skipped,
        Self::Failed,
        Self::Quarantined,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Replied => "replied",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }

    /// Whether nothing more happens by itself or by waiting.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Replied | Self::Skipped | Self::Failed | Self::Quarantined)
    }
}

/// The columns of a [`Run`]. While a run is worked on for the first time, only its calls tell its agent.
macro_rules! run_columns {
    () => {
        "runs.id, runs.user_id, mailbox_id, state, reason, detail, due_at, attempt, crash_count, runs.created_at,
            finished_at, COALESCE(runs.agent_id, CASE WHEN state = 'running' THEN (
                SELECT provider_calls.agent_id FROM provider_calls
                WHERE provider_calls.run_id = runs.id AND provider_calls.user_id = runs.user_id
                ORDER BY provider_calls.id DESC LIMIT 1) END) AS agent_id"
    };
}
pub(super) use run_columns;

/// A run as people see it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Run {
    /// The run, and its message.
    pub id: RunId,
    /// The owner.
    pub user_id: UserId,
    /// The mailbox that the message came to.
    pub mailbox_id: MailboxId,
    /// The agent that took it, once that has asked its provider, or the run has ended.
    pub agent_id: Option<AgentId>,
    /// Where it stands.
    pub state: RunState,
    /// Why, as a stable code.
    pub reason: Option<String>,
    /// What makes the reason precise.
    pub detail: Option<String>,
    /// When it is claimed next.
    pub due_at: Option<Timestamp>,
    /// Failed attempts.
    pub attempt: i64,
    /// How often its process died.
    pub crash_count: i64,
    /// When the message was taken in.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// How many runs stand where.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StateCount {
    /// The state.
    pub state: RunState,
    /// Its reason.
    pub reason: Option<String>,
    /// How many.
    pub runs: i64,
}

impl Store {
    /// The newest runs of a user, `most` at a time, older than `before`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_runs(
        &self,
        user: UserId,
        before: Option<RunId>,
        most: u32,
    ) -> Result<Vec<Run>, StoreError> {
        let before = before.unwrap_or(RunId::from_uuid(uuid::Uuid::max()));
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            concat!("SELECT ", run_columns!(), " FROM runs JOIN messages ON messages.id = runs.id
             WHERE runs.user_id = $1 AND runs.id < $2 ORDER BY runs.id DESC LIMIT $3"))
            .bind(user).bind(before).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// One run of a user; a foreign id looks like an unknown one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_run(&self, user: UserId, run: RunId) -> Result<Option<Run>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            concat!("SELECT ", run_columns!(), " FROM runs JOIN messages ON messages.id = runs.id
             WHERE runs.user_id = $1 AND runs.id = $2"))
            .bind(user).bind(run).fetch_optional(db).await)?)
    }

    /// Whose run this is; for the operator's command line only.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_run_owner(&self, run: RunId) -> Result<Option<UserId>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_scalar("SELECT user_id FROM runs WHERE id = $1")
            .bind(run).fetch_optional(db).await)?)
    }

    /// How many runs of a user stand where, with their reasons.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn count_runs(&self, user: UserId) -> Result<Vec<StateCount>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT state, reason, CAST(COUNT(*) AS BIGINT) AS runs FROM runs
             WHERE user_id = $1 GROUP BY state, reason ORDER BY state, reason")
            .bind(user).fetch_all(db).await)?)
    }

    /// Makes a run due again that waits, is held, failed or quarantined. Its crash record is cleared, since a
    /// person has looked; an answer that could not be used is forgotten, so that the model is asked again. With
    /// `resend`, an ambiguous mail goes out once more under the same Message-ID. Answers whether there was such a run.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn retry_run(&self, user: UserId, run: RunId, resend: bool) -> Result<bool, StoreError> {
        let now = self.lease_clock().await?;
        let changed = self
            .write(move |tx| {
                Box::pin(async move {
                    forget_unusable(tx, user, run).await?;
                    let changed = make_due(tx, user, run, resend, now).await?;
                    super::notices::end_held(tx, user, run, now).await?;
                    super::wake::tell_others(tx).await?;
                    Ok(changed)
                })
            })
            .await?;
        self.wake_queue();
        Ok(changed == 1)
    }
}

/// Inside a transaction: an answer that could not be used is forgotten, so that the model is asked again.
pub(super) async fn forget_unusable(tx: &mut Tx, user: UserId, run: RunId) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "DELETE FROM completions WHERE user_id = $1 AND run_id = $2 AND EXISTS (SELECT 1 FROM runs
            WHERE id = $2 AND lease_until IS NULL AND state = 'held'
                AND reason IN ('model_refused', 'no_words', 'cut_short', 'cannot_compose'))")
        .bind(user).bind(run).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Inside a transaction: a run that has stopped becomes due; see [`Store::retry_run`].
pub(super) async fn make_due(
    tx: &mut Tx,
    user: UserId,
    run: RunId,
    resend: bool,
    due: Timestamp,
) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET state = 'queued', reason = NULL, detail = NULL, due_at = $3,
            crash_count = 0, attempt = 0, finished_at = NULL, resend = $4
         WHERE user_id = $1 AND id = $2 AND lease_until IS NULL
            AND state IN ('waiting', 'held', 'failed', 'quarantined', 'skipped')")
        .bind(user).bind(run).bind(due).bind(resend)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
}

/// Inside a transaction: until its end, nobody claims runs of these users, or writes what becomes of those in hand. Lanes
/// come before runs, as in claims and verdicts, and both in the order of their ids, so that nobody waits in a circle. A
/// file has one writer.
pub(super) async fn hold_runs(tx: &mut Tx, users: &[UserId]) -> Result<(), StoreError> {
    let Database::Server(db) = tx.database() else { return Ok(()) };
    for statement in [HOLD_LANES, HOLD_LEASED] {
        sqlx::query(statement).bind(users).execute(&mut *db).await?;
    }
    Ok(())
}

const HOLD_LANES: &str = "SELECT FROM lanes WHERE user_id = ANY($1) ORDER BY user_id FOR UPDATE";
const HOLD_LEASED: &str =
    "SELECT FROM runs WHERE user_id = ANY($1) AND lease_until IS NOT NULL ORDER BY id FOR UPDATE";

/// Inside a transaction: what the user's runs wait for may hold by now. Those that wait for a condition, or for a
/// key to be usable again, become due; those in hand are marked, so that none of them can go to sleep after this
/// for want of what has just come. Notices of such waiting end, so that the same trouble is told again.
pub(super) async fn unpark(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<u64, StoreError> {
    hold_runs(tx, &[user]).await?;
    on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET woken = $2 WHERE user_id = $1 AND lease_until IS NOT NULL")
        .bind(user).bind(true).execute(&mut *db).await.map(drop))?;
    super::notices::end_waiting(tx, user, now).await?;
    Ok(on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET state = 'queued', reason = NULL, detail = NULL, due_at = $2
         WHERE user_id = $1 AND state = 'waiting' AND lease_until IS NULL
            AND (due_at IS NULL OR reason IN ('key_paused', 'quota_exhausted', 'rate_limited'))")
        .bind(user).bind(now).execute(&mut *db).await.map(|done| done.rows_affected()))?)
}
