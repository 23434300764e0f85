//! Runs: what became of each mail and why, and what its owner decides.

pub(super) mod decide;
pub(super) mod list;
pub(super) mod read;
pub(super) mod reply;

mod steps;

pub(super) use self::steps::{UsageAnswer, dollars};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::error::ApiError;
use crate::run::explain::sentence;
use crate::store::{Run, RunId, RunState};

/// What became of a mail.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunAnswer {
    /// Its id, which is also that of its message.
    id: String,
    /// The mailbox that the mail came to.
    mailbox_id: String,
    /// The agent that took it, once it has asked its provider or the run has ended.
    agent_id: Option<String>,
    /// Where it stands.
    state: StateWord,
    /// Why, as a stable word.
    #[schema(example = "draft")]
    reason: Option<String>,
    /// What makes the reason precise.
    detail: Option<String>,
    /// Why, in a sentence.
    explanation: String,
    /// When the mail was taken in.
    #[schema(format = DateTime)]
    received_at: String,
    /// When it is tried next.
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    /// Failed attempts.
    failed_attempts: i64,
    /// How often the server has died with it in hand.
    crashes: i64,
    /// When it ended.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl From<Run> for RunAnswer {
    fn from(run: Run) -> Self {
        Self {
            id: run.id.to_string(),
            mailbox_id: run.mailbox_id.to_string(),
            agent_id: run.agent_id.map(|id| id.to_string()),
            state: run.state.into(),
            explanation: sentence(run.state, run.reason.as_deref(), run.detail.as_deref()),
            reason: run.reason,
            detail: run.detail,
            received_at: run.created_at.to_string(),
            next_attempt_at: run.due_at.map(|time| time.to_string()),
            failed_attempts: run.attempt,
            crashes: run.crash_count,
            ended_at: run.finished_at.map(|time| time.to_string()),
        }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StateWord {
    /// It begins as soon as somebody is free.
    Queued,
    /// It is being worked on.
    Running,
    /// It goes on later, or once something has changed.
    Waiting,
    /// A person decides.
    Held,
    /// The reply was handed over.
    Replied,
    /// Rightly not answered.
    Skipped,
    /// Could not be answered.
    Failed,
    /// The server has died with it in hand too often.
    Quarantined,
}

impl From<RunState> for StateWord {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Queued => Self::Queued,
            RunState::Running => Self::Running,
            RunState::Waiting => Self::Waiting,
            RunState::Held => Self::Held,
            RunState::Replied => Self::Replied,
            RunState::Skipped => Self::Skipped,
            RunState::Failed => Self::Failed,
            RunState::Quarantined => Self::Quarantined,
        }
    }
}

impl From<StateWord> for RunState {
    fn from(word: StateWord) -> Self {
        match word {
            StateWord::Queued => Self::Queued,
            StateWord::Running => Self::Running,
            StateWord::Waiting => Self::Waiting,
            StateWord::Held => Self::Held,
            StateWord::Replied => Self::Replied,
            StateWord::Skipped => Self::Skipped,
            StateWord::Failed => Self::Failed,
            StateWord::Quarantined => Self::Quarantined,
        }
    }
}

async fn find(api: &Api, caller: &Caller, id: RunId) -> Result<Run, ApiError> {
    api.store.find_run(caller.user, id).await?.ok_or_else(ApiError::not_found)
}
