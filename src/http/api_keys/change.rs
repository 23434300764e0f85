//! Changing what a key may do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::rights::Rights;
use super::settings::{Expiry, check_description, check_expiry, check_scopes};
use super::{ApiKeyAnswer, check_within, find, refuse, subject};
use crate::clock::Timestamp;
use crate::http::Api;
use crate::http::access::Scope;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::{Id, Input};
use crate::http::networks::{Network, to_words};
use crate::http::texts::Line;
use crate::store::{ApiKeyId, ApiKeySettings};

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ApiKeyInput {
    /// Another name.
    #[serde(default)]
    name: Option<Line>,
    /// Another description.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: Option<String>,
    /// Other rights.
    #[serde(default)]
    #[schema(min_items = 1)]
    scopes: Option<Vec<Scope>>,
    /// Another end, or `never`.
    #[serde(default, alias = "expires_at")]
    expires_at: Option<Expiry>,
    /// Other networks from which alone it is good.
    #[serde(default, alias = "ip_allow")]
    #[schema(max_items = 100)]
    ip_allow: Option<Vec<Network>>,
    /// Other networks from which it is not.
    #[serde(default, alias = "ip_deny")]
    #[schema(max_items = 100)]
    ip_deny: Option<Vec<Network>>,
}

/// Change a platform API key.
///
/// The key itself stays the same. One that was revoked cannot be changed.
#[utoipa::path(
    put, path = "/api/v1/api-keys/{id}", tag = "api-keys", request_body = ApiKeyInput,
    params(("id" = uuid::Uuid, Path, description = "The key.")),
    responses(
        (status = OK, description = "It is changed.", body = ApiKeyAnswer),
        (status = CONFLICT, description = "Another key has the name, or somebody has changed this one at the same moment.", body = crate::http::ErrorBody),
    ),
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<ApiKeyId>,
    Input(input): Input<ApiKeyInput>,
) -> Result<Json<ApiKeyAnswer>, ApiError> {
    let now = api.store.clock().now();
    let key = find(&api, &caller, id).await?;
    let settings = changed(key.settings.clone(), input, now)?;
    check_within(&caller, &Rights::of(id, &settings)?)?;
    let entry = caller.entry("api_key_changed", subject(id));
    refuse(api.store.change_api_key(key, settings, entry).await?)?;
    let key = api.store.find_api_key(caller.user, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(ApiKeyAnswer::new(key, now)))
}

fn changed(old: ApiKeySettings, input: ApiKeyInput, now: Timestamp) -> Result<ApiKeySettings, ApiError> {
    let expires_at = match input.expires_at {
        Some(expiry) => check_expiry(expiry, now)?,
        None => old.expires_at,
    };
    let scopes = input.scopes.map(|scopes| check_scopes(&scopes)).transpose()?;
    let ip_allow = input.ip_allow.map(|networks| to_words("ipAllow", &networks)).transpose()?;
    let ip_deny = input.ip_deny.map(|networks| to_words("ipDeny", &networks)).transpose()?;
    let description = input.description.map(check_description).transpose()?;
    Ok(ApiKeySettings {
        name: input.name.map_or(old.name, |name| name.0),
        description: description.unwrap_or(old.description),
        scopes: scopes.unwrap_or(old.scopes),
        ip_allow: ip_allow.unwrap_or(old.ip_allow),
        ip_deny: ip_deny.unwrap_or(old.ip_deny),
        expires_at,
    })
}
