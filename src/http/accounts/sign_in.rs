//! Signing in: the same answer, in the same time, whether the address has an account or not (SR-37).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Beginning, SIGN_IN_WINDOW, Tokens, changed_meanwhile, count, counted, verify_password};
use crate::http::Api;
use crate::http::client_address::ClientAddress;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::texts::{Email, Secret};
use crate::store::{NewAuditEntry, UserId};
use crate::vault::is_outdated_hash;

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignInInput {
    /// The account's address.
    email: Email,
    /// The account's password.
    password: Secret,
}

/// Sign in.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "accounts", request_body = SignInInput,
    responses(
        (status = OK, description = "Signed in.", body = Tokens),
        (status = UNAUTHORIZED, description = "The address or the password is wrong.", body = ErrorBody),
    ),
)]
pub(crate) async fn sign_in(
    State(api): State<Arc<Api>>,
    address: ClientAddress,
    Input(SignInInput { email: Email(email), password: Secret(password) }): Input<SignInInput>,
) -> Result<Json<Tokens>, ApiError> {
    let limits = &api.config.http;
    let from = address.counted().to_string();
    let account = format!("{email} {from}");
    count(&api, "sign_in_address", &from, limits.sign_ins_per_address, SIGN_IN_WINDOW).await?;
    count(&api, "sign_in", &account, limits.sign_ins_per_account, SIGN_IN_WINDOW).await?;
    let user = api.store.find_user_by_email(&email).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let user = user.map(|user| user.id);
    let verified = verify_password(&api, password.clone(), hash).await?;
    let Some((user, hash)) = user.zip(verified) else {
        note_refusal(&api, user, address.0.to_string());
        let message = "the address or the password is wrong";
        return Err(ApiError::new(ErrorCode::WrongCredentials, message));
    };
    let beginning = Beginning::new(&api, user, address)?;
    let entry = beginning.entry("signed_in");
    if !api.store.begin_session(beginning.session, hash.clone(), entry).await? {
        note_refusal(&api, Some(user), address.0.to_string());
        return Err(changed_meanwhile());
    }
    api.store.forget_attempts(counted("sign_in", &account)).await?;
    renew_hash(&api, user, hash, password).await?;
    Ok(Json(beginning.tokens))
}

/// Beside the answer, which must not take longer for an account that exists.
fn note_refusal(api: &Arc<Api>, user: Option<UserId>, address: String) {
    let Some(user) = user else { return };
    let api = Arc::clone(api);
    tokio::spawn(async move {
        let entry = NewAuditEntry {
            user,
            action: "signed_in",
            is_done: false,
            actor: "nobody".to_owned(),
            subject: None,
            address: Some(address),
        };
        if let Err(error) = api.store.add_audit_entry(entry).await {
            tracing::warn!(%error, "cannot note a refused sign-in");
        }
    });
}

/// A hash that costs less than it should today is replaced while the password is known (SR-31).
async fn renew_hash(api: &Api, user: UserId, old: String, password: SecretString) -> Result<(), ApiError> {
    if !is_outdated_hash(&old) {
        return Ok(());
    }
    let new = api.passwords.hash(password).await?;
    Ok(api.store.renew_password_hash(user, old, new).await?)
}
