//! What an agent would do with a mail: the whole journey, and nobody is written to.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::Api;
use crate::http::access::{Access, Scope};
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::{Id, Input};
use crate::http::runs::{StateWord, UsageAnswer};
use crate::mail::{self, Limits};
use crate::provider::{Conversation, Role};
use crate::run::explain::sentence;
use crate::run::{Material, Preview, PreviewError, Refused, Written};
use crate::store::{AgentId, MessageId};

/// What to preview: one of both mails.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PreviewInput {
    /// A mail with its header, as a mail program shows its source.
    #[serde(default)]
    mail: Option<String>,
    /// A mail that came in.
    #[serde(default, alias = "message_id")]
    message_id: Option<Uuid>,
    /// Whether the model is asked, on one's own key; no shows what it would be asked.
    #[serde(default = "yes")]
    #[schema(default = true)]
    ask: bool,
}

fn yes() -> bool {
    true
}

/// What an agent would do with a mail.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreviewAnswer {
    /// What is said of the mail before anything costs money.
    gate: GateAnswer,
    /// What the model is shown; null where it would not be asked.
    prompt: Option<PromptAnswer>,
    /// What the model said; null where it was not asked.
    reply: Option<PreviewedReply>,
    /// What the run would come to; null where only the model's answer could tell.
    outcome: Option<OutcomeAnswer>,
}

/// What is said of a mail before anything costs money.
#[derive(Serialize, ToSchema)]
pub(super) struct GateAnswer {
    /// Whether it may be answered.
    decision: GateWord,
    /// Why not, as a stable word.
    #[schema(example = "mailing_list")]
    reason: Option<&'static str>,
    /// Whom the reply would go to.
    to: Option<String>,
}

/// What the gate says.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GateWord {
    /// It may be answered.
    Answer,
    /// It is not answered.
    Skip,
    /// A person decides.
    Hold,
}

/// What a model is shown.
#[derive(Serialize, ToSchema)]
pub(super) struct PromptAnswer {
    /// The owner's side: instructions and rules.
    system: String,
    /// The conversation, oldest first.
    turns: Vec<TurnAnswer>,
}

/// One turn of a conversation.
#[derive(Serialize, ToSchema)]
pub(super) struct TurnAnswer {
    /// Who speaks.
    role: RoleWord,
    /// What is said.
    text: String,
}

/// Who speaks.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoleWord {
    /// The person outside.
    Correspondent,
    /// The agent.
    Agent,
}

/// What a model said, and what would be sent.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviewedReply {
    /// The model that answered.
    model: String,
    /// Why it stopped.
    #[schema(example = "stop")]
    finish: String,
    /// Its words.
    words: String,
    /// The subject of the reply; null where none can be made.
    subject: Option<String>,
    /// The text of the reply, with who answers; null where none can be made.
    text: Option<String>,
    /// What it used.
    usage: UsageAnswer,
    /// How long the model took, in milliseconds.
    latency_ms: u64,
}

/// What a run would come to.
#[derive(Serialize, ToSchema)]
pub(super) struct OutcomeAnswer {
    /// Where it would stand.
    state: StateWord,
    /// Why, as a stable word.
    reason: Option<&'static str>,
    /// What makes the reason precise.
    detail: Option<String>,
    /// Why, in a sentence.
    explanation: String,
}

/// See what an agent would do with a mail.
///
/// The whole journey of a mail, without a run and without anybody being written to. The model is asked in earnest, on
/// one's own key (never on the operator's), unless `ask` is false.
#[utoipa::path(
    post, path = "/api/automation/agents/{id}/preview", tag = "agents", request_body = PreviewInput,
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    responses(
        (status = OK, description = "What it would do.", body = PreviewAnswer),
        (
            status = CONFLICT, body = ErrorBody,
            description = "The agent has no mailbox that a mail could have come to, or a call of this name is being \
                worked on.",
        ),
    ),
)]
pub(crate) async fn preview(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AgentId>,
    Input(input): Input<PreviewInput>,
) -> Result<Json<PreviewAnswer>, ApiError> {
    let mut agent = api.store.find_agent(caller.user, id).await?.ok_or_else(ApiError::not_found)?;
    if let Some(pass) = caller.pass() {
        agent.ai_configuration_id = pass.configuration();
    }
    if input.message_id.is_some() && !caller.may(Access::Scope(Scope::MailRead)) {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            "the preview of a stored message needs the right to read mail",
        ));
    }
    let material = match (input.mail, input.message_id) {
        (Some(mail), None) if !mail.trim().is_empty() => Material::Pasted(mail.into_bytes()),
        (Some(_), None) => return Err(ApiError::field("mail", "must be a mail with its header")),
        (None, Some(message)) => Material::Stored(MessageId::from_uuid(message)),
        (None, None) | (Some(_), Some(_)) => {
            return Err(ApiError::field("mail", "or `messageId` must be given, and not both"));
        }
    };
    let scribe = api.scribe.clone();
    // A task of its own: what the model has cost is written down even if whoever asked has gone away.
    let previewed = tokio::spawn(async move { scribe.preview(agent, material, input.ask).await }).await;
    Ok(Json(previewed.map_err(|_| ApiError::internal())??.into()))
}

impl From<PreviewError> for ApiError {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::Store(error) => error.into(),
            PreviewError::TooMany => Self::too_many(Duration::from_secs(1)),
            PreviewError::NoMessage => Self::field("messageId", "must be one of your own messages"),
            PreviewError::NoMailbox => Self::new(
                ErrorCode::WrongState,
                "the agent has no mailbox that a mail could come to; give it one",
            )
            .with(json!({ "missing": ["mailbox"] })),
        }
    }
}

impl From<Preview> for PreviewAnswer {
    fn from(preview: Preview) -> Self {
        let (decision, reason) = match preview.refused {
            None => (GateWord::Answer, None),
            Some(Refused::Skip(reason)) => (GateWord::Skip, Some(reason.as_str())),
            Some(Refused::Hold(reason)) => (GateWord::Hold, Some(reason.as_str())),
        };
        Self {
            gate: GateAnswer { decision, reason, to: preview.recipient },
            prompt: preview.conversation.map(Into::into),
            reply: preview.written.map(Into::into),
            outcome: preview.outcome.map(|(state, cause)| {
                let (reason, detail) = cause.map_or((None, None), |cause| (Some(cause.reason), cause.detail));
                let explanation = sentence(state, reason, detail.as_deref());
                OutcomeAnswer { state: state.into(), reason, detail, explanation }
            }),
        }
    }
}

impl From<Conversation> for PromptAnswer {
    fn from(conversation: Conversation) -> Self {
        let turns = conversation.turns.into_iter().map(|turn| TurnAnswer {
            role: match turn.role {
                Role::Correspondent => RoleWord::Correspondent,
                Role::Agent => RoleWord::Agent,
            },
            text: turn.text,
        });
        Self { turns: turns.collect(), system: conversation.system }
    }
}

impl From<Written> for PreviewedReply {
    fn from(written: Written) -> Self {
        let mail = written.mail.map(|raw| mail::read(&raw, &Limits::default()));
        Self {
            model: written.completion.model,
            finish: written.completion.finish,
            words: written.completion.body.unwrap_or_default(),
            subject: mail.as_ref().map(|mail| mail.subject.clone()),
            text: mail.map(|mail| mail.text.visible),
            usage: UsageAnswer::of_end(&written.usage),
            latency_ms: u64::try_from(written.usage.latency.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
