//! The reply of a run, to be read before it goes out or afterwards.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::mail::{self, Limits};
use crate::store::{OutboxState, Reply, RunId};

/// The reply of a run.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplyAnswer {
    /// The words that it is made of, in markdown; null once they are too old to be kept.
    words: Option<String>,
    /// Whether its owner has put other words in the place of the model's.
    edited: bool,
    /// How far it has come; null before it is written.
    state: Option<ReplyStateWord>,
    /// Whom it goes to; found by rule, never by the model.
    to: Option<String>,
    /// Its subject.
    subject: Option<String>,
    /// Its text, with who answers.
    text: Option<String>,
    /// Its Message-ID.
    message_id: Option<String>,
    /// When it was written.
    #[schema(format = DateTime)]
    written_at: Option<String>,
    /// When it was last about to be handed over.
    #[schema(format = DateTime)]
    attempted_at: Option<String>,
    /// When the mail server took it.
    #[schema(format = DateTime)]
    sent_at: Option<String>,
}

/// How far a reply has come.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReplyStateWord {
    /// Written, not yet handed over.
    Ready,
    /// Being handed over.
    Sending,
    /// The mail server has it.
    Sent,
    /// Nobody knows whether the mail server has it.
    Ambiguous,
    /// The mail server refused it.
    Failed,
}

impl From<OutboxState> for ReplyStateWord {
    fn from(state: OutboxState) -> Self {
        match state {
            OutboxState::Ready => Self::Ready,
            OutboxState::Sending => Self::Sending,
            OutboxState::Sent => Self::Sent,
            OutboxState::Ambiguous => Self::Ambiguous,
            OutboxState::Failed => Self::Failed,
        }
    }
}

/// See the reply of a run.
///
/// There is none before a model has answered.
#[utoipa::path(
    get, path = "/api/runs/{id}/reply", tag = "runs",
    params(("id" = uuid::Uuid, Path, description = "The run.")),
    responses((status = OK, description = "The reply.", body = ReplyAnswer)),
)]
pub(crate) async fn reply(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<RunId>,
) -> Result<Json<ReplyAnswer>, ApiError> {
    let reply = api.store.find_reply(caller.user, id).await?;
    Ok(Json(reply.ok_or_else(ApiError::not_found)?.into()))
}

impl From<Reply> for ReplyAnswer {
    fn from(reply: Reply) -> Self {
        let mail = reply.raw.as_deref().map(|raw| mail::read(raw, &Limits::default()));
        Self {
            words: reply.words,
            edited: reply.edited.unwrap_or(false),
            state: reply.state.map(Into::into),
            to: reply.recipient,
            subject: mail.as_ref().map(|mail| mail.subject.clone()),
            text: mail.map(|mail| mail.text.visible),
            message_id: reply.rfc_message_id,
            written_at: reply.frozen_at.map(|time| time.to_string()),
            attempted_at: reply.sending_at.map(|time| time.to_string()),
            sent_at: reply.sent_at.map(|time| time.to_string()),
        }
    }
}
