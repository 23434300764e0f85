//! Making a key.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::rights::Rights;
use super::settings::{Expiry, check_description, check_expiry, check_scopes};
use super::text::{ApiKeyText, NewApiKeyText};
use super::{ApiKeyAnswer, NewApiKeyAnswer, check_within, refuse, subject};
use crate::http::Api;
use crate::http::access::Scope;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::input::Input;
use crate::http::networks::{Network, to_words};
use crate::http::texts::Line;
use crate::store::{Allowance, ApiKeyId, ApiKeySettings, NewApiKey};

/// In what time new keys are counted (SR-36).
const WINDOW: Duration = Duration::from_secs(3600);

/// A new platform API key.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewApiKeyInput {
    /// What it is called; no other good key of yours has this name.
    name: Line,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: String,
    /// In whose name it acts: your own id, or left out.
    #[serde(default, alias = "user_id")]
    user_id: Option<uuid::Uuid>,
    /// What it may do; never more than you. `export:read` is everything, mails included.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// Until when it is good. A key without an end has to be asked for with the word `never`.
    #[serde(alias = "expires_at")]
    expires_at: Expiry,
    /// Networks from which alone it is good.
    #[serde(default, alias = "ip_allow")]
    #[schema(max_items = 100)]
    ip_allow: Vec<Network>,
    /// Networks from which it is not; they come first.
    #[serde(default, alias = "ip_deny")]
    #[schema(max_items = 100)]
    ip_deny: Vec<Network>,
}

/// Make a platform API key.
///
/// The key is shown this once, also where the call carries an `Idempotency-Key`: the server keeps only its hash.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "api-keys", request_body = NewApiKeyInput,
    responses(
        (status = CREATED, description = "The key; it is shown this once.", body = NewApiKeyAnswer),
        (status = CONFLICT, description = "Another key has the name, or there are too many.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<NewApiKeyInput>,
) -> Result<(StatusCode, Json<NewApiKeyAnswer>), ApiError> {
    if input.user_id.is_some_and(|user| user != caller.user.uuid()) {
        return Err(ApiError::field("userId", "must be your own id; a key acts for whoever makes it"));
    }
    let settings = ApiKeySettings {
        name: input.name.0,
        description: check_description(input.description)?,
        scopes: check_scopes(&input.scopes)?,
        ip_allow: to_words("ipAllow", &input.ip_allow)?,
        ip_deny: to_words("ipDeny", &input.ip_deny)?,
        expires_at: check_expiry(input.expires_at, api.store.clock().now())?,
    };
    let id = ApiKeyId::new(api.store.clock());
    check_within(&caller, &Rights::of(id, &settings)?)?;
    count(&api, &caller).await?;
    let NewApiKeyText { text, stored } = NewApiKeyText::new()?;
    let key = new_key(id, stored, settings, &caller);
    refuse(api.store.add_api_key(key, caller.entry("api_key_made", subject(id))).await?)?;
    Ok((StatusCode::CREATED, Json(show(&api, &caller, id, text).await?)))
}

/// Who has got hold of a session for a moment must not make keys without end.
pub(super) async fn count(api: &Api, caller: &Caller) -> Result<(), ApiError> {
    let name = format!("new_api_key:{}", caller.user);
    let allowance = Allowance { name, tries: api.config.http.new_keys_per_user, window: WINDOW };
    match api.store.count_attempt(allowance).await? {
        None => Ok(()),
        Some(wait) => Err(ApiError::too_many(wait)),
    }
}

pub(super) fn new_key(
    id: ApiKeyId,
    text: ApiKeyText,
    settings: ApiKeySettings,
    caller: &Caller,
) -> NewApiKey {
    let address = caller.address.0.to_string();
    NewApiKey { id, public_id: text.public_id, hash: text.hash, address, settings }
}

/// What whoever has made a key gets, once.
pub(super) async fn show(
    api: &Api,
    caller: &Caller,
    id: ApiKeyId,
    key: String,
) -> Result<NewApiKeyAnswer, ApiError> {
    let made = api.store.find_api_key(caller.user, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(NewApiKeyAnswer { key, about: ApiKeyAnswer::new(made, api.store.clock().now()) })
}
