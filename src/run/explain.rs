//! For any mail, one sentence why there was or was not a reply.

use crate::mail::gate::SkipReason;
use crate::store::RunState;

/// The reason of a held run whose mail went out or did not: nobody knows.
pub const AMBIGUOUS: &str = "ambiguous";

/// What people are told about a run; a reason that is not known here is shown as its code.
pub fn sentence(state: RunState, reason: Option<&str>, detail: Option<&str>) -> String {
    let Some(reason) = reason else { return plain(state).to_owned() };
    if state == RunState::Skipped
        && let Some(skip) = SkipReason::from_code(reason)
    {
        return format!("Not answered: {}", lower_first(skip.explain()));
    }
    let cause = cause(reason).map_or_else(|| format!("{reason}."), str::to_owned);
    let detail = detail.map(|detail| format!(" [{detail}]")).unwrap_or_default();
    format!("{}{cause}{detail}", opening(state))
}

/// A state that says it all.
fn plain(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "To be answered as soon as a worker is free.",
        RunState::Running => "Being answered right now.",
        RunState::Waiting => "Waiting to be tried again.",
        RunState::Held => "Waiting for a person's decision.",
        RunState::Replied => "Answered: the reply was handed over to the mail server.",
        RunState::Skipped => "Not answered.",
        RunState::Failed => "Not answered: the run failed.",
        RunState::Quarantined => {
            "Not answered: the program died each time it worked on this mail; retry it once the cause is known."
        }
    }
}

fn opening(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "To be answered: ",
        RunState::Running => "Being answered: ",
        RunState::Waiting => "Not answered yet: ",
        RunState::Held => "Held for a person: ",
        RunState::Replied => "Answered: ",
        RunState::Skipped | RunState::Failed | RunState::Quarantined => "Not answered: ",
    }
}

/// The middle of the sentence, and what to do where somebody can do something.
fn cause(reason: &str) -> Option<&'static str> {
    Some(match reason {
        AMBIGUOUS => {
            "nobody knows whether the reply went out, since the connection was lost at its end; look into the Sent \
             folder, then retry it with --resend if it is not there."
        }
        "draft" | "approval" => "the agent only drafts, so its reply waits for approval.",
        "no_agent" => "no enabled agent answers for this address.",
        "agent_disabled" => "its agent is switched off.",
        "no_key" => "its owner has no usable AI configuration; add one with `postkey apply`.",
        "key_invalid" | "auth_invalid" => {
            "the provider refused the owner's key; replace it with `postkey apply`."
        }
        "forbidden" => "the provider does not allow this key to do that; check its rights there.",
        "key_exhausted" | "quota_exhausted" => {
            "the owner's credit at the provider is used up; top it up there."
        }
        "rate_limited" => "the provider limits how often it is asked; it is tried again.",
        "overloaded" => "the provider is overloaded; it is tried again.",
        "transient" | "network" => "the provider could not be reached or failed; it is tried again.",
        "bad_request" => "the provider did not understand the request; check the model and its settings.",
        "model_not_found" => "the provider has no such model, or not for this key; choose another one.",
        "context_too_long" => "the conversation is too long for the model.",
        "content_blocked" => "the provider's content filter refused it.",
        "unreadable_answer" | "unreadable" => "the provider's answer could not be read.",
        "declined" => "the model decided that no answer is due.",
        "empty_answer" => "the model gave no text.",
        "quarantined" | "crashed" => {
            "the program died each time it worked on this mail; retry it once the cause is known."
        }
        "answer_limit" | "brake" => {
            "this correspondent or thread has had as many answers as are allowed for now."
        }
        "too_large" => "the mail is too big to be read whole.",
        "mailbox_login" | "smtp_login" => {
            "the mail server refused the login; correct the mailbox's password."
        }
        "smtp_rejected" => "the mail server refused the reply.",
        "smtp_transient" => "the mail server could not take the reply now; it is tried again.",
        "smtp_limit" => "the mailbox sends as many mails a minute as it may; it goes on shortly.",
        "no_password" => "the mailbox has no usable login; enter it with `postkey apply`.",
        "too_old" | "reply_deadline" => "an answer would have come too late.",
        _ => return None,
    })
}

fn lower_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_sentence() {
        for state in RunState::ALL {
            assert!(sentence(state, None, None).ends_with('.'));
        }
    }

    #[test]
    fn a_skip_is_explained_by_the_gate() {
        let told = sentence(RunState::Skipped, Some("mailing_list"), None);
        assert_eq!(told, "Not answered: it came through a mailing list or is a newsletter.");
    }

    #[test]
    fn an_unknown_reason_is_shown_as_its_code() {
        let told = sentence(RunState::Failed, Some("brand_new"), Some("550"));
        assert_eq!(told, "Not answered: brand_new. [550]");
    }
}
