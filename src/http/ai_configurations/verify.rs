//! Asking the provider again whether a key is good.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::checked_key::count_check;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::provider::{ErrorClass, KeyVerdict, Provider, ProviderError, check_key};
use crate::store::{AiConfiguration, AiConfigurationId, KeyMark};

/// What the provider says of a key.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerificationAnswer {
    /// Whether the provider says that the key is good.
    verified: bool,
    /// Why not, as a stable word: `auth_invalid` where the provider refuses the key; everything else leaves it open.
    #[schema(example = "auth_invalid")]
    reason: Option<&'static str>,
}

/// Ask the provider whether a key is good.
///
/// The call costs nothing, and refreshes what is shown as `limits`. A key that the provider refuses is not used again until it is replaced, or verified again.
#[utoipa::path(
    post, path = "/api/ai-config/{id}/verify", tag = "ai-config",
    params(("id" = uuid::Uuid, Path, description = "The AI configuration.")),
    responses((status = OK, description = "What the provider says.", body = VerificationAnswer)),
)]
pub(crate) async fn verify(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AiConfigurationId>,
) -> Result<Json<VerificationAnswer>, ApiError> {
    let stored = api.store.find_ai_configuration(caller.user, Some(id)).await?;
    let stored = stored.ok_or_else(ApiError::not_found)?;
    count_check(&api, caller.user).await?;
    let answer = match ask(&api, &stored).await? {
        Ok(KeyVerdict::Good(limits)) => {
            api.store.note_verified_key(&stored).await?;
            if let Some(limits) = limits {
                api.store.note_key_limits(&stored, limits).await?;
            }
            VerificationAnswer { verified: true, reason: None }
        }
        Ok(KeyVerdict::Administration) => {
            VerificationAnswer { verified: false, reason: Some("administration_key") }
        }
        Err(error) => {
            if error.class == ErrorClass::AuthInvalid {
                api.store.mark_key(&stored, KeyMark::refused(&stored)).await?;
            }
            VerificationAnswer { verified: false, reason: Some(error.class.as_str()) }
        }
    };
    Ok(Json(answer))
}

/// The key is open for this call only.
async fn ask(api: &Api, stored: &AiConfiguration) -> Result<Result<KeyVerdict, ProviderError>, ApiError> {
    let key = api.vault.open(&stored.key_place(), &stored.api_key)?;
    let Ok(provider) = stored.provider.parse::<Provider>() else { return Err(ApiError::not_found()) };
    let app = &api.config.provider;
    Ok(check_key(&api.clients, app, provider, stored.base_url.as_deref(), &key).await)
}
