//! The only place that says what an error means for the run: retry, snooze, park, hold or fail. Where only the
//! owner can help, the owner is told, once per cause.

use std::time::Duration;

use super::conduct::Restraint;
use super::explain::sentence;
use super::insist::insist;
use super::scribe::Scribe;
use crate::config::Config;
use crate::mail::gate::{HoldReason, SkipReason};
use crate::mail::reply::ComposeError;
use crate::net::OAuthError;
use crate::provider::{ErrorClass, ProviderError};
use crate::queue::{Cause, Outcome};
use crate::smtp::{Phase, SmtpError};
use crate::store::{
    AccessError, AiConfiguration, AiConfigurationId, Claim, KeyMark, KeyState, NewNotice, Reason, Refusal,
    RunState, StoreError,
};
use crate::vault::VaultError;

/// Why a run did not get to its reply.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("skipped: {}", .0.as_str())]
    Skip(SkipReason),
    #[error("restrained: {0:?}")]
    Restrained(Restraint),
    #[error("held: {}", .0.as_str())]
    Hold(HoldReason),
    #[error("the mailbox has no agent")]
    NoAgent,
    #[error("there is no key to ask a provider with")]
    NoKey,
    #[error("the provider has refused the key")]
    KeyInvalid(AiConfigurationId),
    #[error("the provider wants to be left alone for a while")]
    KeyPaused(Duration),
    #[error("the configuration names an unknown provider")]
    UnknownProvider,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    #[error(transparent)]
    Provider(ProviderError),
    #[error("the model refused to answer")]
    ModelRefused,
    #[error("the model declined to answer")]
    ModelDeclined,
    #[error("the model wrote nothing")]
    NoWords,
    #[error("the model's answer was cut short")]
    CutShort,
    #[error("the model's answer holds what looks like a key")]
    HoldsKey,
    #[error("too little of the mail fits into what the model can read")]
    NoRoom,
    #[error(transparent)]
    Compose(ComposeError),
    #[error("too many replies already")]
    Brake(Refusal),
    #[error("the mailbox may send no more this minute")]
    TooManyPerMinute(Duration),
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    #[error("nobody knows whether the reply went out")]
    Ambiguous,
    #[error("all attempts are used up")]
    Spent,
    #[error("the reply would come too late")]
    TooLate,
    #[error("the text of this mail has been removed by retention")]
    Forgotten,
    #[error("the mail server does not hand the mail over")]
    Unfetchable,
    #[error("the mail cannot be read")]
    Unreadable,
}

/// Why mails are held that one correspondent can send in any number: told once, not once per mail.
const RESTRAINTS: [&str; 6] =
    ["correspondent_limit", "thread_limit", "agent_limit", "same_content", "robot_speed", "sender_forged"];

const DATABASE_AWAY: Duration = Duration::from_secs(5);
/// How long a rate limit lasts when the provider does not say.
const RATE_LIMITED: Duration = Duration::from_secs(30);
/// How long "no money" lasts when the provider does not say.
const QUOTA_EXHAUSTED: Duration = Duration::from_secs(15 * 60);
/// No provider is asked again sooner, whatever it says.
const LEAST_WAIT: Duration = Duration::from_secs(1);
/// A run waits for at least its age divided by this.
const AGE_PER_WAIT: u32 = 16;
const LONGEST_OUTAGE_WAIT: Duration = Duration::from_secs(15 * 60);
const LONGEST_MAIL_WAIT: Duration = Duration::from_secs(4 * 3600);

impl RunError {
    /// What it leads to. Tells the owner where only the owner can help.
    pub(super) async fn outcome(self, scribe: &Scribe, claim: &Claim) -> Outcome {
        tracing::info!(run = %claim.id, user = %claim.user_id, error = %self, "did not get to a reply");
        let age = scribe.store.clock().now().since(claim.id.made_at());
        let outcome = self.decide(claim.attempt, age, &scribe.config);
        if let Some(notice) = notice(&outcome, claim, &scribe.config)
            && let Err(error) = insist(|| scribe.store.give_notice(notice.clone())).await
        {
            tracing::error!(%error, "cannot give a notice");
        }
        outcome
    }

