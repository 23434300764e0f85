//! One request to a token server (RFC 6749 section 6).

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::Grant;
use super::error::OAuthError;
use crate::net::error::{NetError, Refusal};
use crate::net::http::{HttpClient, HttpClients, Unanswered};

/// The whole exchange, from the connection to the answer's last byte.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// An answer with more bytes is not read.
const MOST_BYTES: usize = 64 * 1024;

/// Tokens have a few KiB; longer ones would fill the cache.
const LONGEST_TOKEN: usize = 16 * 1024;

/// For an answer that does not say how long its token is valid (RFC 6749 section 5.1 only recommends it).
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(300);

/// No token is kept for longer than this, whatever the answer says.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The server's own error codes are about this long.
const LONGEST_CODE: usize = 64;

/// What a token server granted.
pub(super) struct Fresh {
    /// For the mail server.
    pub access_token: SecretString,
    /// How long it is valid, counted from before the request.
    pub lifetime: Duration,
    /// Replaces the refresh token that was used, if there.
    pub refresh_token: Option<SecretString>,
}

/// Fetches an access token.
pub(super) async fn refresh(clients: &HttpClients, grant: &Grant) -> Result<Fresh, OAuthError> {
    let exchanged = tokio::time::timeout(TIME_LIMIT, exchange(clients, grant)).await;
    exchanged.unwrap_or(Err(OAuthError::Net(NetError::Timeout)))
}

async fn exchange(clients: &HttpClients, grant: &Grant) -> Result<Fresh, OAuthError> {
    let refused = |refusal| OAuthError::Net(NetError::Refused(refusal));
    let url = Url::parse(&grant.token_url).map_err(|_| refused(Refusal::Address))?;
    let client = clients.for_base(&url).map_err(OAuthError::Net)?;
    let request = ask(&client, url, grant).ok_or(refused(Refusal::Address))?;
    let response = client.execute(request).await.map_err(|unanswered| OAuthError::Net(unanswered.error))?;
    let status = response.status();
    if is_passing(status) {
        return Err(OAuthError::Unavailable(status.as_u16()));
    }
    judge(status, &read(response).await?)
}

/// The client's secret goes into the form: the big mail providers document nothing else, and accept it.
fn ask(client: &HttpClient, url: Url, grant: &Grant) -> Option<Request> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    form.append_pair("refresh_token", grant.refresh_token.expose_secret());
    form.append_pair("client_id", &grant.client_id);
    if let Some(secret) = &grant.client_secret {
        form.append_pair("client_secret", secret.expose_secret());
    }
    let request = client.request_builder().post(url).header(ACCEPT, "application/json");
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()).build().ok()
}

/// Whether a status says nothing about the grant.
fn is_passing(status: StatusCode) -> bool {
    let is_later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || is_later.contains(&status)
}

async fn read(mut response: Response) -> Result<Zeroizing<Vec<u8>>, OAuthError> {
    // All of it at once: a buffer that grows would leave copies of the tokens behind.
    let mut body = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
    let lost = |error| OAuthError::Net(Unanswered::from_client(&error).error);
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(OAuthError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// RFC 6749 sections 5.1 and 5.2 in one.
#[derive(Default, Deserialize)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    /// Seconds; some servers send them as a string.
    expires_in: Option<Value>,
    refresh_token: Option<String>,
    error: Option<String>,
}

fn judge(status: StatusCode, body: &[u8]) -> Result<Fresh, OAuthError> {
    let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
    match &answer.error {
        // Some servers refuse with status 200.
        Some(code) => Err(refusal(status, code)),
        None if !status.is_success() => Err(refusal(status, "")),
        None => accept(answer).ok_or(OAuthError::Unreadable),
    }
}

fn refusal(status: StatusCode, code: &str) -> OAuthError {
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    match code {
        "invalid_grant" => OAuthError::InvalidGrant,
        "invalid_client" => OAuthError::InvalidClient,
        "server_error" | "temporarily_unavailable" | "slow_down" => OAuthError::Unavailable(status.as_u16()),
        code if !code.is_empty() && code.len() <= LONGEST_CODE && code.bytes().all(is_code) => {
            OAuthError::Refused(code.to_owned())
        }
        _ => OAuthError::Refused(format!("http_{}", status.as_u16())),
    }
}

/// Only a bearer token is one that we know how to show (RFC 6749 section 7.1).
fn accept(answer: Answer) -> Option<Fresh> {
    let is_bearer = answer.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    let access_token = answer.access_token.filter(|token| is_bearer && is_token(token))?;
    let lifetime = answer.expires_in.as_ref().and_then(seconds).unwrap_or(UNKNOWN_LIFETIME);
    Some(Fresh {
        access_token: access_token.into(),
        lifetime: lifetime.min(LONGEST_LIFETIME),
        refresh_token: answer.refresh_token.filter(|token| is_token(token)).map(SecretString::from),
    })
}

/// Visible ASCII, so that it cannot end a SASL field or a line.
fn is_token(token: &str) -> bool {
    !token.is_empty() && token.len() <= LONGEST_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    Some(Duration::from_secs(seconds))
}
