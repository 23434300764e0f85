//! How far a run has come, step by step, from what was written down at each.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::store::{CallEnd, OutboxState, Payer, ProviderCall, Reply, Run};

/// One step of a run.
#[derive(Serialize, ToSchema)]
pub(super) struct StepAnswer {
    /// What happened.
    step: StepWord,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

/// What happened with a run.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepWord {
    /// The mail was taken in.
    Received,
    /// The provider was asked.
    Asked,
    /// It answered.
    Answered,
    /// It did not answer, or not usefully.
    CallFailed,
    /// The reply was written; its bytes do not change any more once an attempt is made to send them.
    Written,
    /// It was about to be handed over.
    HandingOver,
    /// The mail server has it.
    Sent,
    /// The run ended.
    Ended,
}

/// One call of a provider.
#[derive(Serialize, ToSchema)]
pub(super) struct CallAnswer {
    /// Its id.
    id: String,
    /// The AI configuration whose key was used; null for the operator's.
    ai_config_id: Option<String>,
    /// Whose key was used.
    payer: PayerWord,
    /// The provider.
    provider: String,
    /// The model that was asked.
    model: String,
    /// The model that answered.
    answered_model: Option<String>,
    /// What went wrong, as a stable word.
    error_class: Option<String>,
    /// The provider's code for it.
    error_code: Option<String>,
    /// Whether a failed call may have cost money all the same.
    maybe_charged: bool,
    /// What it used.
    usage: UsageAnswer,
    /// How long it took, in milliseconds; null while it is under way.
    latency_ms: Option<i64>,
    /// When it began.
    #[schema(format = DateTime)]
    started_at: String,
}

/// Whose key was used.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PayerWord {
    /// The owner's own.
    Owner,
    /// The operator's.
    Platform,
}

/// Tokens.
#[derive(Clone, Copy, Default, Serialize, ToSchema)]
pub(in crate::http) struct UsageAnswer {
    /// Read, cached ones included.
    input_tokens: i64,
    /// Read from the provider's cache.
    cached_tokens: i64,
    /// Written, reasoning included.
    output_tokens: i64,
    /// Written for reasoning.
    reasoning_tokens: i64,
    /// What the provider says that it charges, in US dollars; null where it says nothing.
    cost_usd: Option<f64>,
}

impl UsageAnswer {
    fn of(call: &ProviderCall) -> Self {
        Self {
            input_tokens: call.input_tokens,
            cached_tokens: call.cached_tokens,
            output_tokens: call.output_tokens,
            reasoning_tokens: call.reasoning_tokens,
            cost_usd: call.cost_nanousd.map(dollars),
        }
    }

    /// What a call that has just ended used.
    pub(in crate::http) fn of_end(end: &CallEnd) -> Self {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            input_tokens: number(end.input_tokens),
            cached_tokens: number(end.cached_tokens),
            output_tokens: number(end.output_tokens),
            reasoning_tokens: number(end.reasoning_tokens),
            cost_usd: end.cost_nanousd.map(number).map(dollars),
        }
    }

    /// What several calls used together.
    pub(super) fn sum(calls: &[ProviderCall]) -> Self {
        calls.iter().map(Self::of).fold(Self::default(), |sum, call| Self {
            input_tokens: sum.input_tokens.saturating_add(call.input_tokens),
            cached_tokens: sum.cached_tokens.saturating_add(call.cached_tokens),
            output_tokens: sum.output_tokens.saturating_add(call.output_tokens),
            reasoning_tokens: sum.reasoning_tokens.saturating_add(call.reasoning_tokens),
            cost_usd: match (sum.cost_usd, call.cost_usd) {
                (Some(sum), Some(cost)) => Some(sum + cost),
                (sum, cost) => sum.or(cost),
            },
        })
    }
}

/// A number for people; sums are made of the whole ones that are stored.
#[expect(clippy::cast_precision_loss, reason = "less than a billionth of a dollar")]
pub(in crate::http) fn dollars(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

impl From<ProviderCall> for CallAnswer {
    fn from(call: ProviderCall) -> Self {
        Self {
            id: call.id.to_string(),
            ai_config_id: call.ai_configuration_id.map(|id| id.to_string()),
            payer: match call.payer {
                Payer::Owner => PayerWord::Owner,
                Payer::Platform => PayerWord::Platform,
            },
            usage: UsageAnswer::of(&call),
            provider: call.provider,
            model: call.model,
            answered_model: call.answered_model,
            error_class: call.error_class,
            error_code: call.error_code,
            maybe_charged: call.maybe_charged,
            latency_ms: call.latency_ms,
            started_at: call.started_at.to_string(),
        }
    }
}

/// The steps in the order of their times.
pub(super) fn steps(run: &Run, calls: &[ProviderCall], reply: Option<&Reply>) -> Vec<StepAnswer> {
    let mut steps: Vec<(Timestamp, StepWord)> = vec![(run.created_at, StepWord::Received)];
    for call in calls {
        steps.push((call.started_at, StepWord::Asked));
        let end = if call.error_class.is_some() { StepWord::CallFailed } else { StepWord::Answered };
        steps.extend(call.ended_at.map(|at| (at, end)));
    }
    if let Some(reply) = reply {
        let sent_at = reply.sent_at.filter(|_| reply.state == Some(OutboxState::Sent));
        steps.extend(reply.frozen_at.map(|at| (at, StepWord::Written)));
        steps.extend(reply.sending_at.map(|at| (at, StepWord::HandingOver)));
        steps.extend(sent_at.map(|at| (at, StepWord::Sent)));
    }
    steps.extend(run.finished_at.map(|at| (at, StepWord::Ended)));
    // Steps of the same millisecond stay in the order in which they are taken.
    steps.sort_by_key(|(at, _)| *at);
    steps.into_iter().map(|(at, step)| StepAnswer { step, at: at.to_string() }).collect()
}