    pub(super) fn decide(self, attempt: i64, age: Duration, config: &Config) -> Outcome {
        let first_mail_wait = config.smtp.retry_first;
        match self {
            Self::Store(StoreError::LeaseLost) => Outcome::LeaseLost,
            Self::Store(StoreError::Impossible { table, column, .. }) => {
                Outcome::Failed(Cause::with("impossible_row", format!("{table}.{column}")))
            }
            Self::Store(_) => Outcome::Snooze(Cause::of("database"), DATABASE_AWAY),
            Self::Skip(reason) => Outcome::Skipped(reason.as_str()),
            Self::Restrained(restraint) => decide_restraint(restraint),
            Self::Hold(reason) => Outcome::Held(Cause::of(reason.as_str())),
            Self::NoAgent => Outcome::Skipped("no_agent"),
            Self::ModelDeclined => Outcome::Skipped("model_declined"),
            Self::NoKey => Outcome::Park(Cause::of("no_key")),
            Self::KeyInvalid(_) => Outcome::Park(Cause::of("key_invalid")),
            Self::KeyPaused(rest) => Outcome::Snooze(Cause::of("key_paused"), rest),
            Self::UnknownProvider => Outcome::Park(Cause::of("unknown_provider")),
            Self::Vault(_) | Self::Access(_) => Outcome::Park(Cause::of("secret_unreadable")),
            Self::OAuth(error) if error.is_credential() => {
                Outcome::Park(Cause::with("smtp_login", error.code()))
            }
            Self::OAuth(error) => {
                Outcome::Snooze(Cause::with("oauth", error.code()), mail_wait(age, first_mail_wait))
            }
            Self::Provider(error) if is_too_long_at_last(&error, attempt, config) => {
                Outcome::Held(Cause::of("context_too_long"))
            }
            Self::NoRoom => Outcome::Held(Cause::of("context_too_long")),
            Self::Provider(error) => decide_provider(&error, attempt, age, config),
            Self::ModelRefused => Outcome::Held(Cause::of("model_refused")),
            Self::NoWords => Outcome::Held(Cause::of("no_words")),
            Self::CutShort => Outcome::Held(Cause::of("cut_short")),
            Self::HoldsKey => Outcome::Held(Cause::of("key_in_answer")),
            Self::Compose(_) => Outcome::Held(Cause::of("cannot_compose")),
            Self::Brake(refusal) => decide_refusal(refusal),
            Self::TooManyPerMinute(rest) => Outcome::Snooze(Cause::of("mailbox_rate"), rest),
            Self::Smtp(error) => decide_smtp(&error, age, first_mail_wait),
            Self::Ambiguous => Outcome::Held(Cause::of("ambiguous")),
            Self::Spent => Outcome::Failed(Cause::of("attempts_used_up")),
            Self::TooLate => Outcome::Held(Cause::of("too_late")),
            Self::Forgotten => Outcome::Failed(Cause::of("text_removed")),
            Self::Unfetchable => Outcome::Failed(Cause::of("unfetchable")),
            Self::Unreadable => Outcome::Failed(Cause::of("unreadable")),
        }
    }
}

fn decide_restraint(restraint: Restraint) -> Outcome {
    match restraint {
        Restraint::Blocked => Outcome::Skipped("sender_blocked"),
        Restraint::NotAllowed => Outcome::Skipped("sender_not_allowed"),
        Restraint::NotAuthenticated => Outcome::Skipped("sender_not_authenticated"),
        Restraint::Forged => Outcome::Held(Cause::of("sender_forged")),
        Restraint::Suppressed(Reason::Bounced) => Outcome::Skipped("correspondent_bounced"),
        Restraint::Suppressed(Reason::OptedOut) => Outcome::Skipped("opted_out"),
        Restraint::Suppressed(Reason::PersonWanted) => Outcome::Skipped("person_wanted"),
    }
}

