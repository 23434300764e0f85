//! `agents`: who answers, in whose name, by which instructions.

use super::pool::{Tx, on_pool, on_tx};
use super::rules::{Rules, Voice};
use super::{AgentId, AiConfigurationId, MailboxId, Store, StoreError, UserId};
use crate::clock::Timestamp;
use crate::mail::Address;

/// The one kind of agent there is.
pub const EMAIL_INBOUND: &str = "email_inbound";

/// What happens with a finished reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Mode {
    /// It is sent.
    Automatic,
    /// It is held for the owner's approval.
    Draft,
}

/// What happens when nobody knows whether a mail went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AmbiguousPolicy {
    /// A person decides.
    Hold,
    /// The Sent folder is asked; what is not found there is held.
    Verify,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Agent {
    /// The id.
    pub id: AgentId,
    /// The owner.
    pub user_id: UserId,
    /// The mailbox it answers for; without one it has nothing to answer.
    pub mailbox_id: Option<MailboxId>,
    /// A configuration other than the owner's default.
    pub ai_configuration_id: Option<AiConfigurationId>,
    /// The name, unique per owner.
    pub name: String,
    /// The kind; `email_inbound`.
    pub kind: String,
    /// Its own address in a shared mailbox.
    pub address: Option<String>,
    /// What the owner tells the model.
    pub instructions: String,
    /// What happens with a finished reply.
    pub mode: Mode,
    /// What happens when nobody knows whether a mail went out.
    pub ambiguous: AmbiguousPolicy,
    /// Whether the operator's key may step in.
    pub allow_platform_key: bool,
    /// Whether it answers at all.
    pub enabled: bool,
    /// Whom it answers, what it may link to, how often it may answer.
    #[sqlx(flatten)]
    pub rules: Rules,
    /// How its replies sound.
    #[sqlx(flatten)]
    pub voice: Voice,
}

impl Agent {
    /// Whether nobody could say which of the two answers a mail: of several agents of a mailbox, each needs an address
    /// of its own.
    pub fn is_rival_of(&self, other: &Self) -> bool {
        let address = |agent: &Self| {
            agent.address.as_deref().and_then(Address::parse).map(|address| address.normalized())
        };
        let share_a_mailbox = self.mailbox_id.is_some() && self.mailbox_id == other.mailbox_id;
        self.id != other.id
            && self.enabled
            && other.enabled
            && share_a_mailbox
            && address(self) == address(other)
    }
}

/// An agent to be made or changed.
pub type NewAgent = Agent;

macro_rules! list_of_mailboxes {
    ($ids:literal, $agents:literal) => {
        concat!(
            "SELECT ",
            $ids,
            ", mailbox_id, ai_configuration_id, name, kind, address, instructions, mode,
                ambiguous, allow_platform_key, enabled, link_domains, allowed_senders, blocked_senders,
                require_authenticated, per_correspondent_10_minutes, per_correspondent_day, per_thread_day,
                per_agent_day, signature, disclosure, language
             FROM ",
            $agents
        )
    };
}

/// The enabled agents of many mailboxes, oldest first; mailboxes and owners stand in `asked (owner, mailbox)`.
pub(super) const SQLITE_LIST_OF_MAILBOXES: &str = list_of_mailboxes!(
    "id, user_id",
    "asked JOIN agents ON agents.id IN (SELECT id FROM agents
        WHERE user_id = owner AND mailbox_id = mailbox AND enabled ORDER BY id LIMIT 1000)
     ORDER BY id"
);
/// The enabled agents of the mailboxes `$2`, whose owners are `$1`, each with its `agent_id` and `agent_owner`.
macro_rules! agents_of_mailboxes {
    () => {
        concat!(
            "SELECT own.* FROM UNNEST($1::UUID[], $2::UUID[]) AS asked (user_id, mailbox_id) CROSS JOIN LATERAL (",
            $crate::store::agents::list_of_mailboxes!(
                "id AS agent_id, user_id AS agent_owner",
                "agents WHERE user_id = asked.user_id AND mailbox_id = asked.mailbox_id AND enabled
                 ORDER BY id LIMIT 1000"
            ),
            ") AS own"
        )
    };
}
pub(super) use {agents_of_mailboxes, list_of_mailboxes};

