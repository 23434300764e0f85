//! What a failed call means for the run.

use std::fmt;
use std::time::Duration;

use crate::net::NetError;

/// A call without a usable answer. It holds no text of the other side, so it may be stored and logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// What to do next.
    pub class: ErrorClass,
    /// The HTTP status, if one came.
    pub status: Option<u16>,
    /// The provider's or our own short code: at most 64 of `a-z 0-9 _ . -`.
    pub code: Option<String>,
    /// How long the provider asks us to wait, at most 7 days.
    pub retry_after: Option<Duration>,
    /// The provider's id of the exchange, for its support: at most 128 visible ASCII characters.
    pub request_id: Option<String>,
    /// Whether the provider may have worked, and charge for it, all the same.
    pub maybe_charged: bool,
}

/// The decision table of failed calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The key is wrong, revoked or unusable: stop every call with it until its owner saves a new one.
    AuthInvalid,
    /// The key is good but may not do this (country, address, scope): its owner must act.
    Forbidden,
    /// No money left or a spending limit reached: wait long, do not count an attempt.
    QuotaExhausted,
    /// Too many calls: come back at the time given, do not count an attempt.
    RateLimited,
    /// The provider is overloaded: back off.
    Overloaded,
    /// The provider failed: back off.
    Transient,
    /// The request is not acceptable: asking again changes nothing.
    BadRequest,
    /// The conversation is too long: try again with less of it.
    ContextTooLong,
    /// There is no such model for this key.
    ModelNotFound,
    /// The provider blocked the content: a person decides.
    ContentBlocked,
    /// Sent, but no complete answer came: it may have been charged. One repeat at most.
    Ambiguous,
    /// An answer came that makes no sense: it was probably charged.
    Unreadable,
    /// No connection, nothing was sent.
    Network(NetError),
    /// Our guard does not allow the destination (SR-58): its owner must act.
    Refused,
}

impl ErrorClass {
    /// A stable name for rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthInvalid => "auth_invalid",
            Self::Forbidden => "forbidden",
            Self::QuotaExhausted => "quota_exhausted",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Transient => "transient",
            Self::BadRequest => "bad_request",
            Self::ContextTooLong => "context_too_long",
            Self::ModelNotFound => "model_not_found",
            Self::ContentBlocked => "content_blocked",
            Self::Ambiguous => "ambiguous",
            Self::Unreadable => "unreadable",
            Self::Network(_) => "network",
            Self::Refused => "refused",
        }
    }
}

impl ProviderError {
    /// An error of our own side, before anything was sent.
    pub(super) fn unsent(class: ErrorClass, code: &str) -> Self {
        let code = Some(code.to_owned());
        Self { class, status: None, code, retry_after: None, request_id: None, maybe_charged: false }
    }

    /// What the network's errors mean before anything was sent.
    pub(super) fn unreached(error: NetError) -> Self {
        let class = match error {
            NetError::Refused(_) => ErrorClass::Refused,
            other => ErrorClass::Network(other),
        };
        Self::unsent(class, error.code())
    }

    /// The request is out and what became of it is unknown.
    pub(super) fn ambiguous(error: NetError) -> Self {
        Self { maybe_charged: true, ..Self::unsent(ErrorClass::Ambiguous, error.code()) }
    }

    /// A success that cannot be used.
    pub(super) fn unreadable(status: u16, code: &str) -> Self {
        let known = Self::unsent(ErrorClass::Unreadable, code);
        Self { status: Some(status), maybe_charged: true, ..known }
    }

    /// The error without words that repeat a part of the key, which some servers do.
    pub(super) fn without_key(mut self, key: &str) -> Self {
        self.code = self.code.filter(|code| !repeats_key(code, key));
        self.request_id = self.request_id.filter(|id| !repeats_key(id, key));
        self
    }
}

/// Whether any 12 characters in a row (all, if there are fewer, but at least 8) of a word are also in the key.
fn repeats_key(word: &str, key: &str) -> bool {
    let (word, key) = (word.to_ascii_lowercase(), key.to_ascii_lowercase());
    let run = word.len().min(12);
    run >= 8
        && word.as_bytes().windows(run).any(|part| key.as_bytes().windows(run).any(|of_key| of_key == part))
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the provider call failed: {}", self.class.as_str())?;
        if let Some(code) = &self.code {
            write!(f, ", code {code}")?;
        }
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ProviderError {}
