//! The models that there are keys for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::store::AiConfiguration;

/// Models, in OpenAI's shape.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelsAnswer {
    /// `list`.
    #[schema(example = "list")]
    object: &'static str,
    /// One for each AI configuration.
    data: Vec<ModelAnswer>,
}

/// A model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelAnswer {
    /// Its name at the provider.
    #[schema(example = "gpt-5-mini")]
    id: String,
    /// `model`.
    #[schema(example = "model")]
    object: &'static str,
    /// When its AI configuration was made, in seconds since 1970.
    created: i64,
    /// The provider.
    #[schema(example = "openai")]
    owned_by: String,
}

/// List the models of one's AI configurations.
///
/// Others of the same providers can be asked as well, by their names.
#[utoipa::path(
    get, path = "/api/v1/models", tag = "chat",
    responses((status = OK, description = "The models.", body = ModelsAnswer)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<ModelsAnswer>, ApiError> {
    let stored = api.store.list_ai_configurations(caller.user).await?;
    Ok(Json(ModelsAnswer { object: "list", data: stored.into_iter().map(ModelAnswer::from).collect() }))
}

impl From<AiConfiguration> for ModelAnswer {
    fn from(stored: AiConfiguration) -> Self {
        let created = stored.created_at.millis().div_euclid(1000);
        Self { id: stored.model, object: "model", created, owned_by: stored.provider }
    }
}
