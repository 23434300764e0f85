//! One shape for everything that is refused: `{"error":{"code","message","details"}}`.
//!
//! A code is stable and says which case it is; the message is for people and says what to do; details are for
//! programs. No secret, no text of a mail and no value that was sent is repeated.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::store::StoreError;
use crate::vault::VaultError;

/// What OpenAI's client libraries heed before they try again.
pub(super) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Which case it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The body is not JSON.
    MalformedJson,
    /// A header is not what it must be.
    InvalidHeader,
    /// There is no valid token with the call.
    Unauthorized,
    /// The security token is not good for this call.
    InvalidSecurityToken,
    /// There is more than one credential with the call.
    ConflictingCredentials,
    /// A key or a token stands in the address (URL) of the call.
    CredentialInUrl,
    /// The address or the password is wrong.
    WrongCredentials,
    /// The token may not do this.
    Forbidden,
    /// Nobody may sign up.
    SignUpClosed,
    /// An invitation is needed that is good.
    NotInvited,
    /// This server mails no links to reset a password.
    ResetUnavailable,
    /// The link to reset a password is used, too old, or wrong.
    LinkInvalid,
    /// This server has no public URL that a browser could come back to.
    CallbackUnavailable,
    /// Nobody waits for this consent or its code, or the code is wrong.
    ConsentInvalid,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
    /// The call did not arrive, or was not answered, in time.
    Timeout,
    /// There is one already.
    AlreadyExists,
    /// Another agent answers the same mail.
    AddressTaken,
    /// Where it stands now, this cannot be done with it.
    WrongState,
    /// There are as many as there may be.
    LimitReached,
    /// The same `Idempotency-Key` is being worked on.
    InProgress,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is said to be something else than JSON.
    UnsupportedMediaType,
    /// A field has a value that it cannot have.
    InvalidInput,
    /// There is no such provider, or it cannot be called yet.
    ProviderUnsupported,
    /// The key cannot be one of this provider, or the provider refuses it.
    KeyRefused,
    /// The change needs the key to be given again.
    KeyNeeded,
    /// The `Idempotency-Key` was used for another call, or by another key or token.
    IdempotencyKeyReused,
    /// There is no key to ask a provider with.
    NoKey,
    /// The provider does not take the question.
    ProviderRefused,
    /// The key's money or quota at its provider is used up.
    QuotaExhausted,
    /// The provider has too much to do, or wants the key to rest.
    ProviderBusy,
    /// The provider does not answer as it should.
    ProviderFailed,
    /// Too many calls or attempts.
    TooManyRequests,
    /// A fault of the program.
    Internal,
    /// The server cannot do it now.
    Unavailable,
}

impl ErrorCode {
    fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson
            | Self::InvalidHeader
            | Self::ConflictingCredentials
            | Self::CredentialInUrl
            | Self::ConsentInvalid => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::InvalidSecurityToken | Self::WrongCredentials => {
                StatusCode::UNAUTHORIZED
            }
            Self::Forbidden
            | Self::SignUpClosed
            | Self::NotInvited
            | Self::ResetUnavailable
            | Self::CallbackUnavailable
            | Self::LinkInvalid => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::AlreadyExists
            | Self::AddressTaken
            | Self::WrongState
            | Self::LimitReached
            | Self::InProgress => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidInput
            | Self::ProviderUnsupported
            | Self::KeyRefused
            | Self::KeyNeeded
            | Self::NoKey
            | Self::ProviderRefused
            | Self::ProviderFailed
            | Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::QuotaExhausted => StatusCode::PAYMENT_REQUIRED,
            Self::TooManyRequests | Self::ProviderBusy => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A call that was refused or failed.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    message: Cow<'static, str>,
    details: Option<Value>,
    retry_after: Option<Duration>,
    should_retry: Option<bool>,
}

impl ApiError {
    /// A case with a sentence that says what to do.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), details: None, retry_after: None, should_retry: None }
    }

    /// With what a program needs to know.
    pub fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// With the time after which it may work.
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Whether a program may try again by itself, where the status does not say it.
    pub(super) fn with_retry(mut self, should_retry: bool) -> Self {
        self.should_retry = Some(should_retry);
        self
    }

    /// What is told of it where there is no status any more.
    pub(super) fn into_body(self) -> ErrorBody {
        ErrorBody {
            error: ErrorDescription { code: self.code, message: self.message, details: self.details },
        }
    }

    /// A field of the body with a value that it cannot have; `problem` completes the sentence that begins with the
    /// field's name.
    pub fn field(name: &str, problem: &str) -> Self {
        let message = format!("`{name}` {problem}");
        Self::new(ErrorCode::InvalidInput, message).with(serde_json::json!({ "field": name }))
    }

    /// What to do, as a sentence on a page.
    pub(super) fn sentence(&self) -> String {
        let mut letters = self.message.chars();
        let first = letters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(letters).chain(['.']).collect()
    }

    /// Unknown and foreign things alike (SR-54).
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no such thing; check the path and the id")
    }

    /// Every way in which a token can be wrong alike.
    pub fn unauthorized() -> Self {
        Self::new(
            ErrorCode::Unauthorized,
            "this call needs a valid token; sign in, and send it as `Authorization: Bearer <token>`",
        )
    }

    /// Every way in which a security token can be wrong alike (SR-50).
    pub fn invalid_security_token() -> Self {
        let message = "this security token is not good for this call; ask for a new one where it was made";
        Self::new(ErrorCode::InvalidSecurityToken, message)
    }

    /// More than one credential, of which only one can be meant (SR-51).
    pub fn conflicting_credentials() -> Self {
        let message = "a security token stands alone: leave out every other key and token";
        Self::new(ErrorCode::ConflictingCredentials, message)
    }

    /// A fault of the program; what it was belongs into the log.
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "the server failed; the log of its operator says why")
    }

    /// Too many calls or attempts; the same works after `wait`.
    pub fn too_many(wait: Duration) -> Self {
        Self::new(ErrorCode::TooManyRequests, "too many calls; wait as long as Retry-After says").after(wait)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.may_pass() {
            tracing::warn!(%error, "a call failed");
            let message = "the server cannot do this right now; try again in a moment";
            return Self::new(ErrorCode::Unavailable, message).after(Duration::from_secs(1));
        }
        tracing::error!(%error, "a call failed");
        Self::internal()
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        tracing::error!(%error, "a call failed");
        Self::internal()
    }
}

/// The body of every refusal.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    error: ErrorDescription,
}

/// What was refused, and why.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorDescription {
    /// Which case it is; stable.
    code: ErrorCode,
    /// What to do, for people.
    message: Cow<'static, str>,
    /// More about it, for programs; an object, or null.
    details: Option<Value>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let (retry_after, should_retry) = (self.retry_after, self.should_retry);
        let mut response = (status, Json(self.into_body())).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(should_retry) = should_retry {
            let word = if should_retry { "true" } else { "false" };
            headers.insert(SHOULD_RETRY, HeaderValue::from_static(word));
        }
        if let Some(wait) = retry_after {
            // At least a second, and never too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero());
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