fn decide_refusal(refusal: Refusal) -> Outcome {
    Outcome::Held(Cause::of(match refusal {
        Refusal::Suppressed(reason) => return decide_restraint(Restraint::Suppressed(reason)),
        Refusal::Correspondent => "correspondent_limit",
        Refusal::Thread => "thread_limit",
        Refusal::Agent => "agent_limit",
        Refusal::SameContent => "same_content",
        Refusal::RobotSpeed => "robot_speed",
    }))
}

/// As long again as the run is old: doubles by itself, without a count (EM-147).
fn mail_wait(age: Duration, first: Duration) -> Duration {
    age.clamp(first, LONGEST_MAIL_WAIT.max(first))
}

/// An outage is nobody's fault: asked again with growing waits until the reply would come too late.
fn outage_wait(age: Duration, config: &Config) -> Duration {
    age.clamp(config.worker.retry_first, LONGEST_OUTAGE_WAIT.max(config.worker.retry_first))
}

/// As long as the provider asks for, or `own` where it does not say. Nothing counts these waits, so one that asks for
/// next to nothing again and again is asked at growing intervals, up to `own`.
fn asked_wait(error: &ProviderError, own: Duration, age: Duration) -> Duration {
    let least = (age / AGE_PER_WAIT).min(own).max(LEAST_WAIT);
    error.retry_after.map_or(own, |asked| asked.max(least))
}

/// Too long even for the last attempt, which showed the least of it.
fn is_too_long_at_last(error: &ProviderError, attempt: i64, config: &Config) -> bool {
    error.class == ErrorClass::ContextTooLong && is_last(attempt, config)
}

fn is_last(attempt: i64, config: &Config) -> bool {
    attempt + 1 >= i64::from(config.worker.max_attempts)
}

fn decide_provider(error: &ProviderError, attempt: i64, age: Duration, config: &Config) -> Outcome {
    let code = error.code.clone().or_else(|| error.status.map(|status| status.to_string()));
    let cause = |reason| Cause { reason, detail: code.clone() };
    let retry = Outcome::Retry(cause("provider_failed"), error.retry_after);
    let snooze = |reason, own| Outcome::Snooze(cause(reason), asked_wait(error, own, age));
    match error.class {
        ErrorClass::AuthInvalid => Outcome::Park(cause("key_invalid")),
        ErrorClass::Forbidden | ErrorClass::Refused => Outcome::Park(cause("provider_forbids")),
        ErrorClass::ModelNotFound => Outcome::Park(cause("model_not_found")),
        ErrorClass::QuotaExhausted => snooze("quota_exhausted", QUOTA_EXHAUSTED),
        ErrorClass::RateLimited => snooze("rate_limited", RATE_LIMITED),
        ErrorClass::Overloaded | ErrorClass::Network(_) => snooze("provider_away", outage_wait(age, config)),
        ErrorClass::ContextTooLong => Outcome::Retry(cause("context_too_long"), None),
        ErrorClass::Transient | ErrorClass::Unreadable => retry,
        // It may have been charged: one repeat, then a person decides.
        ErrorClass::Ambiguous if attempt == 0 => retry,
        ErrorClass::Ambiguous => Outcome::Held(cause("provider_silent")),
        ErrorClass::BadRequest => Outcome::Failed(cause("provider_rejects")),
        ErrorClass::ContentBlocked => Outcome::Held(cause("content_blocked")),
    }
}

