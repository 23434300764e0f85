//! For any mail, one sentence why there was or was not a reply.

use crate::mail::gate::{HoldReason, SkipReason};
use crate::store::{DISCARDED, RunState};

/// The reason of a held run whose mail went out or did not: nobody knows.
pub const AMBIGUOUS: &str = "ambiguous";

/// The reason of a held run whose mail has become old.
pub const TOO_LATE: &str = "too_late";

/// The reason of a held run whose reply waits for its owner's approval.
pub const DRAFT: &str = "draft";

/// The reason of a skipped run whose mail somebody had answered before it was seen here; the store writes it.
pub const ANSWERED_ALREADY: &str = "answered_already";

/// Why mail is not answered that its owner may want answered all the same: only the owner's word overcomes these.
const OVERCOME_BY_THE_OWNER: [&str; 14] = [
    AMBIGUOUS,
    TOO_LATE,
    DRAFT,
    "same_content",
    "robot_speed",
    "sender_forged",
    "sender_not_authenticated",
    "sender_not_allowed",
    "sender_blocked",
    "correspondent_bounced",
    "opted_out",
    "person_wanted",
    ANSWERED_ALREADY,
    "key_in_answer",
];

/// Whether a run that ended for this reason goes on by its owner's word (`--resend`), and only by it.
pub fn is_overcome_by_the_owner(reason: &str) -> bool {
    OVERCOME_BY_THE_OWNER.contains(&reason)
}

/// What people are told about a run; a reason that is not known here is shown as its code.
pub fn sentence(state: RunState, reason: Option<&str>, detail: Option<&str>) -> String {
    let Some(reason) = reason else { return plain(state).to_owned() };
    if state == RunState::Skipped
        && let Some(skip) = SkipReason::from_code(reason)
    {
        return format!("Not answered: {}", lower_first(skip.explain()));
    }
    if state == RunState::Held
        && let Some(hold) = HoldReason::from_code(reason)
    {
        return format!("{}{}", opening(state), lower_first(hold.explain()));
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
    cause_in_the_mailbox(reason)
        .or_else(|| cause_at_the_provider(reason))
        .or_else(|| cause_at_the_end(reason))
}

/// What the owner set up, and the mail itself.
fn cause_in_the_mailbox(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "no_agent" => "no enabled agent answers for this address.",
        "sender_blocked" => "the agent's owner has blocked its sender.",
        "sender_not_allowed" => "its sender is not among those whom the agent answers.",
        "sender_not_authenticated" => {
            "the mail host does not vouch for its sender, as the agent's owner wants."
        }
        "sender_forged" => {
            "the mail host says that somebody else wrote it in its sender's name; retry it with --resend if you know \
             better."
        }
        "correspondent_bounced" => {
            "an earlier reply to its sender could not be delivered; see `postkey suppressions list`."
        }
        "opted_out" => "its sender wants to be left alone; see `postkey suppressions list`.",
        "person_wanted" => {
            "its sender wants to hear from a person: answer it in your mail program, or retry it with --resend."
        }
        ANSWERED_ALREADY => {
            "somebody had answered it when it was first seen; retry it with --resend to answer it all the same."
        }
        "no_key" => "its owner has no usable AI configuration; add one with `postkey apply`.",
        "unknown_provider" => {
            "its AI configuration names an unknown provider; correct it with `postkey apply`."
        }
        "secret_unreadable" => "a stored secret cannot be opened; enter it again with `postkey apply`.",
        "unreadable" => "the mail cannot be read.",
        "unfetchable" => {
            "the mail server does not hand this mail over; read it in your mail program and answer it there."
        }
        "text_removed" => "the text of the mail has been removed, since it was too old to be kept.",
        TOO_LATE => {
            "the mail is too old to be answered by itself; retry it with --resend to answer it all the same."
        }
        "impossible_row" => "the database contradicts itself; this is a fault of the program.",
        "database" => "the database did not answer; it is tried again.",
        "crashes" => "the program died each time it worked on this mail; retry it once the cause is known.",
        "panicked" => "the program has a fault that this mail brings out.",
        "attempts_used_up" => {
            "all attempts that worker.max_attempts allows are used up, and nobody saw the last one end."
        }
        "took_too_long" => "it took longer than worker.run_timeout allows.",
        _ => return None,
    })
}

