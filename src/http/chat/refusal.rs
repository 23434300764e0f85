//! What a chat without an answer tells whoever asked.

use std::time::Duration;

use serde_json::json;

use super::means::no_key;
use crate::http::error::{ApiError, ErrorCode};
use crate::provider::{ErrorClass, ProviderError};
use crate::run::ChatError;

/// When to come back where a provider does not say it.
const BUSY: Duration = Duration::from_secs(30);

impl From<ChatError> for ApiError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Store(error) => error.into(),
            ChatError::Vault(error) => error.into(),
            ChatError::TooMany => Self::too_many(Duration::from_secs(1)),
            ChatError::NoModel => {
                Self::field("model", "must name a model: no AI configuration says which is meant")
            }
            ChatError::TooManyTokens(most) => Self::field(
                "max_completion_tokens",
                &format!("must be at most {most}, as the key's owner wants"),
            ),
            ChatError::NoKey => no_key(),
            ChatError::KeyInvalid => key_refused(),
            ChatError::KeyPaused(rest) => busy(Some(rest)),
            ChatError::Provider(error) => of_provider(&error),
        }
    }
}

fn of_provider(error: &ProviderError) -> ApiError {
    let refusal = match error.class {
        ErrorClass::AuthInvalid => key_refused(),
        ErrorClass::QuotaExhausted => {
            let message =
                "the provider says that the key's money or quota is used up; its owner must act there";
            ApiError::new(ErrorCode::QuotaExhausted, message)
        }
        ErrorClass::RateLimited => busy(error.retry_after),
        ErrorClass::Overloaded => {
            let message = "the provider has too much to do; wait as long as Retry-After says";
            ApiError::new(ErrorCode::ProviderBusy, message).after(error.retry_after.unwrap_or(BUSY))
        }
        ErrorClass::BadRequest => refused("the provider does not take this question"),
        ErrorClass::Forbidden => refused("the provider does not let this key do this"),
        ErrorClass::ModelNotFound => refused("the provider has no such model for this key"),
        ErrorClass::ContextTooLong => {
            refused("the conversation is longer than the model reads; leave some out")
        }
        ErrorClass::ContentBlocked => refused("the provider blocks this conversation for what is in it"),
        ErrorClass::Refused => refused("this server does not go to the provider's address"),
        ErrorClass::Transient | ErrorClass::Network(_) => {
            failed("the provider cannot answer now; try again in a moment").with_retry(true)
        }
        ErrorClass::Ambiguous => failed("the provider's answer broke off, or did not come in time"),
        ErrorClass::Unreadable => failed("the provider's answer cannot be used"),
    };
    let details = json!({
        "class": error.class.as_str(),
        "provider_status": error.status,
        "provider_code": error.code,
        "provider_request_id": error.request_id,
    });
    let refusal = refusal.with(details);
    // Clients try again by themselves, and each try may cost the owner.
    if error.maybe_charged { refusal.with_retry(false) } else { refusal }
}

fn key_refused() -> ApiError {
    let message = "the provider refuses the key; its owner must save a new one";
    ApiError::new(ErrorCode::KeyRefused, message)
}

fn busy(rest: Option<Duration>) -> ApiError {
    let message = "the provider wants this key to rest; wait as long as Retry-After says";
    ApiError::new(ErrorCode::ProviderBusy, message).after(rest.unwrap_or(BUSY))
}

fn refused(message: &'static str) -> ApiError {
    ApiError::new(ErrorCode::ProviderRefused, message)
}

fn failed(message: &'static str) -> ApiError {
    ApiError::new(ErrorCode::ProviderFailed, message)
}
