//! Seeing one's own AI configurations.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::AiConfigurationAnswer;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::http::pages::Page;
use crate::store::AiConfigurationId;

/// List one's AI configurations.
#[utoipa::path(
    get, path = "/api/ai-config", tag = "ai-config",
    responses((status = OK, description = "At most one per provider, by provider.", body = Page<AiConfigurationAnswer>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<Page<AiConfigurationAnswer>>, ApiError> {
    let stored = api.store.list_ai_configurations(caller.user).await?;
    let known = api.store.list_key_limits(caller.user).await?;
    let items = stored.into_iter().map(|stored| AiConfigurationAnswer::new(stored, &known)).collect();
    Ok(Json(Page::whole(items)))
}

/// See one AI configuration.
#[utoipa::path(
    get, path = "/api/ai-config/{id}", tag = "ai-config",
    params(("id" = uuid::Uuid, Path, description = "The AI configuration.")),
    responses((status = OK, description = "The AI configuration.", body = AiConfigurationAnswer)),
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AiConfigurationId>,
) -> Result<Json<AiConfigurationAnswer>, ApiError> {
    let stored = api.store.find_ai_configuration(caller.user, Some(id)).await?;
    Ok(Json(AiConfigurationAnswer::of(&api, stored.ok_or_else(ApiError::not_found)?).await?))
}
