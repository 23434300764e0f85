//! Looking for messages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::MessageAnswer;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::{Parameters, read_time};
use crate::http::pages::{Page, PageParameters};
use crate::store::{MailboxId, MessageFilter, MessageId, ThreadId};

/// Which messages, and which piece of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageParameters {
    /// Those that came to this mailbox.
    mailbox: Option<Uuid>,
    /// Those of this thread.
    thread: Option<Uuid>,
    /// Those that were taken in then or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Those that were taken in before.
    #[param(format = DateTime)]
    until: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the piece before.
    #[param(max_length = 100)]
    cursor: Option<String>,
}

/// List the mails that came in.
#[utoipa::path(
    get, path = "/api/messages", tag = "messages", params(MessageParameters),
    responses((status = OK, description = "The messages, newest first.", body = Page<MessageAnswer>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<MessageParameters>,
) -> Result<Json<Page<MessageAnswer>>, ApiError> {
    let request = PageParameters::new(parameters.limit, parameters.cursor).read()?;
    let filter = MessageFilter {
        mailbox: parameters.mailbox.map(MailboxId::from_uuid),
        thread: parameters.thread.map(ThreadId::from_uuid),
        since: read_time("since", parameters.since.as_deref())?,
        until: read_time("until", parameters.until.as_deref())?,
    };
    let before = request.after.map(MessageId::from_uuid);
    let found = api.store.search_messages(caller.user, filter, before, request.to_find()).await?;
    Ok(Json(Page::cut(found, request, |message| message.id.uuid())))
}
