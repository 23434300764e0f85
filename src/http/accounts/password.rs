//! Another password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Beginning, SIGN_IN_WINDOW, Tokens, changed_meanwhile, count, counted, verify_password};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::texts::{NewPassword, Secret};

/// The password and the next one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangePasswordInput {
    /// The password until now.
    #[serde(alias = "current_password")]
    current_password: Secret,
    /// The password from now on.
    #[serde(alias = "new_password")]
    new_password: NewPassword,
}

/// Change the password.
///
/// Every session ends, this one as well; the answer has the tokens of a new one.
#[utoipa::path(
    post, path = "/api/auth/password", tag = "accounts", request_body = ChangePasswordInput,
    responses((status = OK, description = "The password is changed.", body = Tokens)),
)]
pub(crate) async fn change_password(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<ChangePasswordInput>,
) -> Result<Json<Tokens>, ApiError> {
    let who = caller.user.to_string();
    let limit = api.config.http.sign_ins_per_account;
    // Whoever has a token for a while must not find out the password with it.
    count(&api, "change_password", &who, limit, SIGN_IN_WINDOW).await?;
    let user = api.store.find_user(caller.user).await?.ok_or_else(ApiError::unauthorized)?;
    let Some(verified) = verify_password(&api, input.current_password.0, user.password_hash).await? else {
        return Err(ApiError::field("currentPassword", "is not the password of this account"));
    };
    let next = api.passwords.hash(input.new_password.0).await?;
    let beginning = Beginning::new(&api, caller.user, caller.address)?;
    let entry = caller.entry("password_changed", None);
    if !api.store.change_password((verified, next), beginning.session, entry).await? {
        return Err(changed_meanwhile());
    }
    api.store.forget_attempts(counted("change_password", &who)).await?;
    Ok(Json(beginning.tokens))
}
