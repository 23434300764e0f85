//! A password that was forgotten: a link by mail, good once and for a while (SR-38). The same answer, in the same time,
//! whether the address has an account or not (SR-37).

use std::sync::Arc;
use std::time::Duration;

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
use crate::http::secret_token::{self, SecretToken};
use crate::http::texts::{Email, NewPassword, Secret};
use crate::letters::Letters;
use crate::store::NewAuditEntry;

const SUBJECT: &str = "Another password for Postkey";

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
    let post = api.letters.clone().zip(api.config.http.public_url.clone());
    let Some((letters, public_url)) = post else { return Err(unavailable()) };
    let (limits, from) = (&api.config.http, address.0.to_string());
    count(&api, "reset_address", &address.counted().to_string(), limits.sign_ins_per_address, SIGN_IN_WINDOW)
        .await?;
    count(&api, "reset", &email, limits.resets_per_account, HOUR).await?;
    // Beside the answer, which must not take longer for an account that exists.
    tokio::spawn(async move { mail_link(&api, &letters, &public_url, &email, from).await });
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
    let (limit, from) = (api.config.http.sign_ins_per_address, address.0.to_string());
    count(&api, "confirm_reset", &address.counted().to_string(), limit, SIGN_IN_WINDOW).await?;
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

async fn mail_link(api: &Api, letters: &Letters, public_url: &str, email: &str, from: String) {
    // Whoever asked has been answered; the log tells why no mail comes.
    let Ok(Some(token)) = note_link(api, email, from).await else { return };
    let text = text(public_url, &token, api.config.http.reset_life);
    if let Err(error) = letters.send(email, SUBJECT, &text).await {
        tracing::warn!(%error, "cannot mail a link to reset a password");
    }
}

async fn note_link(api: &Api, email: &str, from: String) -> Result<Option<SecretToken>, ApiError> {
    let Some(user) = api.store.find_user_by_email(email).await? else { return Ok(None) };
    let token = SecretToken::new()?;
    let entry = NewAuditEntry {
        user: user.id,
        action: "password_reset_asked",
        is_done: true,
        actor: "nobody".to_owned(),
        subject: None,
        address: Some(from),
    };
    let expires_at = api.store.clock().now().plus(api.config.http.reset_life);
    api.store.add_password_reset(token.hash.clone(), expires_at, entry).await?;
    Ok(Some(token))
}

/// The token stands behind the `#`, which browsers send to nobody, so that neither a proxy's log nor a scanner that
/// follows links uses it up.
fn text(public_url: &str, token: &SecretToken, life: Duration) -> String {
    let (minutes, token) = (life.as_secs().div_ceil(60), &token.text);
    format!(
        "Somebody asked for another password for the Postkey account of this address.\n\n\
         To set one, open this link within {minutes} minutes:\n\n{public_url}/reset-password#{token}\n\n\
         If it was not you, do nothing: the password stays as it is.\n"
    )
}

fn unavailable() -> ApiError {
    let message = "this server mails no links; ask its operator for another password";
    ApiError::new(ErrorCode::ResetUnavailable, message)
}
