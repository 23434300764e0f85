//! One message as the program reads it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::mail::{self, Address, Attachment, Limits, Mail};
use crate::store::{Message, MessageId};

/// A message as the program reads it. What is not kept any more is null or empty.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageDetailAnswer {
    /// Its id, which is also that of its run.
    id: String,
    /// The mailbox that it came to.
    mailbox_id: String,
    /// Its thread.
    thread_id: String,
    /// Its senders.
    from: Vec<String>,
    /// Its recipients.
    to: Vec<String>,
    /// Whoever got a copy.
    cc: Vec<String>,
    /// Its subject.
    subject: Option<String>,
    /// When it was written, as it says.
    #[schema(format = DateTime)]
    date: Option<String>,
    /// Its words, without quoted history and signature: what a model is shown.
    text: Option<String>,
    /// What is attached to it.
    attachments: Vec<AttachmentAnswer>,
    /// What the mailbox's own mail host says of its sender, as a stable word.
    authentication: Option<String>,
    /// Whether only its beginning was taken in.
    truncated: bool,
    /// Whether it is kept; old mail is removed.
    is_kept: bool,
    /// When it was taken in.
    #[schema(format = DateTime)]
    received_at: String,
}

/// A file in a mail.
#[derive(Serialize, ToSchema)]
pub(super) struct AttachmentAnswer {
    /// Its name.
    name: String,
    /// Its media type.
    kind: String,
    /// Its size in bytes.
    bytes: usize,
}

impl From<Attachment> for AttachmentAnswer {
    fn from(file: Attachment) -> Self {
        Self { name: file.name, kind: file.kind, bytes: file.bytes }
    }
}

/// See one message as the program reads it.
#[utoipa::path(
    get, path = "/api/messages/{id}", tag = "messages",
    params(("id" = uuid::Uuid, Path, description = "The message.")),
    responses((status = OK, description = "The message.", body = MessageDetailAnswer)),
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<Json<MessageDetailAnswer>, ApiError> {
    let mut message = api.store.find_message(caller.user, id).await?.ok_or_else(ApiError::not_found)?;
    let raw = message.raw.take();
    // A large mail takes a while, and other calls share this thread.
    let read = tokio::task::spawn_blocking(move || raw.map(|raw| mail::read(&raw, &Limits::default())));
    let mail = read.await.map_err(|_| ApiError::internal())?;
    Ok(Json(tell(message, mail)))
}

fn tell(message: Message, mail: Option<Mail>) -> MessageDetailAnswer {
    let written = |addresses: &[Address]| addresses.iter().map(|to| to.as_str().to_owned()).collect();
    let kept = mail.as_ref();
    MessageDetailAnswer {
        id: message.id.to_string(),
        mailbox_id: message.mailbox_id.to_string(),
        thread_id: message.thread_id.to_string(),
        from: kept
            .map(|mail| mail.from.iter().map(|from| from.address.as_str().to_owned()).collect())
            .unwrap_or_default(),
        to: kept.map(|mail| written(&mail.to)).unwrap_or_default(),
        cc: kept.map(|mail| written(&mail.cc)).unwrap_or_default(),
        subject: kept.map(|mail| mail.subject.clone()),
        date: kept.and_then(|mail| mail.date).map(|date| date.to_string()),
        text: kept.map(|mail| mail.text.visible.clone()),
        authentication: message.authentication,
        truncated: message.truncated,
        is_kept: kept.is_some(),
        received_at: message.received_at.to_string(),
        attachments: mail
            .map(|mail| mail.attachments.into_iter().map(Into::into).collect())
            .unwrap_or_default(),
    }
}
