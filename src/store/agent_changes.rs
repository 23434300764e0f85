//! What an owner does to an agent: make, change, delete. What it refers to is the owner's, and nobody could doubt
//! which agent answers a mail.

use super::agents::{self, Agent, NewAgent};
use super::audit::{self, NewAuditEntry};
use super::pool::{Tx, on_tx};
use super::{AgentId, MailboxId, Store, StoreError, UserId};
use crate::clock::Clock;

/// Most agents of one user.
const MOST: usize = 1000;

/// Why an agent cannot be as its owner wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentRefusal {
    /// Another one has the name.
    NameTaken(AgentId),
    /// Another one answers the same mail.
    Rival(Box<Agent>),
    /// The owner has no such mailbox.
    NoMailbox,
    /// The owner has no such AI configuration.
    NoAiConfiguration,
    /// The owner has as many as may be.
    TooMany,
}

impl Store {
    /// Makes an agent. One without a mailbox gets the owner's only one, unless another agent answers for it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn add_agent(
        &self,
        mut agent: NewAgent,
        entry: NewAuditEntry,
    ) -> Result<Result<(), AgentRefusal>, StoreError> {
        self.change_things(entry.user, move |tx, clock| {
            Box::pin(async move {
                let others = list(tx, agent.user_id).await?;
                if others.len() >= MOST {
                    return Ok(Err(AgentRefusal::TooMany));
                }
                if agent.mailbox_id.is_none() {
                    agent.mailbox_id = find_only_mailbox(tx, agent.user_id).await?;
                    if others.iter().any(|other| agent.is_rival_of(other)) {
                        agent.mailbox_id = None;
                    }
                }
                save(tx, agent, &others, entry, &clock).await
            })
        })
        .await
    }

    /// Changes an agent. Answers `None` where the user has no such agent.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn change_agent(
        &self,
        id: AgentId,
        change: impl FnOnce(&mut Agent) + Send + 'static,
        entry: NewAuditEntry,
    ) -> Result<Option<Result<(), AgentRefusal>>, StoreError> {
        self.change_things(entry.user, move |tx, clock| {
            Box::pin(async move {
                let mut others = list(tx, entry.user).await?;
                let Some(index) = others.iter().position(|agent| agent.id == id) else { return Ok(None) };
                let mut agent = others.swap_remove(index);
                change(&mut agent);
                save(tx, agent, &others, entry, &clock).await.map(Some)
            })
        })
        .await
    }

    /// Deletes an agent. Answers whether the user had it.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn delete_agent(&self, id: AgentId, entry: NewAuditEntry) -> Result<bool, StoreError> {
        self.change_things(entry.user, move |tx, clock| {
            Box::pin(async move {
                let gone = on_tx!(tx, db => sqlx::query("DELETE FROM agents WHERE user_id = $1 AND id = $2")
                    .bind(entry.user).bind(id).execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if gone == 1 {
                    audit::append(tx, entry, &clock).await?;
                }
                Ok(gone == 1)
            })
        })
        .await
    }
}

async fn save(
    tx: &mut Tx,
    agent: Agent,
    others: &[Agent],
    entry: NewAuditEntry,
    clock: &Clock,
) -> Result<Result<(), AgentRefusal>, StoreError> {
    if let Some(refusal) = check(tx, &agent, others).await? {
        return Ok(Err(refusal));
    }
    agents::upsert(tx, agent, clock.now()).await?;
    audit::append(tx, entry, clock).await?;
    Ok(Ok(()))
}

async fn check(tx: &mut Tx, agent: &Agent, others: &[Agent]) -> Result<Option<AgentRefusal>, StoreError> {
    if let Some(other) = others.iter().find(|other| other.name == agent.name) {
        return Ok(Some(AgentRefusal::NameTaken(other.id)));
    }
    let is_mailbox_there = match agent.mailbox_id {
        Some(id) => {
            is_owned(tx, "SELECT 1 FROM mailboxes WHERE user_id = $1 AND id = $2", agent.user_id, id.uuid())
                .await?
        }
        None => true,
    };
    if !is_mailbox_there {
        return Ok(Some(AgentRefusal::NoMailbox));
    }
    let is_configuration_there = match agent.ai_configuration_id {
        Some(id) => {
            is_owned(
                tx,
                "SELECT 1 FROM ai_configurations WHERE user_id = $1 AND id = $2",
                agent.user_id,
                id.uuid(),
            )
            .await?
        }
        None => true,
    };
    if !is_configuration_there {
        return Ok(Some(AgentRefusal::NoAiConfiguration));
    }
    let rival = others.iter().find(|other| agent.is_rival_of(other));
    Ok(rival.map(|rival| AgentRefusal::Rival(Box::new(rival.clone()))))
}

async fn is_owned(
    tx: &mut Tx,
    statement: &'static str,
    user: UserId,
    id: uuid::Uuid,
) -> Result<bool, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query(statement).bind(user).bind(id)
        .fetch_optional(&mut *db).await.map(|row| row.is_some()))?)
}

async fn list(tx: &mut Tx, user: UserId) -> Result<Vec<Agent>, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_as(agents::LIST).bind(user).fetch_all(&mut *db).await)?)
}

async fn find_only_mailbox(tx: &mut Tx, user: UserId) -> Result<Option<MailboxId>, StoreError> {
    let found: Vec<MailboxId> = on_tx!(tx, db => sqlx::query_scalar(
        "SELECT id FROM mailboxes WHERE user_id = $1 ORDER BY id LIMIT 2")
        .bind(user).fetch_all(&mut *db).await)?;
    Ok(match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}
