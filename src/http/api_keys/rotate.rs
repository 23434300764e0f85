//! Replacing a key by the next one, with a while in which both are good (SR-45).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::{count, new_key, show};
use super::text::NewApiKeyText;
use super::{NewApiKeyAnswer, find, outdated, subject};
use crate::clock::Timestamp;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::{Id, Input};
use crate::store::{ApiKey, ApiKeyId, ApiKeyRotation};

/// How long both keys are good unless it is said, in seconds: a day.
const USUAL_OVERLAP: u32 = 86_400;
/// The longest such time, in seconds: a week.
const LONGEST_OVERLAP: u32 = 604_800;

/// How a key is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotationInput {
    /// For how many seconds the old key is still good; 0 ends it at once.
    #[serde(default, alias = "overlap_seconds")]
    #[schema(maximum = 604_800, default = 86_400)]
    overlap_seconds: Option<u32>,
}

/// Replace a platform API key by a new one with the same settings.
///
/// Where the old key has an end, the new one lasts as long as the old one was made for. A key whose place the old one
/// had taken itself ends at once.
#[utoipa::path(
    post, path = "/api/v1/api-keys/{id}/rotate", tag = "api-keys", request_body = RotationInput,
    params(("id" = uuid::Uuid, Path, description = "The key to be replaced.")),
    responses(
        (status = CREATED, description = "The new key; it is shown this once.", body = NewApiKeyAnswer),
        (status = CONFLICT, description = "It is replaced already, or somebody has changed it at the same moment.", body = ErrorBody),
    ),
)]
pub(crate) async fn rotate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(old): Id<ApiKeyId>,
    Input(input): Input<RotationInput>,
) -> Result<(StatusCode, Json<NewApiKeyAnswer>), ApiError> {
    let overlap = input.overlap_seconds.unwrap_or(USUAL_OVERLAP);
    if overlap > LONGEST_OVERLAP {
        let problem = format!("must be a whole number from 0 to {LONGEST_OVERLAP}");
        return Err(ApiError::field("overlapSeconds", &problem));
    }
    let now = api.store.clock().now();
    let old_key = find(&api, &caller, old).await?;
    count(&api, &caller).await?;
    let mut settings = old_key.settings.clone();
    settings.expires_at = next_end(&old_key, &caller, now);
    let NewApiKeyText { text, stored } = NewApiKeyText::new()?;
    let id = ApiKeyId::new(api.store.clock());
    let next = new_key(id, stored, settings, &caller);
    let old_ends_at = now.plus(Duration::from_secs(overlap.into()));
    let entry = caller.entry("api_key_rotated", subject(old));
    match api.store.rotate_api_key(old_key, old_ends_at, next, entry).await? {
        ApiKeyRotation::Done => Ok((StatusCode::CREATED, Json(show(&api, &caller, id, text).await?))),
        ApiKeyRotation::Unknown => Err(ApiError::not_found()),
        ApiKeyRotation::Outdated => Err(outdated()),
        ApiKeyRotation::Rotated => {
            let message = "this key is replaced already; replace the one that took its place";
            Err(ApiError::new(ErrorCode::AlreadyExists, message))
        }
    }
}

/// As far away as the old end was when the old key was made; a key that replaces keys gives none more time than it has
/// itself (SR-44).
fn next_end(old: &ApiKey, caller: &Caller, now: Timestamp) -> Option<Timestamp> {
    let end = old.settings.expires_at.map(|end| now.plus(end.since(old.created_at)));
    let own_end = caller.rights().and_then(|rights| rights.expires_at);
    end.into_iter().chain(own_end).min()
}
