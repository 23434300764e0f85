//! Making an agent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::checked::USUAL_INSTRUCTIONS;
use super::settings::{AgentInput, Instructions, LimitsInput, Signature};
use super::words::{AgentKind, AmbiguousWord, ModeWord};
use super::{AgentAnswer, subject, tell};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::input::Input;
use crate::http::object::maybe_object;
use crate::http::texts::{Email, Line, Text};
use crate::store::{Agent, AgentId, AmbiguousPolicy, EMAIL_INBOUND, Mode, Rules, UserId, Voice};

/// A new agent; name and type are enough.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAgentInput {
    /// Its name; each of one's agents has another.
    #[schema(example = "Support")]
    name: Line,
    /// What kind of agent.
    r#type: AgentKind,
    /// What the model is told; a few friendly words if left out.
    #[serde(default)]
    instructions: Option<Instructions>,
    /// The mailbox that it answers for; one's only one if left out.
    #[serde(default, alias = "mailbox_id")]
    mailbox_id: Option<Uuid>,
    /// Its own address; needed where several agents share a mailbox.
    #[serde(default)]
    address: Option<Email>,
    /// The AI configuration to use instead of the default one.
    #[serde(default, alias = "ai_config_id")]
    ai_config_id: Option<Uuid>,
    /// Whether replies are sent (`automatic`, unless said otherwise), or held for approval.
    #[serde(default)]
    mode: Option<ModeWord>,
    /// What happens when nobody knows whether a mail went out: `hold`, unless said otherwise.
    #[serde(default)]
    ambiguous: Option<AmbiguousWord>,
    /// Whether the operator's key may step in where there is no key of one's own; no, unless said otherwise.
    #[serde(default, alias = "allow_platform_key")]
    allow_platform_key: Option<bool>,
    /// Whether it answers at all; yes, unless said otherwise.
    #[serde(default)]
    enabled: Option<bool>,
    /// Addresses and domains that alone are answered; everybody if left out.
    #[serde(default, alias = "allowed_senders")]
    #[schema(max_items = 1000)]
    allowed_senders: Option<Vec<Line>>,
    /// Addresses and domains that are never answered.
    #[serde(default, alias = "blocked_senders")]
    #[schema(max_items = 1000)]
    blocked_senders: Option<Vec<Line>>,
    /// Whether only senders are answered for whom the mailbox's own mail host vouches; no, unless said otherwise.
    #[serde(default, alias = "require_authenticated")]
    require_authenticated: Option<bool>,
    /// Domains that replies may link to, with what is below them; none if left out.
    #[serde(default, alias = "link_domains")]
    #[schema(max_items = 1000)]
    link_domains: Option<Vec<Line>>,
    /// Limits below those of the server.
    #[serde(default, deserialize_with = "maybe_object")]
    limits: Option<LimitsInput>,
    /// Lines below each reply.
    #[serde(default)]
    signature: Option<Signature>,
    /// The wording of the line that says who answers; it names `{owner}`, an AI, and the word HUMAN. Ours if left out.
    #[serde(default)]
    disclosure: Option<Text<300>>,
    /// The language to answer in; the mail's own if left out.
    #[serde(default)]
    #[schema(example = "en")]
    language: Option<Line>,
}

impl From<NewAgentInput> for AgentInput {
    fn from(new: NewAgentInput) -> Self {
        Self {
            name: Some(new.name),
            r#type: Some(new.r#type),
            instructions: new.instructions.map(Some),
            mailbox_id: new.mailbox_id.map(Some),
            address: new.address.map(Some),
            ai_config_id: new.ai_config_id.map(Some),
            mode: new.mode.map(Some),
            ambiguous: new.ambiguous.map(Some),
            allow_platform_key: new.allow_platform_key.map(Some),
            enabled: new.enabled,
            allowed_senders: new.allowed_senders.map(Some),
            blocked_senders: new.blocked_senders.map(Some),
            require_authenticated: new.require_authenticated.map(Some),
            link_domains: new.link_domains.map(Some),
            limits: new.limits.map(Some),
            signature: new.signature.map(Some),
            disclosure: new.disclosure.map(Some),
            language: new.language.map(Some),
        }
    }
}

/// Make an agent.
///
/// Where no mailbox is named, one's only one is taken. An agent that lacks something is made all the same: `ready` is
/// false, and `missing` says what it lacks.
#[utoipa::path(
    post, path = "/api/automation/agents", tag = "agents", request_body = NewAgentInput,
    responses(
        (status = CREATED, description = "It is made.", body = AgentAnswer),
        (
            status = CONFLICT, body = ErrorBody,
            description = "The name is taken, another agent answers the same mail, or there are too many.",
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<NewAgentInput>,
) -> Result<(StatusCode, Json<AgentAnswer>), ApiError> {
    let change = AgentInput::from(input).check()?;
    let mut agent = usual(AgentId::new(api.store.clock()), caller.user);
    change.make(&mut agent);
    let id = agent.id;
    api.store.add_agent(agent, caller.entry("agent_added", subject(id))).await??;
    Ok((StatusCode::CREATED, Json(tell(&api, &caller, id).await?)))
}

/// An agent of which nothing is said.
fn usual(id: AgentId, user: UserId) -> Agent {
    Agent {
        id,
        user_id: user,
        mailbox_id: None,
        ai_configuration_id: None,
        name: String::new(),
        kind: EMAIL_INBOUND.to_owned(),
        address: None,
        instructions: USUAL_INSTRUCTIONS.to_owned(),
        mode: Mode::Automatic,
        ambiguous: AmbiguousPolicy::Hold,
        allow_platform_key: false,
        enabled: true,
        rules: Rules::default(),
        voice: Voice::default(),
    }
}
