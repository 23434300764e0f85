//! What a route needs, and the rights that credentials can have (SR-44, SR-51).

use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A right that other credentials than a session can have as well.
    Scope(Scope),
    /// To act with its owner's provider key: what a security token can be made for.
    Purpose(Purpose),
    /// A session: what only the person may do.
    Session,
    /// A session of an administrator.
    Administrator,
}

/// A right of a platform API key (SR-44).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// See AI configurations, keys masked.
    ConfigsRead,
    /// Change AI configurations.
    ConfigsWrite,
    /// See agents and mailboxes.
    AgentsRead,
    /// Change agents and mailboxes.
    AgentsWrite,
    /// Read mail.
    MailRead,
    /// See runs.
    RunsRead,
    /// Decide about runs.
    RunsWrite,
    /// See what was used.
    UsageRead,
    /// Chat with one's own models.
    ChatCreate,
    /// Make security tokens, and do what they can be made for.
    TokensCreate,
    /// Make and change platform API keys that may do no more.
    KeysWrite,
    /// Take everything along, mails included.
    ExportRead,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ConfigsRead,
        Self::ConfigsWrite,
        Self::AgentsRead,
        Self::AgentsWrite,
        Self::MailRead,
        Self::RunsRead,
        Self::RunsWrite,
        Self::UsageRead,
        Self::ChatCreate,
        Self::TokensCreate,
        Self::KeysWrite,
        Self::ExportRead,
    ];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigsRead => "configs:read",
            Self::ConfigsWrite => "configs:write",
            Self::AgentsRead => "agents:read",
            Self::AgentsWrite => "agents:write",
            Self::MailRead => "mail:read",
            Self::RunsRead => "runs:read",
            Self::RunsWrite => "runs:write",
            Self::UsageRead => "usage:read",
            Self::ChatCreate => "chat:create",
            Self::TokensCreate => "tokens:create",
            Self::KeysWrite => "keys:write",
            Self::ExportRead => "export:read",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// What a security token is made for, exactly one (SR-51).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Chat with a model.
    ChatCompletion,
    /// Let an agent work.
    AgentRun,
    /// See what an agent would answer.
    AgentPreview,
    /// Ask a provider whether a key is good.
    ConfigVerify,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ChatCompletion, Self::AgentRun, Self::AgentPreview, Self::ConfigVerify];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletion => "chat.completion",
            Self::AgentRun => "agent.run",
            Self::AgentPreview => "agent.preview",
            Self::ConfigVerify => "config.verify",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// The smallest right with which a platform API key may do the same itself.
    pub fn scope(self) -> Scope {
        match self {
            Self::ChatCompletion => Scope::ChatCreate,
            Self::AgentRun => Scope::RunsWrite,
            Self::AgentPreview => Scope::AgentsWrite,
            Self::ConfigVerify => Scope::ConfigsWrite,
        }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::parse(&name).ok_or_else(|| unknown(&Self::ALL.map(Self::as_str)))
    }
}

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        one_of(&Self::ALL.map(Self::as_str))
    }
}

impl ToSchema for Scope {}

impl<'de> Deserialize<'de> for Purpose {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::parse(&name).ok_or_else(|| unknown(&Self::ALL.map(Self::as_str)))
    }
}

impl PartialSchema for Purpose {
    fn schema() -> RefOr<Schema> {
        one_of(&Self::ALL.map(Self::as_str))
    }
}

impl ToSchema for Purpose {}

fn unknown<E: serde::de::Error>(names: &[&str]) -> E {
    E::custom(format!("must be one of {}", names.join(", ")))
}

fn one_of(names: &[&'static str]) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.to_vec())).into()
}
