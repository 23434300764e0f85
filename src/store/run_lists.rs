//! Runs as people look for them.

use sqlx::AssertSqlSafe;

use super::pool::on_pool;
use super::runs::{Run, RunState, run_columns};
use super::{AgentId, MailboxId, RunId, Store, StoreError, UserId};
use crate::clock::Timestamp;

/// Which runs are looked for; the default is all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunFilter {
    /// Those in this state.
    pub state: Option<RunState>,
    /// Those of mails that came to this mailbox.
    pub mailbox: Option<MailboxId>,
    /// Those that this agent took; one that is worked on for the first time is not among them yet.
    pub agent: Option<AgentId>,
    /// Those of mails that were taken in then or later.
    pub since: Option<Timestamp>,
    /// Those of mails that were taken in before.
    pub until: Option<Timestamp>,
}

impl RunFilter {
    /// The statement for what is asked: every condition that is not there would keep an index from being used.
    fn statement(&self) -> String {
        let state = match self.state {
            None => "$4 IS NULL",
            // The partial index's own words, since SQLite knows it by them.
            Some(RunState::Waiting | RunState::Held | RunState::Failed | RunState::Quarantined) => {
                "state IN ('waiting', 'held', 'failed', 'quarantined') AND state = $4"
            }
            Some(_) => "state = $4",
        };
        let agent = if self.agent.is_some() { "runs.agent_id = $5" } else { "$5 IS NULL" };
        // The table whose index leads to the runs also says their order.
        let (mailbox, by) = match self.mailbox {
            Some(_) => ("messages.mailbox_id = $6", "messages.id"),
            None => ("$6 IS NULL", "runs.id"),
        };
        format!(
            "SELECT {columns} FROM runs JOIN messages ON messages.id = runs.id
             WHERE runs.user_id = $1 AND messages.user_id = $1 AND {by} < $2 AND {by} >= $3
                AND {state} AND {agent} AND {mailbox}
             ORDER BY {by} DESC LIMIT $7",
            columns = run_columns!()
        )
    }
}

impl Store {
    /// The newest runs of a user that are looked for, `most` at a time, older than `before`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn search_runs(
        &self,
        user: UserId,
        filter: RunFilter,
        before: Option<RunId>,
        most: u32,
    ) -> Result<Vec<Run>, StoreError> {
        let last = RunId::from_uuid(uuid::Uuid::max());
        let until = filter.until.map_or(last, RunId::first_at);
        let before = before.unwrap_or(last).min(until);
        let since = RunId::first_at(filter.since.unwrap_or(Timestamp::from_millis(0)));
        // Made of fixed parts only.
        let statement = filter.statement();
        Ok(on_pool!(&self.pool, db => sqlx::query_as(AssertSqlSafe(statement))
            .bind(user).bind(before).bind(since).bind(filter.state).bind(filter.agent).bind(filter.mailbox)
            .bind(i64::from(most)).fetch_all(db).await)?)
    }
}