fn cause_at_the_provider(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "key_invalid" => "the provider refuses the owner's key; replace it with `postkey apply`.",
        "key_paused" => "the provider wants this key to rest for a while; it goes on by itself.",
        "quota_exhausted" => "the owner's credit at the provider is used up; top it up there.",
        "rate_limited" => "the provider limits how often it is asked; it goes on by itself.",
        "provider_forbids" => {
            "the provider does not allow this key to do that; check its rights and base URL."
        }
        "provider_failed" => "the provider failed on this mail.",
        "provider_away" => "the provider is overloaded or cannot be reached; it is asked again.",
        "provider_rejects" => "the provider rejects the request; check the model and its settings.",
        "provider_silent" => {
            "the provider was asked and did not answer, and may have charged for it; retry it."
        }
        "model_not_found" => "the provider has no such model, or not for this key; choose another one.",
        "content_blocked" => "the provider's content filter refused it.",
        "model_refused" => "the model refused to answer.",
        "model_declined" => "the model decided that no answer is due.",
        "no_words" => "the model wrote nothing.",
        "context_too_long" => {
            "the mail and the agent's instructions are too long for the model; choose one that can read more, or \
             shorten the instructions."
        }
        "key_in_answer" => {
            "the model's answer holds what looks like a key or token; retry it with --resend to send it all the same."
        }
        "cut_short" => "the model's answer was longer than max_tokens allows.",
        _ => return None,
    })
}

fn cause_at_the_end(reason: &str) -> Option<&'static str> {
    Some(match reason {
        AMBIGUOUS => {
            "nobody knows whether the reply went out, since the connection was lost at its end; look into the Sent \
             folder, then retry it with --resend if it is not there."
        }
        DRAFT => "the agent only drafts; retry it with --resend to send the reply.",
        "cannot_compose" => "no correct mail can be made of the model's answer.",
        "bounced" => "the mail server reported later that the reply could not be delivered.",
        "correspondent_limit" => "this correspondent has had as many answers as are allowed for now.",
        "thread_limit" => "this conversation has had as many answers as are allowed for now.",
        "agent_limit" => "the agent has given as many answers today as it may.",
        "same_content" => {
            "it says the same as the last mail of its conversation, or would be answered the same; retry it with \
             --resend to send the reply all the same."
        }
        "robot_speed" => {
            "the conversation goes back and forth faster than people write; retry it with --resend if it is with a \
             person."
        }
        "mailbox_rate" => "the mailbox has sent as many mails this minute as it may; it goes on by itself.",
        "oauth" => "the sign-in provider gives no access to the mail server now; it is tried again.",
        "smtp_login" => "the mail server refuses the login; correct the mailbox with `postkey apply`.",
        "smtp_later" => "the mail server cannot take the reply now; it is tried again.",
        "smtp_unusable" => {
            "the mail server cannot be used; try `postkey mailbox test` and correct the mailbox."
        }
        "smtp_refused" => "the mail server refused the reply.",
        DISCARDED => "its owner has decided so.",
        "found_in_sent" => "the reply was found in the Sent folder.",
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

    /// The pages that give reasons.
    const PAGES: [&str; 3] =
        [include_str!("error.rs"), include_str!("send.rs"), include_str!("../queue/backend.rs")];

    #[test]
    fn a_mail_that_killed_the_program_says_so() {
        let told = sentence(RunState::Quarantined, Some("crashes"), None);
        assert!(told.starts_with("Not answered: the program died"), "{told}");
    }

    #[test]
    fn a_mail_that_the_gate_holds_says_what_a_person_can_do() {
        let told = sentence(RunState::Held, Some("encrypted"), None);
        assert_eq!(told, "Held for a person: it is encrypted: read and answer it in your mail program.");
    }

    #[test]
    fn every_reason_that_is_given_has_a_sentence() {
        let mut reasons = 0;
        for call in ["Cause::of(\"", "Cause::with(\"", "cause(\"", "Skipped(\""] {
            for reason in PAGES.iter().flat_map(|page| page.split(call).skip(1)) {
                let reason = reason.split('"').next().unwrap_or_default();
                assert!(cause(reason).is_some(), "no sentence for {reason}");
                reasons += 1;
            }
        }
        assert!(reasons > 30, "only {reasons} reasons were found: are they given elsewhere now?");
    }
}
