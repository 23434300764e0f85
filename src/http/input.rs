//! What comes in, parsed at the border: a JSON body, an id in the path, parameters behind the `?`. Each fault says
//! which field, and repeats no value.

use std::str::FromStr;

use axum::body::{Bytes, to_bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;

use super::error::{ApiError, ErrorCode};
use super::fault::fault;
use super::object::Object;
use crate::clock::Timestamp;

/// The JSON body.
pub(super) struct Input<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            let message = "the body must be JSON, with `Content-Type: application/json`";
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, message));
        }
        let body = Bytes::from_request(request, state).await.map_err(|error| unreadable(&error))?;
        parse(&body).map(|Object(value)| Self(value))
    }
}

/// The id in the path; what is no id is not found, like an id that is nobody's.
pub(super) struct Id<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| ApiError::not_found())?;
        text.parse().map(Self).map_err(|_| ApiError::not_found())
    }
}

/// The parameters behind the `?`.
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let reader = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
        let parsed = serde_path_to_error::deserialize(reader);
        parsed.map(Self).map_err(|error| fault(&error.path().to_string(), &error.inner().to_string()))
    }
}

/// A time as RFC 3339 writes it; a fault names the parameter.
pub(super) fn read_time(name: &str, written: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let Some(written) = written else { return Ok(None) };
    let read = chrono::DateTime::parse_from_rfc3339(written);
    let time = read.map_err(|_| ApiError::field(name, "must be a time, such as 2026-11-21T08:00:00Z"))?;
    Ok(Some(Timestamp::from_millis(time.timestamp_millis())))
}

/// A field that may be left out, to stay as it is, or be null.
pub(super) type Given<T> = Option<Option<T>>;

/// Tells null from nothing; goes with [`Given`].
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Given<T>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Whether the body is said to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// The whole body of a call that is to be looked at before its handler; at most so many bytes.
pub(super) async fn read_body(request: Request, most: usize) -> Result<(Parts, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, most).await.map_err(|_| too_large())?;
    Ok((parts, body))
}

fn too_large() -> ApiError {
    ApiError::new(ErrorCode::PayloadTooLarge, "the body is larger than this server takes")
}

fn unreadable(error: &BytesRejection) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    ApiError::new(ErrorCode::MalformedJson, "the body did not arrive whole; send it again")
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        // The reader calls it syntax as well where a word is wanted and a number stands.
        let is_wrong_kind =
            path != "." && is_syntax(error.inner()) && serde_json::from_slice::<Value>(body).is_ok();
        if is_wrong_kind { fault(&path, "of another kind") } else { explain(&path, error.inner()) }
    })?;
    reader.end().map_err(|error| explain(".", &error))?;
    Ok(value)
}

fn is_syntax(error: &serde_json::Error) -> bool {
    matches!(error.classify(), Category::Syntax | Category::Eof | Category::Io)
}

fn explain(path: &str, error: &serde_json::Error) -> ApiError {
    if is_syntax(error) {
        let message =
            format!("the body is not JSON; look at line {}, column {}", error.line(), error.column());
        return ApiError::new(ErrorCode::MalformedJson, message);
    }
    let said = error.to_string();
    fault(path, said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said))
}
