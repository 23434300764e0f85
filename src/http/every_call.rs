//! What goes around every call: an id, the caller's address, a time limit (that of its route), the headers that browsers heed, one shape
//! for refusals, and one line in the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use super::Api;
use super::client_address::Peer;
use super::error::{ApiError, ErrorCode};
use super::exposure::check_address;
use crate::config;

/// Names a call in answers and logs.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Nothing is loaded, framed or kept (SR-35); a page sets its own policy.
const NOTHING_LOADS: &str = "default-src 'none'; frame-ancestors 'none'";

pub(super) async fn surround(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = api.store.clock().new_uuid();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("unknown", MatchedPath::as_str).to_owned();
    if let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() {
        let client = api.proxies.find_client(peer.ip(), request.headers());
        request.extensions_mut().insert(client);
    }
    // A fault in one call is an answer, and does not take others of its connection along.
    let answered = AssertUnwindSafe(answer(&api, request, next)).catch_unwind();
    let mut response = match answered.await {
        Ok(response) => in_our_shape(response),
        Err(_panic) => ApiError::internal().into_response(),
    };
    add_headers(response.headers_mut(), &api.config.http);
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    tracing::info!(request = %id, %method, path, status, ms = took.as_millis(), "answered");
    response
}

async fn answer(api: &Api, request: Request, next: Next) -> Response {
    let client = request.extensions().get().copied();
    match check_address(api, request.uri(), client).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Around the handler of each route: it may take so long.
pub(super) async fn within(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(longest, next.run(request)).await;
    answered.unwrap_or_else(|_| late().into_response())
}

pub(super) async fn not_found() -> ApiError {
    ApiError::not_found()
}

fn late() -> ApiError {
    ApiError::new(ErrorCode::Timeout, "the call took too long; nothing says how much of it was done")
}

/// The framework's own refusal of a method has no body.
fn in_our_shape(response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let refusal =
        ApiError::new(ErrorCode::MethodNotAllowed, "this path has no such method; Allow lists them");
    let mut shaped = refusal.into_response();
    if let Some(allowed) = response.headers().get(header::ALLOW) {
        shaped.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    shaped
}

fn add_headers(headers: &mut HeaderMap, config: &config::Http) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, NOTHING_LOADS),
        (PERMISSIONS_POLICY, "camera=(), microphone=(), geolocation=()"),
    ];
    // Only where there is TLS in front of it (RFC 6797 section 7.2).
    let is_secure = config.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let secure = is_secure.then_some((header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    for (name, value) in fixed.into_iter().chain(secure) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
