//! Seeing one's own mailboxes and how they fare.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::{MailboxAnswer, find};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::{Id, Parameters};
use crate::http::pages::{Page, PageParameters};
use crate::store::MailboxId;

/// List one's mailboxes.
#[utoipa::path(
    get, path = "/api/mailboxes", tag = "mailboxes", params(PageParameters),
    responses((status = OK, description = "The mailboxes, oldest first.", body = Page<MailboxAnswer>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<MailboxAnswer>>, ApiError> {
    let request = parameters.read()?;
    let after = request.after.map(MailboxId::from_uuid);
    let found = api.store.list_mailboxes_after(caller.user, after, request.to_find()).await?;
    Ok(Json(Page::cut(found, request, |mailbox| mailbox.id.uuid())))
}

/// See one mailbox and how it fares.
#[utoipa::path(
    get, path = "/api/mailboxes/{id}", tag = "mailboxes",
    params(("id" = uuid::Uuid, Path, description = "The mailbox.")),
    responses((status = OK, description = "The mailbox.", body = MailboxAnswer)),
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MailboxId>,
) -> Result<Json<MailboxAnswer>, ApiError> {
    Ok(Json(find(&api, &caller, id).await?.into()))
}
