//! One message byte for byte.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::store::MessageId;

/// Download one message as it came in.
///
/// It is not found any more once it is too old to be kept.
#[utoipa::path(
    get, path = "/api/messages/{id}/raw", tag = "messages",
    params(("id" = uuid::Uuid, Path, description = "The message.")),
    responses((
        status = OK, description = "The message, byte for byte, or its beginning where it is `truncated`.",
        body = String, content_type = "message/rfc822",
    )),
)]
pub(crate) async fn raw(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<impl IntoResponse, ApiError> {
    let message = api.store.find_message(caller.user, id).await?;
    let raw = message.and_then(|message| message.raw).ok_or_else(ApiError::not_found)?;
    // To be saved, never shown: what strangers wrote must not run in a browser (SR-35).
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.eml\"")),
    ];
    Ok((headers, raw))
}
