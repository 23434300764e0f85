//! `Idempotency-Key`: a creating call that comes again, since its answer got lost, is answered and not carried out
//! again.
//!
//! Only what was done is kept; a call that was refused may be corrected and made again under the same key. Answers may
//! hold secrets that are shown once, so they are kept sealed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Api;
use super::caller::{Authority, Caller};
use super::error::{ApiError, ErrorCode};
use super::input::read_body;
use crate::store::{ANSWER_COLUMN, Known, NamedCall, UserId};
use crate::vault::{Place, Sealed};

/// The header that names a call.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Longest name, in bytes.
const LONGEST: usize = 255;
/// How much longer than a call of its route may take nothing is begun again.
const MARGIN: Duration = Duration::from_secs(30);

/// Around the handlers of creating calls, which may take so long; behind the check of who calls.
pub(super) async fn once(
    State((api, longest)): State<(Arc<Api>, Duration)>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(name) = name_of(&request)? else { return Ok(next.run(request).await) };
    let (parts, body) = read_body(request, api.config.http.max_body_bytes).await?;
    let call = NamedCall {
        id: api.store.clock().new_uuid(),
        user: caller.user,
        name,
        fingerprint: fingerprint(&api, &caller, &parts, &body),
    };
    let (user, id) = (call.user, call.id);
    let given_up = api.store.clock().now().minus(longest + MARGIN);
    match api.store.begin_named_call(call, given_up).await? {
        Known::New => {
            let request = Request::from_parts(parts, Body::from(body));
            // A task of its own: the client may go away before the answer is kept, and will ask for it again.
            let carried_out =
                tokio::spawn(async move { keep(&api, user, id, next.run(request).await).await });
            carried_out.await.unwrap_or_else(|_| Err(ApiError::internal()))
        }
        Known::InProgress => Err(in_progress()),
        Known::Different => Err(different()),
        Known::Answered { id, status, answer } => replay(&api, user, id, status, answer),
    }
}

fn name_of(request: &Request) -> Result<Option<String>, ApiError> {
    let mut sent = request.headers().get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = sent.next() else { return Ok(None) };
    let name = first.to_str().ok().filter(|name| {
        (1..=LONGEST).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match (name, sent.next()) {
        (Some(name), None) => Ok(Some(name.to_owned())),
        _ => Err(invalid()),
    }
}

/// Of who calls, the method, the path and the body. Sessions of a person come and go and are one; a key or a token does
/// not get what somebody else was answered, who may do more. Keyed, since a body may hold a password: whoever reads the
/// row must not be able to try passwords on it. Under another active key the same call is another one, and refused.
fn fingerprint(api: &Api, caller: &Caller, parts: &Parts, body: &Bytes) -> String {
    let authority = match &caller.authority {
        Authority::Session(_) => String::new(),
        Authority::ApiKey(key, _) => key.to_string(),
        Authority::SecurityToken(pass) => pass.token.to_string(),
    };
    let user = caller.user.uuid();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let parts = [user.as_bytes(), authority.as_bytes(), method.as_bytes(), path.as_bytes(), body];
    api.vault.call_tag(&parts).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn keep(api: &Api, user: UserId, id: Uuid, response: Response) -> Result<Response, ApiError> {
    if !response.status().is_success() {
        api.store.forget_named_call(user, id).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = SecretString::from(String::from_utf8_lossy(&body).into_owned());
    let sealed = api.vault.seal(&place(user, id), &text)?;
    let status = i64::from(parts.status.as_u16());
    api.store.answer_named_call(user, id, status, sealed.as_stored().to_owned()).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(api: &Api, user: UserId, id: Uuid, status: i64, answer: String) -> Result<Response, ApiError> {
    let body = api.vault.open(&place(user, id), &Sealed::from_stored(answer))?;
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REPLAYED, HeaderValue::from_static("true")),
    ];
    Ok((status.unwrap_or(StatusCode::OK), headers, body.expose_secret().to_owned()).into_response())
}

fn place(user: UserId, id: Uuid) -> Place<'static> {
    Place { column: ANSWER_COLUMN, owner: user.uuid(), record: id, provider: "" }
}

fn invalid() -> ApiError {
    let message = format!("`Idempotency-Key` must be one text of 1 to {LONGEST} visible ASCII characters");
    ApiError::new(ErrorCode::InvalidHeader, message)
}

fn in_progress() -> ApiError {
    let message = "a call with this `Idempotency-Key` is being worked on; ask again in a moment";
    ApiError::new(ErrorCode::InProgress, message).after(Duration::from_secs(1))
}

fn different() -> ApiError {
    let message = "this `Idempotency-Key` was used for another call, or by another key or token; use a new one \
                   for each call";
    ApiError::new(ErrorCode::IdempotencyKeyReused, message)
}
