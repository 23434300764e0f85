//! What an error body means: the tables of OpenAI, OpenRouter and Gemini, and what compatible servers make of
//! them. Nothing of the texts is kept.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::error::{ErrorClass, ProviderError};
use super::kind::Provider;
use super::wait::{wait_of_google, wait_of_headers, wait_until};

/// Who answered an error, with what.
pub(super) struct Complaint<'a> {
    /// Who was asked.
    pub(super) provider: Provider,
    /// The HTTP status, or the one that an error inside a success names.
    pub(super) status: u16,
    /// The answer's headers.
    pub(super) headers: &'a HeaderMap,
    /// The body; `Null` if it was no JSON.
    pub(super) body: &'a Value,
}

/// Codes and types whose meaning does not depend on the status: they are read first, because "no money" comes as
/// 402, 403 or 429.
const WORDS: [(ErrorClass, &[&str]); 8] = [
    (
        ErrorClass::QuotaExhausted,
        &[
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "insufficient_balance",
            "payment_required",
        ],
    ),
    (ErrorClass::RateLimited, &["slow_down", "rate_limit_exceeded"]),
    (
        ErrorClass::Overloaded,
        &[
            "server_is_overloaded",
            "service_unavailable_error",
            "overloaded_error",
            "capacity_exceeded",
            "unavailable_error",
        ],
    ),
    (ErrorClass::ContextTooLong, &["context_length_exceeded", "exceed_context_size_error"]),
    (ErrorClass::Forbidden, &["unsupported_country_region_territory", "organization_restricted"]),
    (ErrorClass::AuthInvalid, &["invalid_api_key", "api_key_invalid", "access_token_type_unsupported"]),
    (ErrorClass::ModelNotFound, &["model_not_found", "deploymentnotfound"]),
    (ErrorClass::ContentBlocked, &["content_filter", "content_policy_violation", "moderation_blocked"]),
];

/// Phrases of servers that have no code for a conversation that is too long.
const TOO_LONG: [&str; 4] =
    ["context length", "context window", "context size", "exceeds the maximum number of tokens"];

/// Phrases for a good key used from a place that it is not allowed from.
const WRONG_PLACE: [&str; 2] = ["ip address", "ip not authorized"];

