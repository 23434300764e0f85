//! Making tokens good for nothing (SR-52).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::subject;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::store::SecurityTokenId;

/// What was revoked.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevocationAnswer {
    /// How many tokens were good until now.
    revoked: u64,
}

/// Revoke a security token.
///
/// It is good for nothing from now on. Provider keys that it carried stay valid at their providers.
#[utoipa::path(
    delete, path = "/api/v1/security-tokens/{id}", tag = "security-tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id.")),
    responses((status = NO_CONTENT, description = "It is good for nothing.")),
)]
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<SecurityTokenId>,
) -> Result<StatusCode, ApiError> {
    let entry = caller.entry("security_token_revoked", subject(id));
    let revoked = api.store.revoke_security_tokens(Some(id), entry).await?;
    if revoked > 0 { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}

/// Revoke all of one's security tokens.
#[utoipa::path(
    post, path = "/api/v1/security-tokens/revoke-all", tag = "security-tokens",
    responses((status = OK, description = "None of them is good any more.", body = RevocationAnswer)),
)]
pub(crate) async fn revoke_all(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<RevocationAnswer>, ApiError> {
    let entry = caller.entry("security_tokens_revoked", None);
    Ok(Json(RevocationAnswer { revoked: api.store.revoke_security_tokens(None, entry).await? }))
}
