//! Changing a mailbox, pausing it and letting it go on.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;

use super::settings::{MailboxInput, settle};
use super::{MailboxAnswer, find, subject};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::input::{Id, Input};
use crate::mail::Address;
use crate::store::{Changed, MailboxId};

/// Change a mailbox.
///
/// One that was stopped is tried again. Passwords and tokens that are left out stay, as long as the server and the
/// account that they were given for stay the same.
#[utoipa::path(
    put, path = "/api/mailboxes/{id}", tag = "mailboxes", request_body = MailboxInput,
    params(("id" = uuid::Uuid, Path, description = "The mailbox.")),
    responses((status = OK, description = "It is changed.", body = MailboxAnswer)),
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MailboxId>,
    Input(input): Input<MailboxInput>,
) -> Result<Json<MailboxAnswer>, ApiError> {
    let stored = find(&api, &caller, id).await?;
    let is_other = |address: &str| {
        Address::parse(address).zip(Address::parse(&stored.address)).is_none_or(|(a, b)| !a.is_same(&b))
    };
    if input.address.as_ref().is_some_and(|address| is_other(&address.0)) {
        return Err(ApiError::field("address", "cannot be changed; add another mailbox"));
    }
    let mailbox = settle(&api, stored, input)?;
    match api.store.change_mailbox(mailbox, caller.entry("mailbox_changed", subject(id))).await? {
        Changed::Done => Ok(Json(find(&api, &caller, id).await?.into())),
        Changed::NotThere => Err(ApiError::not_found()),
        Changed::Meanwhile => Err(meanwhile()),
    }
}

/// Stop watching a mailbox.
#[utoipa::path(
    post, path = "/api/mailboxes/{id}/pause", tag = "mailboxes",
    params(("id" = uuid::Uuid, Path, description = "The mailbox.")),
    responses((status = OK, description = "It is not watched any more.", body = MailboxAnswer)),
)]
pub(crate) async fn pause(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MailboxId>,
) -> Result<Json<MailboxAnswer>, ApiError> {
    set_enabled(&api, &caller, id, false).await
}

/// Watch a mailbox that was paused or stopped.
///
/// Mail that came while it was paused is not answered.
#[utoipa::path(
    post, path = "/api/mailboxes/{id}/activate", tag = "mailboxes",
    params(("id" = uuid::Uuid, Path, description = "The mailbox.")),
    responses((status = OK, description = "It is watched.", body = MailboxAnswer)),
)]
pub(crate) async fn activate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MailboxId>,
) -> Result<Json<MailboxAnswer>, ApiError> {
    set_enabled(&api, &caller, id, true).await
}

async fn set_enabled(
    api: &Api,
    caller: &Caller,
    id: MailboxId,
    enabled: bool,
) -> Result<Json<MailboxAnswer>, ApiError> {
    let action = if enabled { "mailbox_activated" } else { "mailbox_paused" };
    if !api.store.set_mailbox_enabled(id, enabled, caller.entry(action, subject(id))).await? {
        return Err(ApiError::not_found());
    }
    Ok(Json(find(api, caller, id).await?.into()))
}

fn meanwhile() -> ApiError {
    let message = "the mailbox has just been changed by another call; look at it, and try again";
    ApiError::new(ErrorCode::Unavailable, message).after(Duration::from_secs(1))
}
