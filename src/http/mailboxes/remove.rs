//! Deleting a mailbox.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::subject;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::store::{MailboxId, StoreError};

/// Delete a mailbox, with what Postkey has stored of its mail.
///
/// Nothing is deleted on the mail server. Its agents stay, without a mailbox.
#[utoipa::path(
    delete, path = "/api/mailboxes/{id}", tag = "mailboxes",
    params(("id" = uuid::Uuid, Path, description = "The mailbox.")),
    responses((status = NO_CONTENT, description = "It is gone.")),
)]
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MailboxId>,
) -> Result<StatusCode, ApiError> {
    let entry = caller.entry("mailbox_deleted", subject(id));
    // A large one takes a while: it is deleted to its end even where nobody waits for the answer any more.
    let deleting = tokio::spawn(async move { api.store.delete_mailbox(id, entry).await });
    let was_there = deleting.await.map_err(|_| StoreError::Panicked)??;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}
