//! What a person may decide about a run, wherever the person asks.

use super::explain::{AMBIGUOUS, DRAFT, TOO_LATE, is_overcome_by_the_owner};
use crate::store::{OutboxState, Reply, Run, RunState};

/// Why a run must not be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryRefusal {
    /// It has been replied to; a second reply is never sent.
    Replied,
    /// It is queued already.
    Queued,
    /// It is being worked on.
    Running,
    /// It is one of [`AMBIGUOUS`], a draft or too late: it goes on by its owner's word alone.
    NeedsWord,
    /// The owner's word overcomes nothing here.
    NeedsNoWord,
}

/// Whether a run may be tried again; `resend` is the owner's word that the reply is to go out.
///
/// # Errors
/// Why not.
pub fn check_retry(run: &Run, resend: bool) -> Result<(), RetryRefusal> {
    let reason = run.reason.as_deref();
    match run.state {
        RunState::Replied => Err(RetryRefusal::Replied),
        RunState::Queued => Err(RetryRefusal::Queued),
        RunState::Running => Err(RetryRefusal::Running),
        RunState::Held if !resend && reason.is_some_and(waits_for_a_word) => Err(RetryRefusal::NeedsWord),
        _ if resend && !reason.is_some_and(is_overcome_by_the_owner) => Err(RetryRefusal::NeedsNoWord),
        _ => Ok(()),
    }
}

fn waits_for_a_word(reason: &str) -> bool {
    matches!(reason, AMBIGUOUS | DRAFT | TOO_LATE)
}

/// Whether the owner's approval lets a held run go on. Not where the reply may have gone out: to send it once more is
/// to be said in so many words.
pub fn may_approve(run: &Run) -> bool {
    let reason = run.reason.as_deref();
    run.state == RunState::Held && reason != Some(AMBIGUOUS) && reason.is_some_and(is_overcome_by_the_owner)
}

/// Whether the owner may put other words into the reply of a held run: nobody has tried to send it yet.
pub fn may_edit(run: &Run, reply: Option<&Reply>) -> bool {
    let is_untouched = |reply: &Reply| {
        let is_ready = reply.state.is_none_or(|state| state == OutboxState::Ready);
        reply.finish.is_some() && is_ready && reply.sending_at.is_none()
    };
    run.state == RunState::Held && run.reason.as_deref() != Some(AMBIGUOUS) && reply.is_some_and(is_untouched)
}

/// Whether the owner may put an end to a run: it waits for a person.
pub fn may_discard(run: &Run) -> bool {
    run.state == RunState::Held
}
