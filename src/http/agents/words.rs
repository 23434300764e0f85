//! The closed sets of words that an agent is described with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::{AmbiguousPolicy, Limits, Mode};

/// What kind of agent.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AgentKind {
    /// Answers the mail that comes to a mailbox; the only kind there is.
    EmailInbound,
}

/// What happens with a finished reply.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeWord {
    /// It is sent.
    Automatic,
    /// It is held for approval.
    Draft,
}

impl From<Mode> for ModeWord {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Automatic => Self::Automatic,
            Mode::Draft => Self::Draft,
        }
    }
}

impl From<ModeWord> for Mode {
    fn from(word: ModeWord) -> Self {
        match word {
            ModeWord::Automatic => Self::Automatic,
            ModeWord::Draft => Self::Draft,
        }
    }
}

/// What happens when nobody knows whether a mail went out.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AmbiguousWord {
    /// A person decides.
    Hold,
    /// The Sent folder is looked into; what is not found there is held.
    Verify,
}

impl From<AmbiguousPolicy> for AmbiguousWord {
    fn from(policy: AmbiguousPolicy) -> Self {
        match policy {
            AmbiguousPolicy::Hold => Self::Hold,
            AmbiguousPolicy::Verify => Self::Verify,
        }
    }
}

impl From<AmbiguousWord> for AmbiguousPolicy {
    fn from(word: AmbiguousWord) -> Self {
        match word {
            AmbiguousWord::Hold => Self::Hold,
            AmbiguousWord::Verify => Self::Verify,
        }
    }
}

/// How often an agent may answer at most; null is the server's own limit.
#[derive(Serialize, ToSchema)]
pub(super) struct LimitsAnswer {
    /// To one correspondent in 10 minutes.
    per_correspondent_10_minutes: Option<i64>,
    /// To one correspondent in a day.
    per_correspondent_day: Option<i64>,
    /// In one thread in a day.
    per_thread_day: Option<i64>,
    /// In a day.
    per_agent_day: Option<i64>,
}

impl From<Limits> for LimitsAnswer {
    fn from(limits: Limits) -> Self {
        Self {
            per_correspondent_10_minutes: limits.per_correspondent_10_minutes,
            per_correspondent_day: limits.per_correspondent_day,
            per_thread_day: limits.per_thread_day,
            per_agent_day: limits.per_agent_day,
        }
    }
}
