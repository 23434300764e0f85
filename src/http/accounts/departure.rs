//! The end of an account (SR-84).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{SIGN_IN_WINDOW, changed_meanwhile, count, verify_password};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::texts::Secret;
use crate::store::{Store, StoreError, UserId};

/// How long the answer waits for the last row.
const PATIENCE: Duration = Duration::from_secs(20);

/// The account's password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteAccountInput {
    /// The account's password.
    password: Secret,
}

/// Delete the account and everything in it.
///
/// At once its sessions and keys are gone, its mailboxes are watched no more and nothing is sent for it. Then every row
/// of it is removed. Nothing of this can be undone; what you want to keep, export first. The operator's backups hold
/// the account until they are overwritten.
#[utoipa::path(
    post, path = "/api/account/delete", tag = "accounts", request_body = DeleteAccountInput,
    responses(
        (status = NO_CONTENT, description = "There is nothing left of the account."),
        (status = ACCEPTED, description = "The account is closed for good; the rest of its rows are being removed."),
    ),
)]
pub(crate) async fn delete_account(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(DeleteAccountInput { password: Secret(password) }): Input<DeleteAccountInput>,
) -> Result<StatusCode, ApiError> {
    let limit = api.config.http.sign_ins_per_account;
    // Whoever has a token for a while must not find out the password with it.
    count(&api, "delete_account", &caller.user.to_string(), limit, SIGN_IN_WINDOW).await?;
    let user = api.store.find_user(caller.user).await?.ok_or_else(ApiError::unauthorized)?;
    let Some(verified) = verify_password(&api, password, user.password_hash).await? else {
        return Err(ApiError::field("password", "is not the password of this account"));
    };
    if !api.store.begin_departure(user.id, verified).await? {
        return Err(changed_meanwhile());
    }
    tracing::info!(user = %user.id, "an account is being deleted");
    // A task of its own: it goes on when the client goes away.
    let removal = tokio::spawn(remove(api.store.clone(), user.id));
    match tokio::time::timeout(PATIENCE, removal).await {
        Ok(Ok(Ok(()))) => Ok(StatusCode::NO_CONTENT),
        Ok(Ok(Err(error))) => {
            tracing::warn!(%error, user = %user.id, "an account is not removed yet; the next sweep goes on");
            Ok(StatusCode::ACCEPTED)
        }
        Ok(Err(_)) | Err(_) => Ok(StatusCode::ACCEPTED),
    }
}

async fn remove(store: Store, user: UserId) -> Result<(), StoreError> {
    while store.continue_departure(user).await? {
        // Others get their turn in between.
        tokio::task::yield_now().await;
    }
    tracing::info!(user = %user, "an account is deleted");
    Ok(())
}