/// A user's agents by name.
pub(super) const LIST: &str =
    "SELECT id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode,
        ambiguous, allow_platform_key, enabled, link_domains, allowed_senders, blocked_senders,
        require_authenticated, per_correspondent_10_minutes, per_correspondent_day, per_thread_day, per_agent_day,
        signature, disclosure, language
     FROM agents WHERE user_id = $1 ORDER BY name LIMIT 1000";

/// A user's agents, oldest first, after the given one.
const LIST_PIECE: &str =
    "SELECT id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode,
        ambiguous, allow_platform_key, enabled, link_domains, allowed_senders, blocked_senders,
        require_authenticated, per_correspondent_10_minutes, per_correspondent_day, per_thread_day, per_agent_day,
        signature, disclosure, language
     FROM agents WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3";

const FIND: &str =
    "SELECT id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode,
        ambiguous, allow_platform_key, enabled, link_domains, allowed_senders, blocked_senders,
        require_authenticated, per_correspondent_10_minutes, per_correspondent_day, per_thread_day, per_agent_day,
        signature, disclosure, language
     FROM agents WHERE user_id = $1 AND id = $2";

impl Store {
    /// A user's agents by name.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_agents(&self, user: UserId) -> Result<Vec<Agent>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(LIST).bind(user).fetch_all(db).await)?)
    }

    /// A user's agents, oldest first, `most` at a time, after the given one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_agents_after(
        &self,
        user: UserId,
        after: Option<AgentId>,
        most: u32,
    ) -> Result<Vec<Agent>, StoreError> {
        let after = after.unwrap_or(AgentId::from_uuid(uuid::Uuid::nil()));
        Ok(on_pool!(&self.pool, db => sqlx::query_as(LIST_PIECE)
            .bind(user).bind(after).bind(i64::from(most)).fetch_all(db).await)?)
    }

    /// One agent of a user; a foreign id looks like an unknown one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_agent(&self, user: UserId, agent: AgentId) -> Result<Option<Agent>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(FIND).bind(user).bind(agent).fetch_optional(db).await)?)
    }
}

/// Makes or changes an agent.
pub(super) async fn upsert(tx: &mut Tx, agent: NewAgent, now: Timestamp) -> Result<(), StoreError> {
    let (rules, limits) = (&agent.rules, agent.rules.limits);
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO agents (id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions,
            mode, ambiguous, allow_platform_key, enabled, link_domains, allowed_senders, blocked_senders,
            require_authenticated, per_correspondent_10_minutes, per_correspondent_day, per_thread_day,
            per_agent_day, signature, disclosure, language, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $24)
         ON CONFLICT (id) DO UPDATE SET mailbox_id = excluded.mailbox_id,
            ai_configuration_id = excluded.ai_configuration_id, name = excluded.name, kind = excluded.kind,
            address = excluded.address, instructions = excluded.instructions, mode = excluded.mode,
            ambiguous = excluded.ambiguous, allow_platform_key = excluded.allow_platform_key,
            enabled = excluded.enabled, link_domains = excluded.link_domains,
            allowed_senders = excluded.allowed_senders, blocked_senders = excluded.blocked_senders,
            require_authenticated = excluded.require_authenticated,
            per_correspondent_10_minutes = excluded.per_correspondent_10_minutes,
            per_correspondent_day = excluded.per_correspondent_day, per_thread_day = excluded.per_thread_day,
            per_agent_day = excluded.per_agent_day, signature = excluded.signature,
            disclosure = excluded.disclosure, language = excluded.language, updated_at = $24
         WHERE agents.user_id = excluded.user_id")
        .bind(agent.id).bind(agent.user_id).bind(agent.mailbox_id).bind(agent.ai_configuration_id)
        .bind(agent.name).bind(agent.kind).bind(agent.address).bind(agent.instructions).bind(agent.mode)
        .bind(agent.ambiguous).bind(agent.allow_platform_key).bind(agent.enabled)
        .bind(rules.link_domains.stored()?).bind(rules.allowed_senders.stored()?)
        .bind(rules.blocked_senders.stored()?).bind(rules.require_authenticated)
        .bind(limits.per_correspondent_10_minutes).bind(limits.per_correspondent_day)
        .bind(limits.per_thread_day).bind(limits.per_agent_day)
        .bind(agent.voice.signature).bind(agent.voice.disclosure).bind(agent.voice.language).bind(now)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}
