//! The way back from OpenRouter: a browser, so it gets pages and not JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;

use super::browser_cookie::BrowserCookie;
use super::finish::{Consent, finish};
use super::nothing_open;
use crate::http::Api;
use crate::http::ai_configurations::checked_key::count_check;
use crate::http::client_address::ClientAddress;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::html;
use crate::http::secret_token;

/// Where a browser goes that was told no other place.
const CONNECTED: &str = "/oauth/openrouter/connected";

/// Longest code, in characters.
const LONGEST_CODE: usize = 512;

/// What OpenRouter adds to the URL.
struct Returned {
    code: SecretString,
    state: String,
}

/// Finish connecting OpenRouter in the browser.
///
/// OpenRouter sends the browser here. It is answered once, and only in the browser that asked for the consent.
#[utoipa::path(
    get, path = "/oauth/openrouter/callback", tag = "pages",
    params(
        ("code" = String, Query, description = "What the key is fetched with."),
        ("state" = String, Query, description = "Which consent it is."),
    ),
    responses(
        (status = SEE_OTHER, description = "OpenRouter is connected.",
            headers(("Location" = String, description = "Where the browser goes; without the code."))),
        (status = BAD_REQUEST, description = "A page: nobody waits for this.", body = String, content_type = "text/html"),
        (status = UNPROCESSABLE_ENTITY, description = "A page: the key that came cannot be used, or OpenRouter does not answer as it should.", body = String, content_type = "text/html"),
        (status = TOO_MANY_REQUESTS, description = "Too many calls; `Retry-After` says when to come back.",
            content((String = "text/html"), (ErrorBody = "application/json"))),
        (status = SERVICE_UNAVAILABLE, description = "The server cannot do it now; `Retry-After` says when to try again.",
            content((String = "text/html"), (ErrorBody = "application/json"))),
    ),
)]
pub(crate) async fn callback(
    State(api): State<Arc<Api>>,
    address: ClientAddress,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    // Whoever only looks at what is behind a link asks with HEAD, which must not change anything (RFC 9110 section 9.2.1).
    if method != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")]).into_response();
    }
    // Without a public URL no consent leads here.
    let Some(public_url) = &api.config.http.public_url else { return page(nothing_open()) };
    let cookie = BrowserCookie::at(public_url);
    let consent = match accept(&api, address, returned(&uri), cookie.read(&headers)).await {
        Ok(consent) => consent,
        Err(error) => return page(error),
    };
    let (consent, code) = consent;
    let answer = match finish(&api, &consent, &code).await {
        Ok(_) => {
            let path = consent.state.return_path.as_deref().unwrap_or(CONNECTED);
            (StatusCode::SEE_OTHER, [(LOCATION, format!("{public_url}{path}"))]).into_response()
        }
        Err(error) => page(error),
    };
    ([cookie.clear()], answer).into_response()
}

/// OpenRouter is connected.
#[utoipa::path(
    get, path = "/oauth/openrouter/connected", tag = "pages",
    responses((status = OK, description = "A page that says so.", body = String, content_type = "text/html")),
)]
pub(crate) async fn connected() -> impl IntoResponse {
    let sentence = "<p>Your agents can answer with its key. You may close this page.";
    ([html::policy()], html::page("OpenRouter is connected", sentence))
}

/// Uses the consent up; whoever was not asked for it gets nothing and uses nothing up.
async fn accept(
    api: &Api,
    address: ClientAddress,
    returned: Option<Returned>,
    browser: Option<String>,
) -> Result<(Consent, SecretString), ApiError> {
    let (Returned { code, state }, browser) = returned.zip(browser).ok_or_else(nothing_open)?;
    let (state, browser) = (secret_token::hash(&state), secret_token::hash(&browser));
    let state = api.store.use_oauth_state(state, browser).await?.ok_or_else(nothing_open)?;
    count_check(api, state.user_id).await?;
    Ok((Consent { state, address }, code))
}

/// Each of the two, exactly once.
fn returned(uri: &Uri) -> Option<Returned> {
    let pairs: Vec<_> = url::form_urlencoded::parse(uri.query()?.as_bytes()).collect();
    let only = |wanted: &str| {
        let mut values = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
        let (only, None) = (values.next()?, values.next()) else { return None };
        Some(only.to_string())
    };
    let code = only("code").filter(|code| (1..=LONGEST_CODE).contains(&code.len()))?;
    Some(Returned { code: code.into(), state: only("state")? })
}

fn page(error: ApiError) -> Response {
    let text = html::page("OpenRouter is not connected", &format!("<p>{}", error.sentence()));
    // The status and its headers stay as for every other refusal.
    let (mut parts, _) = error.into_response().into_parts();
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    (parts.status, parts.headers, [html::policy()], text).into_response()
}
