//! Deleting a key.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::subject;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::store::AiConfigurationId;

/// Delete an AI configuration with its key.
///
/// Where it was the default, the oldest other one takes its place.
#[utoipa::path(
    delete, path = "/api/ai-config/{id}", tag = "ai-config",
    params(("id" = uuid::Uuid, Path, description = "The AI configuration.")),
    responses((status = NO_CONTENT, description = "It is gone.")),
)]
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AiConfigurationId>,
) -> Result<StatusCode, ApiError> {
    let entry = caller.entry("ai_config_deleted", subject(id));
    let was_there = api.store.delete_ai_configuration(id, entry).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}
