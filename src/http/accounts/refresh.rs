//! The next token, without the password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Tokens, tokens};
use crate::http::Api;
use crate::http::access_token::AccessToken;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::secret_token::{self, SecretToken};
use crate::http::texts::Secret;
use crate::store::Rotation;

/// What was given at the last sign-in or refresh.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RefreshInput {
    /// The refresh token.
    #[serde(alias = "refresh_token")]
    refresh_token: Secret,
}

/// Get the next token.
///
/// A refresh token is good once and answered with the next one. Using an old one ends the session, since one of its
/// two users is not the one it was given to.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "accounts", request_body = RefreshInput,
    responses(
        (status = OK, description = "The next tokens.", body = Tokens),
        (status = UNAUTHORIZED, description = "The refresh token is not good.", body = ErrorBody),
    ),
)]
pub(crate) async fn refresh(
    State(api): State<Arc<Api>>,
    Input(RefreshInput { refresh_token: Secret(old) }): Input<RefreshInput>,
) -> Result<Json<Tokens>, ApiError> {
    let next = SecretToken::new()?;
    let expires_at = api.store.clock().now().plus(api.config.http.session_life);
    let old = secret_token::hash(old.expose_secret());
    match api.store.refresh_session(old, next.hash, expires_at).await? {
        Rotation::Refreshed(user, session) => {
            Ok(Json(tokens(&api, AccessToken { user, session }, next.text)?))
        }
        Rotation::Refused | Rotation::Reused => {
            let message = "this refresh token is not good, or was used already; sign in again";
            Err(ApiError::new(ErrorCode::Unauthorized, message))
        }
    }
}
