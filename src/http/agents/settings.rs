//! What an owner says about an agent.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{AgentKind, AmbiguousWord, ModeWord};
use crate::http::input::{Given, given};
use crate::http::object::given_object;
use crate::http::texts::{Email, Line, Text};
use crate::store::LONGEST_SIGNATURE;

pub(super) type Instructions = Text<65_536>;
pub(super) type Signature = Text<LONGEST_SIGNATURE>;

/// What is to change; what is left out stays, and null stands for the default.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AgentInput {
    /// Another name.
    #[serde(default)]
    pub(super) name: Option<Line>,
    /// Cannot be changed; accepted where it says what is there already.
    #[serde(default)]
    pub(super) r#type: Option<AgentKind>,
    /// What the model is told.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Instructions>)]
    pub(super) instructions: Given<Instructions>,
    /// The mailbox that it answers for.
    #[serde(default, alias = "mailbox_id", deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    pub(super) mailbox_id: Given<Uuid>,
    /// Its own address; needed where several agents share a mailbox.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Email>)]
    pub(super) address: Given<Email>,
    /// The AI configuration to use instead of the default one.
    #[serde(default, alias = "ai_config_id", deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    pub(super) ai_config_id: Given<Uuid>,
    /// Whether replies are sent, or held for approval.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ModeWord>)]
    pub(super) mode: Given<ModeWord>,
    /// What happens when nobody knows whether a mail went out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<AmbiguousWord>)]
    pub(super) ambiguous: Given<AmbiguousWord>,
    /// Whether the operator's key may step in where there is no key of one's own.
    #[serde(default, alias = "allow_platform_key", deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub(super) allow_platform_key: Given<bool>,
    /// Whether it answers at all.
    #[serde(default)]
    pub(super) enabled: Option<bool>,
    /// Addresses and domains that alone are answered.
    #[serde(default, alias = "allowed_senders", deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Line>>, max_items = 1000)]
    pub(super) allowed_senders: Given<Vec<Line>>,
    /// Addresses and domains that are never answered.
    #[serde(default, alias = "blocked_senders", deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Line>>, max_items = 1000)]
    pub(super) blocked_senders: Given<Vec<Line>>,
    /// Whether only senders are answered for whom the mailbox's own mail host vouches.
    #[serde(default, alias = "require_authenticated", deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub(super) require_authenticated: Given<bool>,
    /// Domains that replies may link to, with what is below them.
    #[serde(default, alias = "link_domains", deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Line>>, max_items = 1000)]
    pub(super) link_domains: Given<Vec<Line>>,
    /// Limits below those of the server.
    #[serde(default, deserialize_with = "given_object")]
    #[schema(value_type = Option<LimitsInput>)]
    pub(super) limits: Given<LimitsInput>,
    /// Lines below each reply.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Signature>)]
    pub(super) signature: Given<Signature>,
    /// The wording of the line that says who answers; it names `{owner}`, an AI, and the word HUMAN.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Text<300>>)]
    pub(super) disclosure: Given<Text<300>>,
    /// The language to answer in, instead of the mail's own.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Line>, example = "en")]
    pub(super) language: Given<Line>,
}

/// How often an agent may answer at most; null, or left out, is the server's own limit.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LimitsInput {
    /// To one correspondent in 10 minutes.
    #[serde(default, rename = "perCorrespondent10Minutes", alias = "per_correspondent_10_minutes")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(super) per_correspondent_10_minutes: Option<i64>,
    /// To one correspondent in a day.
    #[serde(default, alias = "per_correspondent_day")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(super) per_correspondent_day: Option<i64>,
    /// In one thread in a day.
    #[serde(default, alias = "per_thread_day")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(super) per_thread_day: Option<i64>,
    /// In a day.
    #[serde(default, alias = "per_agent_day")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(super) per_agent_day: Option<i64>,
}
