//! Making an account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Beginning, HOUR, Tokens, count};
use crate::config::SignUp;
use crate::http::client_address::ClientAddress;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::texts::{Email, Line, NewPassword, Secret};
use crate::http::{Api, secret_token};
use crate::store::{Admission, NewUser, SignedUp, StoreError, UserId};

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignUpInput {
    /// The address to sign in with.
    email: Email,
    /// The password.
    password: NewPassword,
    /// The name that replies are written on behalf of.
    name: Line,
    /// The token of an invitation, where one is needed.
    #[serde(default)]
    invite: Option<Secret>,
}

/// Make an account and sign in.
///
/// Where there is no user yet, this may always be done, and makes the administrator. Afterwards the operator decides:
/// closed, by invitation, or open.
#[utoipa::path(
    post, path = "/api/auth/signup", tag = "accounts", request_body = SignUpInput,
    responses(
        (status = CREATED, description = "The account is made and signed in.", body = Tokens),
        (status = FORBIDDEN, description = "Nobody may sign up, or only with an invitation.", body = ErrorBody),
        (status = CONFLICT, description = "The address has an account.", body = ErrorBody),
    ),
)]
pub(crate) async fn sign_up(
    State(api): State<Arc<Api>>,
    address: ClientAddress,
    Input(input): Input<SignUpInput>,
) -> Result<(StatusCode, Json<Tokens>), ApiError> {
    let limit = api.config.http.sign_ups_per_address;
    count(&api, "sign_up", &address.counted().to_string(), limit, HOUR).await?;
    let invite = input.invite.map(|token| secret_token::hash(token.0.expose_secret()));
    let admission = admission(&api, invite).await?;
    let user = NewUser {
        id: UserId::new(api.store.clock()),
        email: input.email.0,
        name: input.name.0,
        role: None,
        password_hash: Some(api.passwords.hash(input.password.0).await?),
    };
    let beginning = Beginning::new(&api, user.id, address)?;
    let entry = beginning.entry("signed_up");
    match api.store.sign_up(user, admission, beginning.session, entry).await {
        Ok(SignedUp::Done) => Ok((StatusCode::CREATED, Json(beginning.tokens))),
        Ok(SignedUp::NotInvited) => Err(not_invited()),
        Ok(SignedUp::Closed) => Err(closed()),
        Err(StoreError::Taken(_)) => Err(taken()),
        Err(error) => Err(error.into()),
    }
}

/// Says no before a password is hashed, where it is no for everybody.
async fn admission(api: &Api, invite: Option<String>) -> Result<Admission, ApiError> {
    let admission = match api.config.http.sign_up {
        SignUp::Open => Admission::Open,
        SignUp::Invite => Admission::Invite(invite),
        SignUp::Closed => Admission::Closed,
    };
    match admission {
        Admission::Open | Admission::Invite(Some(_)) => Ok(admission),
        Admission::Closed | Admission::Invite(None) if api.store.has_no_users().await? => Ok(admission),
        Admission::Closed => Err(closed()),
        Admission::Invite(None) => Err(not_invited()),
    }
}

fn closed() -> ApiError {
    ApiError::new(ErrorCode::SignUpClosed, "nobody may sign up here; ask the operator for an account")
}

fn not_invited() -> ApiError {
    let message = "an invitation is needed that is unused and for this address; ask an administrator for one";
    ApiError::new(ErrorCode::NotInvited, message)
}

fn taken() -> ApiError {
    ApiError::new(ErrorCode::AlreadyExists, "this address has an account; sign in instead")
}
