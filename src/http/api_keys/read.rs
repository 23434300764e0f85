//! Seeing one's keys; never the key itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::ApiKeyAnswer;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::{Id, Parameters};
use crate::http::pages::{Page, PageParameters};
use crate::store::ApiKeyId;

/// List one's platform API keys.
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "api-keys", params(PageParameters),
    responses((status = OK, description = "The keys, newest first.", body = Page<ApiKeyAnswer>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<ApiKeyAnswer>>, ApiError> {
    let request = parameters.read()?;
    let after = request.after.map(ApiKeyId::from_uuid);
    let found = api.store.list_api_keys(caller.user, after, request.to_find()).await?;
    let now = api.store.clock().now();
    Ok(Json(Page::cut(found, request, |key| key.id.uuid()).map(|key| ApiKeyAnswer::new(key, now))))
}

/// See one platform API key.
#[utoipa::path(
    get, path = "/api/v1/api-keys/{id}", tag = "api-keys",
    params(("id" = uuid::Uuid, Path, description = "The key.")),
    responses((status = OK, description = "The key.", body = ApiKeyAnswer)),
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<ApiKeyId>,
) -> Result<Json<ApiKeyAnswer>, ApiError> {
    let found = api.store.find_api_key(caller.user, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(ApiKeyAnswer::new(found, api.store.clock().now())))
}
