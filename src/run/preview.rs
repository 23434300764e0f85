//! What would be answered: the whole journey of a mail up to the words of its reply, by a [`Scribe`] alone. No run is
//! made, nothing is frozen, and nobody is written to. A call of the model is a real one, on the owner's own key.

use std::time::Duration;

use super::conduct::{Restraint, describe, find_restraint};
use super::error::RunError;
use super::freeze::usable;
use super::generate::Purpose;
use super::insist::insist;
use super::resolve::{Question, take_mail};
use super::scribe::Scribe;
use crate::mail::authentication;
use crate::mail::gate::{HoldReason, SkipReason};
use crate::mail::wishes::wish;
use crate::mail::{self, Address, Limits, Mail};
use crate::provider::Conversation;
use crate::queue::{Cause, Outcome};
use crate::store::{
    Agent, CallEnd, Dossier, Message, MessageId, Mode, RunState, StoreError, StoredCompletion, ThreadId,
};

/// What a preview is of.
pub enum Material {
    /// A mail that came in.
    Stored(MessageId),
    /// The bytes of one that somebody has at hand.
    Pasted(Vec<u8>),
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such message of this user.
    #[error("there is no such message")]
    NoMessage,
    /// The user has as many chats and previews at once as may be.
    #[error("there are too many chats and previews at once")]
    TooMany,
    /// The agent answers for no mailbox.
    #[error("the agent has no mailbox")]
    NoMailbox,
}

/// What would become of a mail.
#[derive(Default)]
pub struct Preview {
    /// What the gate says of the mail; `None` where it may be answered.
    pub refused: Option<Refused>,
    /// Whom the reply would go to, where there would be one.
    pub recipient: Option<String>,
    /// What the model is shown.
    pub conversation: Option<Conversation>,
    /// What the model said.
    pub written: Option<Written>,
    /// What the run would come to, its state and why; `None` where the model was not asked and nothing else decides.
    pub outcome: Option<(RunState, Option<Cause>)>,
}

/// What the gate says of a mail that is not to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not answered.
    Skip(SkipReason),
    /// A person decides.
    Hold(HoldReason),
}

/// What a model said, and the reply that would be made of it.
pub struct Written {
    /// What the model answered.
    pub completion: StoredCompletion,
    /// What it cost.
    pub usage: CallEnd,
    /// The reply, where one can be made.
    pub mail: Option<Vec<u8>>,
}

impl Scribe {
    /// What the agent would do with a mail. With `asks` the model is asked, on the owner's own key; without, the
    /// preview ends with what the model would be shown.
    ///
    /// # Errors
    /// Where there is nothing to preview. What a run would come to is no error.
    pub async fn preview(
        &self,
        agent: Agent,
        material: Material,
        asks: bool,
    ) -> Result<Preview, PreviewError> {
        let _place = self.chats.try_pass(agent.user_id).ok_or(PreviewError::TooMany)?;
        let dossier = match material {
            Material::Stored(id) => {
                self.store.find_dossier(agent.user_id, id).await?.ok_or(PreviewError::NoMessage)?
            }
            Material::Pasted(raw) => self.imagine(&agent, raw).await?,
        };
        let mut preview = Preview::default();
        preview.outcome = match self.look_ahead(&mut preview, dossier, agent, asks).await {
            Ok(outcome) => outcome,
            Err(RunError::Store(error)) => return Err(error.into()),
            Err(error) => told(error.decide(0, Duration::ZERO, &self.config)),
        };
        Ok(preview)
    }