impl Complaint<'_> {
    /// What the run has to know.
    pub(super) fn to_error(&self) -> ProviderError {
        let class = self.overridden(self.class());
        let is_charged = class == ErrorClass::Ambiguous || self.status == 504;
        ProviderError {
            class,
            status: Some(self.status),
            code: self.code(),
            retry_after: self.retry_after(class),
            request_id: None,
            maybe_charged: is_charged,
        }
    }

    /// The parameter that the model does not support, if that is the complaint.
    pub(super) fn unsupported_parameter(&self) -> Option<&str> {
        let is_unsupported =
            self.words().any(|word| matches!(word, "unsupported_parameter" | "unsupported_value"));
        if self.status == 400 && is_unsupported { self.error().get("param")?.as_str() } else { None }
    }

    fn class(&self) -> ErrorClass {
        let by_word = WORDS.iter().find(|(_, known)| {
            self.words().any(|word| known.iter().any(|known| word.eq_ignore_ascii_case(known)))
        });
        match by_word {
            Some((class, _)) => *class,
            None => self.class_of_status(),
        }
    }

    fn class_of_status(&self) -> ErrorClass {
        match self.status {
            401 if self.says(&WRONG_PLACE) => ErrorClass::Forbidden,
            401 => ErrorClass::AuthInvalid,
            402 if self.limit_source() == Some("openrouter_in_flight_budget") => ErrorClass::RateLimited,
            402 => ErrorClass::QuotaExhausted,
            403 if self.is_budget() => ErrorClass::QuotaExhausted,
            403 if self.is_flagged() => ErrorClass::ContentBlocked,
            403 => ErrorClass::Forbidden,
            404 => ErrorClass::ModelNotFound,
            408 if self.provider == Provider::OpenRouter => ErrorClass::Ambiguous,
            408 | 409 => ErrorClass::Transient,
            429 if self.is_daily_quota() => ErrorClass::QuotaExhausted,
            429 => ErrorClass::RateLimited,
            498 | 503 | 529 => ErrorClass::Overloaded,
            504 if self.provider == Provider::Gemini => ErrorClass::Ambiguous,
            524 => ErrorClass::Ambiguous,
            500.. => ErrorClass::Transient,
            400 if self.error_text("status") == Some("FAILED_PRECONDITION") => ErrorClass::Forbidden,
            400 | 413 | 422 if self.says(&TOO_LONG) => ErrorClass::ContextTooLong,
            _ => ErrorClass::BadRequest,
        }
    }

    /// `x-should-retry` overrides what codes and statuses suggest about trying again (not whose fault it is).
    fn overridden(&self, class: ErrorClass) -> ErrorClass {
        let header = self.headers.get("x-should-retry").and_then(|value| value.to_str().ok());
        match (header, class) {
            (Some("true"), ErrorClass::BadRequest) => ErrorClass::Transient,
            (Some("false"), ErrorClass::Overloaded | ErrorClass::Transient) => ErrorClass::BadRequest,
            (Some("false"), ErrorClass::RateLimited) => ErrorClass::QuotaExhausted,
            _ => class,
        }
    }

    fn retry_after(&self, class: ErrorClass) -> Option<Duration> {
        if class == ErrorClass::QuotaExhausted && self.is_daily_quota() {
            // Google names the next minute even when the day is used up.
            return None;
        }
        wait_of_headers(self.headers)
            .or_else(|| wait_until(self.headers, self.metadata("resets_at")?.as_str()?))
            .or_else(|| self.details().find_map(|detail| wait_of_google(detail.get("retryDelay")?.as_str()?)))
    }

    /// The most telling word, if it has the form of a code.
    fn code(&self) -> Option<String> {
        let word = self.words().next()?.to_ascii_lowercase();
        let is_code_character =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
        let is_code = (1..=64).contains(&word.len()) && word.bytes().all(is_code_character);
        is_code.then_some(word)
    }

    /// Every machine-readable word about the error, the most telling first.
    fn words(&self) -> impl Iterator<Item = &str> {
        let reasons = self.details().filter_map(|detail| detail.get("reason")?.as_str());
        let source = self.limit_source().into_iter();
        let own = ["code", "type", "status"].into_iter().filter_map(|key| self.error_text(key));
        reasons.chain(source).chain(own)
    }

    /// The error object: under `error`, flat (vLLM), or either of them in an array (Gemini).
    fn error(&self) -> &Value {
        let body = self.body.get(0).unwrap_or(self.body);
        body.get("error").filter(|error| error.is_object()).unwrap_or(body)
    }

    fn error_text(&self, key: &str) -> Option<&str> {
        self.error().get(key)?.as_str()
    }

    fn metadata(&self, key: &str) -> Option<&Value> {
        self.error().get("metadata")?.get(key)
    }

    fn limit_source(&self) -> Option<&str> {
        self.metadata("limit_source")?.as_str()
    }

    fn is_budget(&self) -> bool {
        let budgets = ["openrouter_key_limit", "openrouter_workspace_budget", "openrouter_guardrail_budget"];
        self.limit_source().is_some_and(|source| budgets.contains(&source))
    }

    fn is_flagged(&self) -> bool {
        self.metadata("flagged_input").is_some() || self.metadata("reasons").is_some()
    }

    /// Google's list of typed details.
    fn details(&self) -> impl Iterator<Item = &Value> {
        self.error().get("details").and_then(Value::as_array).into_iter().flatten()
    }

    fn is_daily_quota(&self) -> bool {
        let violations = self.details().filter_map(|detail| detail.get("violations")?.as_array()).flatten();
        let mut ids = violations.filter_map(|violation| violation.get("quotaId")?.as_str());
        ids.any(|id| id.contains("PerDay"))
    }

    /// Whether the message has one of these phrases; the message goes no further.
    fn says(&self, phrases: &[&str]) -> bool {
        let message = self.error_text("message").or_else(|| self.body.get("error")?.as_str());
        let message = message.unwrap_or_default().to_ascii_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }
}
