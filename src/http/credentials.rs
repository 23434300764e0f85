//! What a call shows to prove who makes it: one credential, in a header or, where a security token can be used, in the
//! body (SR-47, SR-51).

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Api;
use super::access::Access;
use super::api_keys::text::API_KEY_PREFIX;
use super::error::ApiError;
use super::input::{is_json, read_body};
use super::object::Object;
use crate::vault::SECURITY_TOKEN_PREFIX;

/// Where a security token stands, if it is not the bearer.
pub(super) const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");
/// A provider key of the caller's own, for one call.
pub(super) const USER_API_KEY: HeaderName = HeaderName::from_static("x-user-api-key");

/// Whose key that is, or which one of a security token's is meant.
pub(super) const USER_PROVIDER: HeaderName = HeaderName::from_static("x-user-provider");
/// Where the provider of that key is.
pub(super) const USER_BASE_URL: HeaderName = HeaderName::from_static("x-user-base-url");

/// The names of a security token in a body.
const TOKEN_FIELDS: [&str; 2] = ["security_token", "securityToken"];

/// What a call shows; whether it is good is not known yet.
pub(super) enum Credential {
    /// Of a session.
    AccessToken(String),
    /// Of a program.
    ApiKey(String),
    /// For one purpose.
    SecurityToken(String),
}

/// What has to be known of a call before it is let in.
pub(super) struct Shown {
    /// The only credential, if there is one.
    pub(super) credential: Option<Credential>,
    /// The model that the body names.
    pub(super) model: Option<String>,
}

/// What a body may say that matters here.
#[derive(Default, Deserialize)]
struct Said<'b> {
    #[serde(default, borrow, alias = "securityToken")]
    security_token: Option<Cow<'b, str>>,
    #[serde(default, borrow, alias = "apiKey")]
    api_key: Option<Cow<'b, str>>,
    #[serde(default, borrow)]
    model: Option<Cow<'b, str>>,
}

impl Credential {
    fn of_bearer(text: &str) -> Self {
        let text = text.to_owned();
        if text.starts_with(API_KEY_PREFIX) {
            Self::ApiKey(text)
        } else if text.starts_with(SECURITY_TOKEN_PREFIX) {
            Self::SecurityToken(text)
        } else {
            Self::AccessToken(text)
        }
    }

    fn is_security_token(&self) -> bool {
        matches!(self, Self::SecurityToken(_))
    }
}

impl Shown {
    /// What a call gets whose credential is missing or not good.
    pub(super) fn refusal(&self) -> ApiError {
        match self.credential {
            Some(Credential::SecurityToken(_)) => ApiError::invalid_security_token(),
            _ => ApiError::unauthorized(),
        }
    }
}

/// Reads what a call shows. A security token is taken out of the body, so that nothing behind hands it on.
///
/// # Errors
/// [`ApiError::conflicting_credentials`] where a security token does not stand alone.
pub(super) async fn read(api: &Api, access: Access, request: Request) -> Result<(Shown, Request), ApiError> {
    if !matches!(access, Access::Purpose(_)) {
        let credential = choose(request.headers(), &Said::default())?;
        return Ok((Shown { credential, model: None }, request));
    }
    let (mut parts, body) = read_body(request, api.config.http.max_body_bytes).await?;
    let said = said(&parts.headers, &body);
    let credential = choose(&parts.headers, &said)?;
    let model = said.model.as_deref().map(str::to_owned);
    let may_have_token =
        said.security_token.is_some() || TOKEN_FIELDS.iter().any(|name| mentions(&body, name));
    let body = if may_have_token { without_token(&mut parts, body) } else { body };
    Ok((Shown { credential, model }, Request::from_parts(parts, Body::from(body))))
}

/// Nothing where the body is no JSON object: what is wrong with it is for the handler to say.
fn said<'b>(headers: &HeaderMap, body: &'b [u8]) -> Said<'b> {
    let said = is_json(headers).then(|| serde_json::from_slice(body).ok()).flatten();
    said.map(|Object(said)| said).unwrap_or_default()
}

/// The only credential; a security token and anything else beside it is nobody's intention.
fn choose(headers: &HeaderMap, said: &Said<'_>) -> Result<Option<Credential>, ApiError> {
    let in_header = headers.get_all(SECURITY_TOKEN).iter().map(|value| value.to_str().unwrap_or_default());
    let tokens: Vec<&str> =
        in_header.chain(said.security_token.as_deref()).filter(|token| !token.is_empty()).collect();
    let bearer = bearer(headers).map(Credential::of_bearer);
    let has_key = headers.get_all(USER_API_KEY).iter().any(|key| !key.is_empty())
        || said.api_key.as_deref().is_some_and(|key| !key.is_empty());
    match tokens.as_slice() {
        [] if has_key && bearer.as_ref().is_some_and(Credential::is_security_token) => {
            Err(ApiError::conflicting_credentials())
        }
        [] => Ok(bearer),
        [token] if !has_key && !headers.contains_key(AUTHORIZATION) => {
            Ok(Some(Credential::SecurityToken((*token).to_owned())))
        }
        _ => Err(ApiError::conflicting_credentials()),
    }
}

/// The token, if exactly one was sent (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (only, None) = (sent.next()?, sent.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Also where its value is null, and where another field's value mentions it.
fn mentions(body: &[u8], name: &str) -> bool {
    body.windows(name.len()).any(|part| part == name.as_bytes())
}

/// A body without a token stays as it came.
fn without_token(parts: &mut Parts, body: Bytes) -> Bytes {
    let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(&body) else { return body };
    let is_token = |name: &String| TOKEN_FIELDS.contains(&name.as_str());
    if !fields.keys().any(is_token) {
        return body;
    }
    fields.retain(|name, _| !is_token(name));
    let body = Bytes::from(Value::Object(fields).to_string());
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    body
}