    /// The journey of a run, as far as nothing is written down.
    async fn look_ahead(
        &self,
        preview: &mut Preview,
        mut dossier: Dossier,
        agent: Agent,
        asks: bool,
    ) -> Result<Option<(RunState, Option<Cause>)>, RunError> {
        let mail = take_mail(&mut dossier.message).await?;
        let sent = self.list_sent(&dossier, &mail).await?;
        let recipient = self.pass_gate(&dossier, &mail, &sent).inspect_err(|error| {
            preview.refused = match error {
                RunError::Skip(reason) => Some(Refused::Skip(*reason)),
                RunError::Hold(reason) => Some(Refused::Hold(*reason)),
                _ => None,
            };
        })?;
        preview.recipient = Some(recipient.as_str().to_owned());
        check_conduct(&dossier, (&mail, &recipient), &agent)?;
        let is_draft = agent.mode == Mode::Draft;
        let question = Question::new(dossier, mail, recipient, agent);
        self.check_brakes(&question).await?;
        let conversation = self.prompt(&question).await?;
        let conversation = preview.conversation.insert(conversation);
        if !asks {
            return Ok(None);
        }
        let written = self.ask_for_preview(&question, conversation).await?;
        let written = preview.written.insert(written);
        let words = usable(&written.completion, false)?;
        self.check_brakes_of(&question, Some(words)).await?;
        written.mail = Some(self.compose(&question, &written.completion, words)?.raw);
        Ok(Some(match is_draft {
            true => (RunState::Held, Some(Cause::of("draft"))),
            false => (RunState::Replied, None),
        }))
    }

    /// A real call, on the owner's own key: the operator pays for no previews.
    async fn ask_for_preview(
        &self,
        question: &Question,
        conversation: &Conversation,
    ) -> Result<Written, RunError> {
        if question.configuration.is_none() {
            return Err(RunError::NoKey);
        }
        let key = self.unlock(question)?;
        let answer = self.generate(question, Purpose::Preview, key, conversation).await?;
        let (user, call) = (question.user(), answer.call);
        insist(|| self.store.end_call_without_run(user, call, answer.end.clone())).await?;
        Ok(Written { completion: answer.completion, usage: answer.end, mail: None })
    }

    /// What a run would start from, had this mail come to the agent's mailbox just now.
    async fn imagine(&self, agent: &Agent, raw: Vec<u8>) -> Result<Dossier, PreviewError> {
        let user = agent.user_id;
        let mailbox_id = agent.mailbox_id.ok_or(PreviewError::NoMailbox)?;
        let mailbox = self.store.find_mailbox(user, mailbox_id).await?.ok_or(PreviewError::NoMailbox)?;
        let owner = self.store.find_user(user).await?.ok_or(PreviewError::NoMessage)?;
        let agents = self.store.list_agents(user).await?;
        let clock = self.store.clock();
        let mail = mail::read(&raw, &Limits::default());
        let authentication = authentication::judge(&mail, mailbox.believed_authserv_id());
        let message = Message {
            id: MessageId::new(clock),
            user_id: user,
            mailbox_id,
            thread_id: ThreadId::new(clock),
            uid_validity: None,
            uid: None,
            raw: Some(raw),
            truncated: false,
            internal_date: None,
            received_at: clock.now(),
            authentication: Some(authentication.as_str().to_owned()),
        };
        Ok(Dossier {
            message,
            has_history: false,
            had_no_words: false,
            mailbox,
            suppressed: None,
            owner_name: owner.name,
            own_addresses: self.store.list_own_addresses(user).await?,
            agents: agents.into_iter().filter(|other| other.mailbox_id == Some(mailbox_id)).collect(),
            ai_configurations: self.store.list_ai_configurations(user).await?,
            reply: None,
            completion: None,
        })
    }
}

/// As [`Scribe::restrain`], but nothing is written down: nobody has written to us.
fn check_conduct(dossier: &Dossier, letter: (&Mail, &Address), agent: &Agent) -> Result<(), RunError> {
    let wished = || {
        let (reason, ..) = describe(wish(letter.0)?, dossier.message.thread_id);
        Some(Restraint::Suppressed(reason))
    };
    match find_restraint(dossier, letter, agent).or_else(wished) {
        Some(restraint) => Err(RunError::Restrained(restraint)),
        None => Ok(()),
    }
}

/// What a run's row would say.
fn told(outcome: Outcome) -> Option<(RunState, Option<Cause>)> {
    Some(match outcome {
        Outcome::Replied => (RunState::Replied, None),
        Outcome::Skipped(reason) => (RunState::Skipped, Some(Cause::of(reason))),
        Outcome::Failed(cause) => (RunState::Failed, Some(cause)),
        Outcome::Held(cause) => (RunState::Held, Some(cause)),
        Outcome::Retry(cause, _)
        | Outcome::Stopped(cause)
        | Outcome::Snooze(cause, _)
        | Outcome::Park(cause) => (RunState::Waiting, Some(cause)),
        Outcome::LeaseLost => return None,
    })
}
