//! A password that was forgotten: a link by mail, good once and for a while (SR-38). The same answer, in the same time,
//! whether the address has an account or not (SR-37).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{HOUR, SIGN_IN_WINDOW, count};
use crate::http::Api;
use crate::http::client_address::ClientAddress;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::letters::{Letters, reset_letter};
use crate::http::secret_token::{self, SecretToken};
use crate::http::texts::{Email, NewPassword, Secret};
use crate::store::NewAuditEntry;

/// Whose password was forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ForgottenInput {
    /// The account's address.
    email: Email,
}

/// The next password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResetInput {
    /// What stands behind the `#` of the link.
    token: Secret,
    /// The password from now on.
    #[serde(alias = "new_password")]
    new_password: NewPassword,
}

/// Ask for a link to set another password.
///
/// The answer says nothing about whether the address has an account.
#[utoipa::path(
    post, path = "/api/auth/password-reset", tag = "accounts", request_body = ForgottenInput,
    responses(
        (status = ACCEPTED, description = "If the address has an account, a mail with a link is on its way."),
        (status = FORBIDDEN, description = "This server mails no links.", body = ErrorBody),
    ),
)]
pub(crate) async fn ask_for_reset(
    State(api): State<Arc<Api>>,
    address: ClientAddress,
    Input(ForgottenInput { email: Email(email) }): Input<ForgottenInput>,
) -> Result<StatusCode, ApiError> {
    let Some(letters) = api.letters.clone() else { return Err(unavailable()) };
    let (limits, from) = (&api.config.http, address.0.to_string());
    count(&api, "reset_address", &from, limits.sign_ins_per_address, SIGN_IN_WINDOW).await?;
    count(&api, "reset", &email, limits.resets_per_account, HOUR).await?;
    // Beside the answer, which must not take longer for an account that exists.
    tokio::spawn(async move {
        if let Err(problem) = mail_link(&api, &letters, &email, from).await {
            tracing::warn!(problem, "cannot mail a link to reset a password");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

/// Set another password with the token of a link.
///
/// Every session of the account ends.
#[utoipa::path(
    post, path = "/api/auth/password-reset/confirm", tag = "accounts", request_body = ResetInput,
    responses(
        (status = NO_CONTENT, description = "The password is set; sign in with it."),
        (status = FORBIDDEN, description = "The link is used, too old, or wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn reset(
    State(api): State<Arc<Api>>,
    address: ClientAddress,
    Input(input): Input<ResetInput>,
) -> Result<StatusCode, ApiError> {
    let from = address.0.to_string();
    count(&api, "confirm_reset", &from, api.config.http.sign_ins_per_address, SIGN_IN_WINDOW).await?;
    let token = secret_token::hash(input.token.0.expose_secret());
    let password = api.passwords.hash(input.new_password.0).await?;
    match api.store.use_password_reset(token, password, Some(from)).await? {
        Some(_) => Ok(StatusCode::NO_CONTENT),
        None => Err(ApiError::new(
            ErrorCode::LinkInvalid,
            "the link was used, is too old, or is not whole; ask for another one",
        )),
    }
}

async fn mail_link(api: &Api, letters: &Letters, email: &str, from: String) -> Result<(), &'static str> {
    let found = api.store.find_user_by_email(email).await.map_err(|_| "database")?;
    let Some(user) = found else { return Ok(()) };
    let token = SecretToken::new().map_err(|_| "randomness")?;
    let now = api.store.clock().now();
    let entry = NewAuditEntry {
        user: user.id,
        action: "password_reset_asked",
        is_done: true,
        actor: "nobody".to_owned(),
        subject: None,
        address: Some(from),
    };
    let expires_at = now.plus(api.config.http.reset_life);
    api.store.add_password_reset(token.hash, expires_at, entry).await.map_err(|_| "database")?;
    let (subject, text) = reset_letter(letters.public_url(), &token.text, api.config.http.reset_life);
    letters.send(api, &user.email, subject, &text).await
}

fn unavailable() -> ApiError {
    let message = "this server mails no links; ask its operator for another password";
    ApiError::new(ErrorCode::ResetUnavailable, message)
}
