//! Agents: who answers which mail, by which instructions.

pub(super) mod change;
pub(super) mod create;
pub(super) mod preview;
pub(super) mod read;
pub(super) mod remove;

mod checked;
mod readiness;
mod settings;
mod words;

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use self::readiness::{Means, Missing};
use self::words::{AgentKind, AmbiguousWord, LimitsAnswer, ModeWord};
use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorCode};
use crate::store::{Agent, AgentId, AgentRefusal};

/// An agent.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentAnswer {
    /// Its id.
    id: String,
    /// Its name; each of one's agents has another.
    name: String,
    /// What kind of agent.
    r#type: AgentKind,
    /// Whether it answers at all.
    enabled: bool,
    /// Whether it has everything that it needs to answer.
    ready: bool,
    /// What it lacks.
    missing: Vec<Missing>,
    /// What the model is told.
    instructions: String,
    /// The mailbox that it answers for.
    mailbox_id: Option<String>,
    /// Its own address; needed where several agents share a mailbox.
    address: Option<String>,
    /// The AI configuration that it uses; the default one if null.
    ai_config_id: Option<String>,
    /// Whether replies are sent, or held for approval.
    mode: ModeWord,
    /// What happens when nobody knows whether a mail went out.
    ambiguous: AmbiguousWord,
    /// Whether the operator's key may step in where there is no key of one's own.
    allow_platform_key: bool,
    /// Addresses and domains that alone are answered; everybody while empty.
    allowed_senders: Vec<String>,
    /// Addresses and domains that are never answered.
    blocked_senders: Vec<String>,
    /// Whether only senders are answered for whom the mailbox's own mail host vouches.
    require_authenticated: bool,
    /// Domains that replies may link to, with what is below them.
    link_domains: Vec<String>,
    /// Limits below those of the server.
    limits: LimitsAnswer,
    /// Lines below each reply.
    signature: Option<String>,
    /// The wording of the line that says who answers; ours if null.
    disclosure: Option<String>,
    /// The language to answer in; the mail's own if null.
    #[schema(example = "en")]
    language: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

impl AgentAnswer {
    fn new(agent: Agent, means: &Means) -> Self {
        let missing = means.missing(&agent);
        Self {
            id: agent.id.to_string(),
            r#type: AgentKind::EmailInbound,
            enabled: agent.enabled,
            ready: missing.is_empty(),
            missing,
            mailbox_id: agent.mailbox_id.map(|id| id.to_string()),
            address: agent.address,
            ai_config_id: agent.ai_configuration_id.map(|id| id.to_string()),
            mode: agent.mode.into(),
            ambiguous: agent.ambiguous.into(),
            allow_platform_key: agent.allow_platform_key,
            allowed_senders: agent.rules.allowed_senders.0,
            blocked_senders: agent.rules.blocked_senders.0,
            require_authenticated: agent.rules.require_authenticated,
            link_domains: agent.rules.link_domains.0,
            limits: agent.rules.limits.into(),
            signature: agent.voice.signature,
            disclosure: agent.voice.disclosure,
            language: agent.voice.language,
            created_at: agent.id.made_at().to_string(),
            name: agent.name,
            instructions: agent.instructions,
        }
    }
}

/// The agent as it is now.
async fn tell(api: &Api, caller: &Caller, id: AgentId) -> Result<AgentAnswer, ApiError> {
    let agent = api.store.find_agent(caller.user, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(AgentAnswer::new(agent, &Means::of(api, caller.user).await?))
}

/// What the audit log calls it.
fn subject(id: AgentId) -> Option<String> {
    Some(format!("agent:{id}"))
}

impl From<AgentRefusal> for ApiError {
    fn from(refusal: AgentRefusal) -> Self {
        match refusal {
            AgentRefusal::NameTaken(id) => {
                Self::new(ErrorCode::AlreadyExists, "there is an agent of this name; give another one")
                    .with(json!({ "field": "name", "id": id.to_string() }))
            }
            AgentRefusal::Rival(other) => {
                let message =
                    "another agent answers for this mailbox and address; give each its own `address`";
                Self::new(ErrorCode::AddressTaken, message)
                    .with(json!({ "field": "address", "id": other.id.to_string() }))
            }
            AgentRefusal::NoMailbox => Self::field("mailboxId", "must be one of your own mailboxes"),
            AgentRefusal::NoAiConfiguration => {
                Self::field("aiConfigId", "must be one of your own AI configurations")
            }
            AgentRefusal::TooMany => {
                Self::new(ErrorCode::LimitReached, "there are as many agents as may be; delete one first")
            }
        }
    }
}
