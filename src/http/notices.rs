//! What an owner has to know, once per cause.

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

/// Something an owner has to know.
#[derive(Serialize, ToSchema)]
pub(super) struct NoticeAnswer {
    /// Its id.
    id: String,
    /// What it is about, as `<kind>:<id>` or a stable word.
    cause: String,
    /// What kind of trouble, as a stable word.
    kind: String,
    /// What to do, for people.
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
            cause: notice.cause,
            kind: notice.kind,
            sentence: notice.sentence,
            created_at: notice.created_at.to_string(),
            ended_at: notice.ended_at.map(|time| time.to_string()),
        }
    }
}

/// List what one has to know.
#[utoipa::path(
    get, path = "/api/notices", tag = "runs", params(PageParameters),
    responses((status = OK, description = "The notices, newest first.", body = Page<NoticeAnswer>)),
)]
pub(super) async fn list_notices(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<NoticeAnswer>>, ApiError> {
    let request = parameters.read()?;
    let after = request.after.map(NoticeId::from_uuid);
    let found = api.store.list_notices(caller.user, after, request.to_find()).await?;
    Ok(Json(Page::cut(found, request, |notice| notice.id.uuid())))
}

/// Say that a notice is dealt with.
///
/// If its cause comes again, or is still there when it is looked for next, there is a new notice.
#[utoipa::path(
    post, path = "/api/notices/{id}/end", tag = "runs",
    params(("id" = uuid::Uuid, Path, description = "The notice.")),
    responses((status = NO_CONTENT, description = "The notice is over.")),
)]
pub(super) async fn end_notice(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<NoticeId>,
) -> Result<StatusCode, ApiError> {
    let is_there = api.store.dismiss_notice(caller.user, id).await?;
    if is_there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}
