//! What one must know: once per cause, until the cause is gone or one has said that it is dealt with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Id, Parameters};
use super::pages::{Page, PageParameters};
use crate::store::{Notice, NoticeId};

/// Something that its owner must know.
#[derive(Serialize, ToSchema)]
pub(crate) struct NoticeAnswer {
    /// Its id.
    id: String,
    /// What kind of trouble, as a stable word.
    #[schema(example = "mailbox_away")]
    kind: String,
    /// What it is about: `<kind>:<id>`, or a word.
    cause: String,
    /// One sentence that says what to do.
    sentence: String,
    /// Since when.
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when; null while it lasts.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl From<Notice> for NoticeAnswer {
    fn from(notice: Notice) -> Self {
        Self {
            id: notice.id.to_string(),
            kind: notice.kind,
            cause: notice.cause,
            sentence: notice.sentence,
            created_at: notice.created_at.to_string(),
            ended_at: notice.ended_at.map(|time| time.to_string()),
        }
    }
}

/// List what one must know.
#[utoipa::path(
    get, path = "/api/notices", tag = "notices", params(PageParameters),
    responses((status = OK, description = "The notices, newest first, those that are over as well.", body = Page<NoticeAnswer>)),
)]
pub(crate) async fn list_notices(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<NoticeAnswer>>, ApiError> {
    let request = parameters.read()?;
    let before = request.after.map(NoticeId::from_uuid);
    let found = api.store.list_notices_before(caller.user, before, request.to_find()).await?;
    Ok(Json(Page::cut(found, request, |notice| notice.id.uuid())))
}

/// Say that a notice is dealt with.
///
/// If its cause comes again, or is still there when it is looked for next, there is a new notice.
#[utoipa::path(
    post, path = "/api/notices/{id}/end", tag = "notices",
    params(("id" = uuid::Uuid, Path, description = "The notice.")),
    responses((status = NO_CONTENT, description = "The notice is over.")),
)]
pub(crate) async fn end_notice(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<NoticeId>,
) -> Result<StatusCode, ApiError> {
    let is_there = api.store.dismiss_notice(caller.user, id).await?;
    if is_there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}
