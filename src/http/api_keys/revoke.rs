//! Making a key good for nothing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::{find, subject};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::store::ApiKeyId;

/// Revoke a platform API key.
///
/// It is good for nothing from now on, and neither are the security tokens that were made with it. It stays in the list
/// for 30 days.
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{id}", tag = "api-keys",
    params(("id" = uuid::Uuid, Path, description = "The key.")),
    responses((status = NO_CONTENT, description = "It is good for nothing.")),
)]
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, ApiError> {
    find(&api, &caller, id).await?;
    let revoked = api.store.revoke_api_key(id, caller.entry("api_key_revoked", subject(id))).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}