fn decide_smtp(error: &SmtpError, age: Duration, first: Duration) -> Outcome {
    let code = error.reply_code().map_or_else(String::new, |code| format!("{code} "));
    let cause = |reason| Cause::with(reason, format!("{code}{}", error.phase));
    let before_the_mail = matches!(
        error.phase,
        Phase::Connect | Phase::Greeting | Phase::Hello | Phase::StartTls | Phase::Login
    );
    if error.is_credential() {
        Outcome::Park(cause("smtp_login"))
    } else if error.is_transient() {
        Outcome::Snooze(cause("smtp_later"), mail_wait(age, first))
    } else if before_the_mail {
        Outcome::Park(cause("smtp_unusable"))
    } else {
        Outcome::Failed(cause("smtp_refused"))
    }
}

/// A refused or exhausted key stops all runs that would use it, not only this one (SR-2, SR-3).
pub(super) async fn mark_key(
    scribe: &Scribe,
    error: &ProviderError,
    configuration: &AiConfiguration,
) -> Result<(), StoreError> {
    let wait = |own: Duration| error.retry_after.map_or(own, |asked| asked.max(LEAST_WAIT));
    let rest = |own: Duration| Some(scribe.store.clock().now().plus(wait(own)));
    let (state, resume_at) = match error.class {
        ErrorClass::AuthInvalid => {
            return scribe.store.mark_key(configuration, KeyMark::refused(configuration)).await;
        }
        ErrorClass::QuotaExhausted => (KeyState::Exhausted, rest(QUOTA_EXHAUSTED)),
        ErrorClass::RateLimited => (KeyState::Active, rest(RATE_LIMITED)),
        _ => return Ok(()),
    };
    let provider = &configuration.provider;
    let sentence = (state == KeyState::Exhausted)
        .then(|| format!("{provider} says that your money or quota is used up: your mail waits for it."));
    let notice = sentence.map(|sentence| NewNotice {
        user: configuration.user_id,
        cause: format!("ai_configuration:{}", configuration.id),
        kind: error.class.as_str(),
        sentence,
    });
    let mark = KeyMark { state, reason: error.class.as_str(), resume_at, notice };
    scribe.store.mark_key(configuration, mark).await
}

/// What the owner must be told of this outcome; keys are told where they are marked.
fn notice(outcome: &Outcome, claim: &Claim, config: &Config) -> Option<NewNotice> {
    let (cause, kind, sentence) = match outcome {
        Outcome::Park(Cause { reason: "key_invalid", .. }) => return None,
        Outcome::Park(cause) => {
            let about = format!("waiting:{}", cause.reason);
            let about = if cause.reason == "no_key" { "no_key".to_owned() } else { about };
            (about, cause.reason, sentence(RunState::Waiting, Some(cause.reason), cause.detail.as_deref()))
        }
        // One correspondent can have any number of mails held.
        Outcome::Held(cause) if RESTRAINTS.contains(&cause.reason) => (
            format!("held:{}", cause.reason),
            cause.reason,
            sentence(RunState::Held, Some(cause.reason), None),
        ),
        Outcome::Held(cause) => {
            let words = sentence(RunState::Held, Some(cause.reason), cause.detail.as_deref());
            (format!("run:{}", claim.id), cause.reason, format!("{words} (run {})", claim.id))
        }
        Outcome::Failed(cause) if cause.reason == "unfetchable" => {
            let words = sentence(RunState::Failed, Some(cause.reason), None);
            (format!("run:{}", claim.id), cause.reason, format!("{words} (run {})", claim.id))
        }
        Outcome::Failed(cause) => failed(cause),
        Outcome::Retry(cause, _) if is_last(claim.attempt, config) => failed(cause),
        _ => return None,
    };
    Some(NewNotice { user: claim.user_id, cause, kind, sentence })
}

/// Told once per reason, not once per mail: a wrong setting fails them all.
fn failed(cause: &Cause) -> (String, &'static str, String) {
    let words = sentence(RunState::Failed, Some(cause.reason), cause.detail.as_deref());
    (format!("failed:{}", cause.reason), cause.reason, format!("{words} (see `postkey runs list`)"))
}
