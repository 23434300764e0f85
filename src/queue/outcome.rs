//! What a run's work led to, and how that is written into its row.

use std::time::Duration;

use crate::config;
use crate::store::{Claim, Due, RunState, Verdict};

/// What the work on a run led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reply was handed over; it is noted as sent in the commit that ends the run.
    Replied,
    /// Rightly not answered.
    Skipped(&'static str),
    /// Cannot be answered.
    Failed(Cause),
    /// A person decides.
    Held(Cause),
    /// Later, counted as an attempt; after too many it has failed. No sooner than `after`, if given.
    Retry(Cause, Option<Duration>),
    /// Stopped in the middle, counted as an attempt. What had been done by then is not known, so that somebody looks at it
    /// once more even after the last attempt.
    Stopped(Cause),
    /// Later, not counted: nothing is wrong with the run.
    Snooze(Cause, Duration),
    /// When a condition holds; whoever makes it hold wakes the run.
    Park(Cause),
    /// Somebody else has the run by now; nothing is written.
    LeaseLost,
}

/// Why: a stable code, and a bounded code that makes it precise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The stable code.
    pub reason: &'static str,
    /// An error class, a reply code; no text from outside.
    pub detail: Option<String>,
}

impl Cause {
    /// A reason that says it all.
    pub const fn of(reason: &'static str) -> Self {
        Self { reason, detail: None }
    }

    /// A reason made precise.
    pub fn with(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: Some(detail.into()) }
    }
}

impl Outcome {
    /// The row to write; `luck` in 0..1 spreads retries. `None` where nothing may be written.
    pub(super) fn verdict(self, claim: &Claim, config: &config::Worker, luck: f64) -> Option<Verdict> {
        let counts = matches!(self, Self::Retry(..) | Self::Stopped(_));
        let (state, cause, due) = match self {
            Self::Replied => (RunState::Replied, None, Due::Never),
            Self::Skipped(reason) => (RunState::Skipped, Some(Cause::of(reason)), Due::Never),
            Self::Failed(cause) => (RunState::Failed, Some(cause), Due::Never),
            Self::Held(cause) => (RunState::Held, Some(cause), Due::Never),
            Self::Park(cause) => (RunState::Waiting, Some(cause), Due::Never),
            Self::Snooze(cause, after) => (RunState::Waiting, Some(cause), Due::After(after)),
            Self::Stopped(cause) if is_spent(claim.attempt, config) => {
                (RunState::Failed, Some(cause), Due::Never)
            }
            Self::Stopped(cause) => {
                (RunState::Waiting, Some(cause), Due::After(back_off(claim.attempt, config, luck)))
            }
            Self::Retry(cause, _) if is_last(claim, config) => (RunState::Failed, Some(cause), Due::Never),
            Self::Retry(cause, after) => {
                let delay = back_off(claim.attempt, config, luck).max(after.unwrap_or_default());
                (RunState::Waiting, Some(cause), Due::After(delay))
            }
            Self::LeaseLost => return None,
        };
        Some(Verdict {
            lease: claim.lease(),
            state,
            reason: cause.as_ref().map(|cause| cause.reason),
            detail: cause.and_then(|cause| cause.detail),
            due,
            counts,
            untouched: false,
        })
    }
}

/// Whether all attempts are used up: nothing is begun any more, and what was begun is settled.
pub fn is_spent(attempt: i64, config: &config::Worker) -> bool {
    attempt >= i64::from(config.max_attempts)
}

fn is_last(claim: &Claim, config: &config::Worker) -> bool {
    claim.attempt + 1 >= i64::from(config.max_attempts)
}

/// `retry_first` times `retry_factor` to the power of `attempt`, at most `retry_longest`, spread by up to a fifth
/// either way (SR-63).
fn back_off(attempt: i64, config: &config::Worker, luck: f64) -> Duration {
    let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
    let seconds = config.retry_first.as_secs_f64() * f64::from(config.retry_factor).powi(exponent);
    let bounded = seconds.min(config.retry_longest.as_secs_f64());
    Duration::from_secs_f64(bounded * (0.8 + 0.4 * luck))
}
