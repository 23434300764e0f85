//! Message -> mail -> whether it may be answered at all -> agent -> owner.

use super::error::RunError;
use super::scribe::Scribe;
use crate::mail::gate::{self, Allowed, Decision, Ours};
use crate::mail::{self, Address, Limits, Mail};
use crate::store::{
    Agent, AiConfiguration, Claim, Dossier, Lease, Mailbox, Message, OutboxMail, RunId, SentMail, StoreError,
    StoredCompletion, UserId,
};

/// A mail that may be answered, with everything that an answer is made of.
pub(super) struct Question {
    /// Failed attempts so far.
    pub(super) attempt: i64,
    /// Whether the owner has said that the reply is to be sent.
    pub(super) resend: bool,
    pub(super) message: Message,
    pub(super) mail: Mail,
    /// Whom the reply goes to: found by rule, never by the model.
    pub(super) recipient: Address,
    pub(super) agent: Agent,
    pub(super) mailbox: Mailbox,
    /// The name that the reply is written on behalf of.
    pub(super) owner_name: String,
    /// The agent's AI configuration or the owner's default one, its key sealed.
    pub(super) configuration: Option<AiConfiguration>,
    /// Whether the thread holds earlier mail.
    pub(super) has_history: bool,
    /// Whether an earlier call had too little room for a word.
    pub(super) had_no_words: bool,
}

impl Question {
    /// The owner.
    pub(super) fn user(&self) -> UserId {
        self.message.user_id
    }

    /// At the first attempt, without a word of the owner's.
    pub(super) fn new(dossier: Dossier, mail: Mail, recipient: Address, agent: Agent) -> Self {
        Self {
            attempt: 0,
            resend: false,
            configuration: configuration_of(&agent, dossier.ai_configurations),
            message: dossier.message,
            mail,
            recipient,
            agent,
            mailbox: dossier.mailbox,
            owner_name: dossier.owner_name,
            has_history: dossier.has_history,
            had_no_words: dossier.had_no_words,
        }
    }

    /// The run of the mail, if it has one.
    pub(super) fn run(&self) -> RunId {
        RunId::of(self.message.id)
    }
}

/// A claimed run: its question, and how far earlier attempts have come with it.
pub(super) struct Task {
    pub(super) lease: Lease,
    pub(super) question: Question,
    /// What an earlier attempt has frozen.
    pub(super) reply: Option<OutboxMail>,
    /// What an earlier attempt has stored.
    pub(super) words: Option<StoredCompletion>,
}

impl Scribe {
    /// Everything that the run starts from.
    pub(super) async fn look_up(&self, claim: &Claim) -> Result<Dossier, RunError> {
        let missing = || StoreError::Impossible { table: "messages", column: "id", id: claim.id.to_string() };
        Ok(self.store.find_dossier(claim.user_id, claim.id.message()).await?.ok_or_else(missing)?)
    }

    pub(super) async fn resolve(&self, claim: &Claim, mut dossier: Dossier) -> Result<Task, RunError> {
        let mail = take_mail(&mut dossier.message).await?;
        let sent = self.list_sent(&dossier, &mail).await?;
        let decision = self.pass_gate(&dossier, &mail, &sent);
        if decision.is_err() {
            self.note_bounce(&dossier, &mail, sent).await?;
        }
        let recipient = decision?;
        let agent = choose(&mut dossier, &mail).ok_or(RunError::NoAgent)?;
        self.restrain(claim, &dossier, (&mail, &recipient), &agent).await?;
        tracing::debug!(run = %claim.id, agent = %agent.id, user = %claim.user_id, "resolved");
        let (reply, words) = (dossier.reply.take(), dossier.completion.take());
        let question = Question::new(dossier, mail, recipient, agent);
        let question = Question { attempt: claim.attempt, resend: claim.resend, ..question };
        Ok(Task { lease: claim.lease(), question, reply, words })
    }

