//! How the owner and the correspondent want mail to be treated, beyond what the gate sees in a mail: whom an agent
//! answers, where automation has stopped, and what makes it stop (EM-137, EM-151 to EM-153; SR-68, SR-90).

use super::error::RunError;
use super::scribe::Scribe;
use crate::mail::authentication::Authentication;
use crate::mail::wishes::{Wish, wish};
use crate::mail::{Address, Mail, SenderRule};
use crate::store::{Agent, Claim, Dossier, NewSuppression, Reason, SentMail, ThreadId, WordList};

/// Most Message-IDs of one mail that are looked up among ours.
const MOST_NAMED: usize = 50;

/// Why a mail that could be answered is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restraint {
    /// The owner has blocked the sender.
    Blocked,
    /// The owner has allowed others only.
    NotAllowed,
    /// The owner wants only senders answered for whom their mail host vouches.
    NotAuthenticated,
    /// The mail host says that somebody else wrote in the sender's name.
    Forged,
    /// Automation has stopped for this correspondent or in this thread.
    Suppressed(Reason),
}

impl Scribe {
    /// The mails of ours that this one names (EM-14, EM-151).
    pub(super) async fn list_sent(&self, dossier: &Dossier, mail: &Mail) -> Result<Vec<SentMail>, RunError> {
        let ids: Vec<String> = mail.named_ids().take(MOST_NAMED).map(|id| id.as_str().to_owned()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let message = &dossier.message;
        Ok(self.store.list_sent(message.user_id, message.mailbox_id, ids).await?)
    }

    /// What a bounce says of mails of ours. One that names none of them changes nothing: anybody can write one
    /// (EM-153).
    pub(super) async fn note_bounce(
        &self,
        dossier: &Dossier,
        mail: &Mail,
        sent: Vec<SentMail>,
    ) -> Result<(), RunError> {
        let Some(bounce) = mail.bounce.as_ref().filter(|bounce| !bounce.is_temporary) else { return Ok(()) };
        let is_about = |sent: &SentMail| bounce.about.iter().any(|id| id.as_str() == sent.rfc_message_id);
        for sent in sent.into_iter().filter(is_about) {
            let run = sent.run_id.map(|run| format!(" (run {run})")).unwrap_or_default();
            // Whoever the bounce names: the mail went to one address only, and it is that one which fails.
            let suppression = NewSuppression {
                user: dossier.message.user_id,
                mailbox: dossier.message.mailbox_id,
                addresses: vec![sent.recipient.clone()],
                thread: None,
                reason: Reason::Bounced,
                sentence: format!(
                    "A reply could not be delivered{run}: its recipient gets no more automatic answers; see \
                     `postkey suppressions list`."
                ),
            };
            self.store.note_bounce(sent, suppression).await?;
        }
        Ok(())
    }

    /// Whether the agent may answer this mail. The owner's word that it is to be answered counts for more.
    pub(super) async fn restrain(
        &self,
        claim: &Claim,
        dossier: &Dossier,
        letter: (&Mail, &Address),
        agent: &Agent,
    ) -> Result<(), RunError> {
        if claim.resend {
            return Ok(());
        }
        if let Some(restraint) = find_restraint(dossier, letter, agent) {
            return Err(RunError::Restrained(restraint));
        }
        match wish(letter.0) {
            Some(wish) => Err(self.fulfil(dossier, letter, wish).await?),
            None => Ok(()),
        }
    }

    /// Stops automation because the correspondent wants it, and tells the owner (SR-90).
    async fn fulfil(
        &self,
        dossier: &Dossier,
        (mail, recipient): (&Mail, &Address),
        wish: Wish,
    ) -> Result<RunError, RunError> {
        let message = &dossier.message;
        let (reason, thread, sentence) = describe(wish, message.thread_id);
        let author = mail.from.iter().map(|from| from.address.normalized());
        let addresses = match thread {
            Some(_) => author.take(1).collect(),
            None => author.chain([recipient.normalized()]).collect(),
        };
        let suppression = NewSuppression {
            user: message.user_id,
            mailbox: message.mailbox_id,
            addresses,
            thread,
            reason,
            sentence: format!("{sentence} (run {})", message.id),
        };
        self.store.suppress(suppression).await?;
        Ok(RunError::Restrained(Restraint::Suppressed(reason)))
    }
}

/// What keeps the agent from answering this mail, besides a wish that it holds.
pub(super) fn find_restraint(
    dossier: &Dossier,
    letter: (&Mail, &Address),
    agent: &Agent,
) -> Option<Restraint> {
    let authentication = dossier.message.authentication.as_deref().and_then(Authentication::from_code);
    check_rules(agent, letter, authentication).or_else(|| dossier.suppressed.map(Restraint::Suppressed))
}

/// What a wish stops, and what the owner is told of it.
pub(super) fn describe(wish: Wish, thread: ThreadId) -> (Reason, Option<ThreadId>, &'static str) {
    match wish {
        Wish::Human => (
            Reason::PersonWanted,
            Some(thread),
            "A correspondent wants to hear from a person: answer in your mail program; this conversation gets no \
             more automatic answers.",
        ),
        Wish::LeaveAlone => (
            Reason::OptedOut,
            None,
            "A correspondent wants to be left alone: that address gets no more automatic answers; see `postkey \
             suppressions list`.",
        ),
    }
}

/// What the owner has laid down for the agent, and what the mail host says of the sender.
fn check_rules(
    agent: &Agent,
    (mail, recipient): (&Mail, &Address),
    authentication: Option<Authentication>,
) -> Option<Restraint> {
    let rules = &agent.rules;
    let mut authors = mail.from.iter().map(|from| &from.address);
    let mut everybody = authors.clone().chain(&mail.sender).chain([recipient]);
    if everybody.any(|address| is_listed(&rules.blocked_senders, address)) {
        return Some(Restraint::Blocked);
    }
    let allowed = &rules.allowed_senders;
    if !allowed.0.is_empty() && !authors.all(|author| is_listed(allowed, author)) {
        return Some(Restraint::NotAllowed);
    }
    match authentication {
        Some(Authentication::Passed) => None,
        Some(Authentication::Failed) => Some(Restraint::Forged),
        Some(Authentication::Unproven | Authentication::Unknown) | None => {
            rules.require_authenticated.then_some(Restraint::NotAuthenticated)
        }
    }
}

fn is_listed(list: &WordList, address: &Address) -> bool {
    list.0.iter().filter_map(|rule| SenderRule::parse(rule)).any(|rule| rule.matches(address))
}
