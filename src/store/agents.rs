//! `agents`: who answers, in whose name, by which instructions.

use super::pool::{Tx, on_pool, on_tx};
use super::{AgentId, AiConfigurationId, MailboxId, Store, StoreError, UserId};
use crate::clock::Timestamp;

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
    /// The mailbox it answers for.
    pub mailbox_id: MailboxId,
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
}

/// An agent to be made or changed.
pub type NewAgent = Agent;

/// The enabled agents of a mailbox, oldest first.
pub(super) const LIST_OF_MAILBOX: &str =
    "SELECT id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode,
        ambiguous, allow_platform_key, enabled
     FROM agents WHERE user_id = $1 AND mailbox_id = $2 AND enabled ORDER BY id LIMIT 1000";

impl Store {
    /// A user's agents by name.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_agents(&self, user: UserId) -> Result<Vec<Agent>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode,
                ambiguous, allow_platform_key, enabled
             FROM agents WHERE user_id = $1 ORDER BY name LIMIT 1000")
            .bind(user).fetch_all(db).await)?)
    }
}

/// Makes or changes an agent.
pub(super) async fn upsert(tx: &mut Tx, agent: NewAgent, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO agents (id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions,
            mode, ambiguous, allow_platform_key, enabled, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
         ON CONFLICT (id) DO UPDATE SET mailbox_id = excluded.mailbox_id,
            ai_configuration_id = excluded.ai_configuration_id, name = excluded.name, kind = excluded.kind,
            address = excluded.address, instructions = excluded.instructions, mode = excluded.mode,
            ambiguous = excluded.ambiguous, allow_platform_key = excluded.allow_platform_key,
            enabled = excluded.enabled, updated_at = $13
         WHERE agents.user_id = excluded.user_id")
        .bind(agent.id).bind(agent.user_id).bind(agent.mailbox_id).bind(agent.ai_configuration_id)
        .bind(agent.name).bind(agent.kind).bind(agent.address).bind(agent.instructions).bind(agent.mode)
        .bind(agent.ambiguous).bind(agent.allow_platform_key).bind(agent.enabled).bind(now)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}