    /// The pure decision, on headers and structure only, before anything costs money.
    pub(super) fn pass_gate(
        &self,
        dossier: &Dossier,
        mail: &Mail,
        sent: &[SentMail],
    ) -> Result<Address, RunError> {
        let tag = |bytes: &[u8]| self.vault.message_tag(bytes);
        let reception = &dossier.mailbox.reception;
        let ours = Ours {
            addresses: parse_all(dossier.own_addresses.iter().map(String::as_str)),
            mailbox: parse_all(mailbox_addresses(dossier)),
            allowed: Allowed { unaddressed: reception.answer_unaddressed, copies: reception.answer_copies },
            sent: &|id| sent.iter().any(|mail| mail.rfc_message_id == id.as_str()),
            message_tag: &tag,
            installation: self.installation(),
        };
        match gate::decide(mail, &ours) {
            Decision::Answer { recipient } => Ok(recipient),
            Decision::Skip(reason) => Err(RunError::Skip(reason)),
            Decision::Hold(reason) => Err(RunError::Hold(reason)),
        }
    }

    /// Tells our own loop marks from others': the same for all processes that share a key.
    pub(super) fn installation(&self) -> String {
        let tag = self.vault.message_tag(b"installation");
        tag.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Every address that arrives in the mailbox (EM-19).
fn mailbox_addresses(dossier: &Dossier) -> impl Iterator<Item = &str> {
    let mailbox = &dossier.mailbox;
    let own = std::iter::once(mailbox.address.as_str()).chain(mailbox.aliases.iter().map(String::as_str));
    own.chain(dossier.agents.iter().filter_map(|agent| agent.address.as_deref()))
}

fn parse_all<'a>(addresses: impl Iterator<Item = &'a str>) -> Vec<Address> {
    addresses.filter_map(Address::parse).collect()
}

/// The mail that is read from the message's bytes, which are let go: they may be large, and a model may take its time.
pub(super) async fn take_mail(message: &mut Message) -> Result<Mail, RunError> {
    let raw = message.raw.take().ok_or(RunError::Forgotten)?;
    if message.truncated && raw.is_empty() {
        return Err(RunError::Unfetchable);
    }
    // A large mail takes a while, and other runs share this thread.
    if raw.len() < 64 * 1024 {
        return Ok(mail::read(&raw, &Limits::default()));
    }
    let read = tokio::task::spawn_blocking(move || mail::read(&raw, &Limits::default())).await;
    read.map_err(|_| RunError::Unreadable)
}

/// The mailbox's only agent, or in a shared mailbox the one that the mail was delivered to (EM-61, EM-65).
fn choose(dossier: &mut Dossier, mail: &Mail) -> Option<Agent> {
    let agents = &mut dossier.agents;
    let base = Address::parse(&dossier.mailbox.address);
    let named = agents.iter().position(|agent| {
        let Some(address) = agent.address.as_deref().and_then(Address::parse) else { return false };
        delivered_to(mail).any(|to| to.is_same(&address) || is_detail_of(&to, base.as_ref(), &address))
    });
    let unnamed = || agents.iter().position(|agent| agent.address.is_none());
    let index = named.or_else(unnamed)?;
    Some(agents.swap_remove(index))
}

/// The one that the agent names, or the owner's default.
fn configuration_of(agent: &Agent, configurations: Vec<AiConfiguration>) -> Option<AiConfiguration> {
    configurations.into_iter().find(|configuration| match agent.ai_configuration_id {
        Some(named) => configuration.id == named,
        None => configuration.is_default,
    })
}

/// Where the mail says it was delivered, the most telling first (EM-62).
fn delivered_to(mail: &Mail) -> impl Iterator<Item = Address> {
    mail.delivered_to.iter().chain(&mail.to).chain(&mail.cc).map(mail::unsigned)
}

/// `sales+anything@shop` is `sales@shop`.
fn is_detail_of(to: &Address, mailbox: Option<&Address>, agent: &Address) -> bool {
    let is_plain = mailbox.is_none_or(|mailbox| !mailbox.is_same(agent));
    is_plain && to.without_detail().is_same(agent)
}
