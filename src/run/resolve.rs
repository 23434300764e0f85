//! Message -> mail -> whether it may be answered at all -> agent -> owner.

use super::Runner;
use super::error::RunError;
use crate::mail::gate::{self, Decision, Ours};
use crate::mail::{self, Address, Limits, Mail};
use crate::store::{Agent, Claim, Lease, Mailbox, Message, StoreError, User};

/// A run with everything that it is about.
pub(super) struct Task {
    pub(super) lease: Lease,
    pub(super) attempt: i64,
    /// Whether the owner has said that it is to be sent.
    pub(super) resend: bool,
    pub(super) message: Message,
    pub(super) mail: Mail,
    /// Whom the reply goes to: found by rule, never by the model.
    pub(super) recipient: Address,
    pub(super) agent: Agent,
    pub(super) mailbox: Mailbox,
    pub(super) user: User,
}

impl Runner {
    pub(super) async fn resolve(&self, claim: &Claim) -> Result<Task, RunError> {
        let (lease, user_id) = (claim.lease(), claim.user_id);
        let missing = |table| StoreError::Impossible { table, column: "id", id: claim.id.to_string() };
        let message = self.store.find_message(user_id, claim.id.message()).await?;
        let message = message.ok_or_else(|| missing("messages"))?;
        if message.truncated && message.raw.as_ref().is_some_and(Vec::is_empty) {
            return Err(RunError::Unfetchable);
        }
        let mail = read(&message).await?;
        let recipient = self.pass_gate(&message, &mail).await?;
        let mailbox = self.store.find_mailbox(user_id, message.mailbox_id).await?;
        let mailbox = mailbox.ok_or_else(|| missing("mailboxes"))?;
        let agents = self.store.list_agents_of_mailbox(user_id, mailbox.id).await?;
        let agent = choose(agents, &mailbox, &mail).ok_or(RunError::NoAgent)?;
        let user = self.store.find_user(user_id).await?.ok_or_else(|| missing("users"))?;
        self.store.assign_agent(lease, agent.id).await?;
        tracing::info!(run = %lease.run, agent = %agent.id, user = %user.id, "resolved");
        Ok(Task {
            lease,
            attempt: claim.attempt,
            resend: claim.resend,
            message,
            mail,
            recipient,
            agent,
            mailbox,
            user,
        })
    }

    /// The pure decision, on headers and structure only, before anything costs money.
    async fn pass_gate(&self, message: &Message, mail: &Mail) -> Result<Address, RunError> {
        let own = self.store.list_own_addresses(message.user_id).await?;
        let tag = |bytes: &[u8]| self.vault.message_tag(bytes);
        let ours = Ours {
            addresses: own.iter().filter_map(|address| Address::parse(address)).collect(),
            message_tag: &tag,
            installation: self.installation(),
        };
        match gate::decide(mail, &ours) {
            Decision::Answer { recipient } => Ok(recipient),
            Decision::Skip(reason) => Err(RunError::Skip(reason)),
        }
    }

    /// Tells our own loop marks from others': the same for all processes that share a key.
    pub(super) fn installation(&self) -> String {
        let tag = self.vault.message_tag(b"installation");
        tag.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

async fn read(message: &Message) -> Result<Mail, RunError> {
    let raw = message.raw.clone().ok_or(RunError::Forgotten)?;
    // A large mail takes a while, and other runs share this thread.
    if raw.len() < 64 * 1024 {
        return Ok(mail::read(&raw, &Limits::default()));
    }
    let read = tokio::task::spawn_blocking(move || mail::read(&raw, &Limits::default())).await;
    read.map_err(|_| RunError::Unreadable)
}

/// The mailbox's only agent, or in a shared mailbox the one that the mail was delivered to (EM-61, EM-65).
fn choose(mut agents: Vec<Agent>, mailbox: &Mailbox, mail: &Mail) -> Option<Agent> {
    let base = Address::parse(&mailbox.address);
    let named = agents.iter().position(|agent| {
        let Some(address) = agent.address.as_deref().and_then(Address::parse) else { return false };
        delivered_to(mail).any(|to| to.is_same(&address) || is_detail_of(to, base.as_ref(), &address))
    });
    let unnamed = || agents.iter().position(|agent| agent.address.is_none());
    let index = named.or_else(unnamed)?;
    Some(agents.swap_remove(index))
}

/// Where the mail says it was delivered, the most telling first (EM-62).
fn delivered_to(mail: &Mail) -> impl Iterator<Item = &Address> {
    mail.delivered_to.iter().chain(&mail.to).chain(&mail.cc)
}

/// `sales+anything@shop` is `sales@shop`.
fn is_detail_of(to: &Address, mailbox: Option<&Address>, agent: &Address) -> bool {
    let is_plain = mailbox.is_none_or(|mailbox| !mailbox.is_same(agent));
    is_plain && to.without_detail().is_same(agent)
}
