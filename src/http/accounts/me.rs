//! Who one is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;

/// An account.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountAnswer {
    /// Its id.
    id: String,
    /// The address to sign in with.
    email: String,
    /// The name that replies are written on behalf of.
    name: String,
    /// `user`, or `admin` for who may invite others.
    #[schema(example = "user")]
    role: &'static str,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

/// See one's own account.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "accounts",
    responses((status = OK, description = "The account.", body = AccountAnswer)),
)]
pub(crate) async fn me(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<AccountAnswer>, ApiError> {
    let user = api.store.find_user(caller.user).await?.ok_or_else(ApiError::unauthorized)?;
    Ok(Json(AccountAnswer {
        id: user.id.to_string(),
        email: user.email,
        name: user.name,
        role: user.role.as_str(),
        created_at: user.created_at.to_string(),
    }))
}
