//! Asking for a consent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::response::AppendHeaders;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::browser_cookie::BrowserCookie;
use super::return_path::ReturnPath;
use super::{CALLBACK, LIFE};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::secret_token::SecretToken;
use crate::provider::{Provider, code_challenge};
use crate::store::{NewOauthState, OauthStateId, VERIFIER_COLUMN};
use crate::vault::Place;

/// How a consent is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConnectInput {
    /// True where no browser can come back: OpenRouter shows a code instead, for `POST /api/openrouter/exchange`.
    #[serde(default)]
    headless: bool,
    /// Where the browser goes afterwards: a path of this server; a page that says that it is done, unless it is given.
    #[serde(default, alias = "return_path")]
    return_path: Option<ReturnPath>,
}

/// Where to consent.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectAnswer {
    /// What to open in the browser of the user.
    #[schema(format = "uri")]
    authorize_url: String,
    /// How long it is good, in seconds.
    #[schema(example = 600)]
    expires_in: u64,
}

/// A consent that is about to be asked for. Its secrets are in the row as hashes, or sealed.
struct Asked {
    state: SecretToken,
    browser: SecretToken,
    verifier: SecretString,
}

/// Connect OpenRouter without showing a key to anybody.
///
/// Open the URL in the same browser that made this call: a cookie of its answer is needed on the way back, after which
/// there is an AI configuration for `openrouter` with a key of its own. A session asks for one consent at a time.
#[utoipa::path(
    post, path = "/api/openrouter/connect", tag = "ai-config", request_body = ConnectInput,
    responses(
        (status = OK, description = "Where to consent.", body = ConnectAnswer,
            headers(("Set-Cookie" = String, description = "Unless it is headless: proves the browser on the way back."))),
        (status = FORBIDDEN, description = "This server has no public URL; use `headless`.", body = ErrorBody),
    ),
)]
pub(crate) async fn connect(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<ConnectInput>,
) -> Result<(AppendHeaders<Vec<(HeaderName, String)>>, Json<ConnectAnswer>), ApiError> {
    let public_url = match (&api.config.http.public_url, input.headless) {
        (_, true) => None,
        (Some(public_url), false) => Some(public_url.as_str()),
        (None, false) => return Err(no_way_back()),
    };
    let verifier = SecretString::from(SecretToken::new()?.text);
    let asked = Asked { state: SecretToken::new()?, browser: SecretToken::new()?, verifier };
    let authorize_url = authorize_url(&api, &asked, public_url)?;
    note(&api, &caller, &asked, input).await?;
    let cookie = public_url.map(|public_url| BrowserCookie::at(public_url).set(&asked.browser.text));
    let answer = ConnectAnswer { authorize_url, expires_in: LIFE.as_secs() };
    Ok((AppendHeaders(cookie.into_iter().collect()), Json(answer)))
}

async fn note(api: &Api, caller: &Caller, asked: &Asked, input: ConnectInput) -> Result<(), ApiError> {
    let clock = api.store.clock();
    let id = OauthStateId::new(clock);
    let (owner, record, provider) = (caller.user.uuid(), id.uuid(), Provider::OpenRouter.as_str());
    let place = Place { column: VERIFIER_COLUMN, owner, record, provider };
    let new = NewOauthState {
        id,
        user: caller.user,
        session: caller.session()?,
        state_hash: asked.state.hash.clone(),
        browser_hash: (!input.headless).then(|| asked.browser.hash.clone()),
        verifier: api.vault.seal(&place, &asked.verifier)?,
        return_path: input.return_path.map(|path| path.0),
        expires_at: clock.now().plus(LIFE),
    };
    let entry = caller.entry("openrouter_connect_begun", None);
    Ok(api.store.add_oauth_state(new, entry).await?)
}

/// The consent page. The way back is built from the configuration, never from the call (SR-10).
fn authorize_url(api: &Api, asked: &Asked, public_url: Option<&str>) -> Result<String, ApiError> {
    let mut url = Url::parse(&api.config.openrouter.authorize_url).map_err(|_| ApiError::internal())?;
    let mut query = url.query_pairs_mut();
    if let Some(public_url) = public_url {
        query.append_pair("callback_url", &format!("{public_url}{CALLBACK}"));
        query.append_pair("state", &asked.state.text);
    } else {
        query.append_pair("key_label", &api.config.provider.app_title);
    }
    query.append_pair("code_challenge", &code_challenge(&asked.verifier));
    query.append_pair("code_challenge_method", "S256");
    drop(query);
    Ok(url.into())
}

fn no_way_back() -> ApiError {
    let message = "this server has no public URL for the way back; connect with `\"headless\": true`, or ask its operator";
    ApiError::new(ErrorCode::CallbackUnavailable, message)
}
