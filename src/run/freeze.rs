//! The model's words become a mail whose bytes never change again (promise 5, EM-55). New words and their mail are
//! one commit; words without a mail are stored all the same, since they were paid for (promise 4).

use super::error::RunError;
use super::insist::insist;
use super::prompt::NO_REPLY;
use super::resolve::{Question, Task};
use super::scribe::Scribe;
use crate::mail::reply::{Draft, Voice, compose};
use crate::mail::{self, Address, Language, Parties, Wording};
use crate::store::{
    Agent, Answer, Brakes, Exchange, Frozen, NewReply, OutboxMail, OutboxState, StoredCompletion,
};
use crate::telemetry;

impl Scribe {
    /// Stores a new answer, and its reply if one can be made of it.
    pub(super) async fn keep(&self, task: &Task, answer: Answer) -> Result<OutboxMail, RunError> {
        match self.draft(task, &answer.completion) {
            Ok((new, reply)) => {
                let store = || self.store.store_answer(task.lease, answer.clone(), Some(new.clone()));
                insist(store).await?.map_err(RunError::Brake)?;
                Ok(reply)
            }
            Err(error) => {
                let store = || self.store.store_answer(task.lease, answer.clone(), None);
                let _nothing_to_brake = insist(store).await?;
                Err(error)
            }
        }
    }

    /// Makes the reply of an answer that was stored by an earlier attempt.
    pub(super) async fn freeze(&self, task: &Task, words: StoredCompletion) -> Result<OutboxMail, RunError> {
        let (new, reply) = self.draft(task, &words)?;
        let frozen = insist(|| self.store.freeze_reply(task.lease, new.clone())).await?;
        frozen.map_err(RunError::Brake)?;
        Ok(reply)
    }

    /// The reply to be stored, and what is sent once it is.
    fn draft(&self, task: &Task, words: &StoredCompletion) -> Result<(NewReply, OutboxMail), RunError> {
        let question = &task.question;
        let frozen = self.compose(question, words, usable(words, question.resend)?)?;
        let reply = OutboxMail {
            run_id: task.lease.run,
            rfc_message_id: frozen.rfc_message_id.as_str().to_owned(),
            recipient: frozen.exchange.recipient.clone(),
            raw: Some(frozen.raw.clone()),
            state: OutboxState::Ready,
        };
        let brakes = (!question.resend).then(|| self.brakes(&question.agent));
        Ok((NewReply { frozen, brakes }, reply))
    }

    /// A reply that may not go out is not asked for, since it would cost (EM-27).
    pub(super) async fn check_brakes(&self, question: &Question) -> Result<(), RunError> {
        self.check_brakes_of(question, None).await
    }

    /// The same for a reply that there is already.
    pub(super) async fn check_brakes_of(
        &self,
        question: &Question,
        answer: Option<&str>,
    ) -> Result<(), RunError> {
        if question.resend {
            return Ok(());
        }
        let brakes = self.brakes(&question.agent);
        let refusal = self.store.find_refusal(&exchange(question, answer), brakes).await?;
        refusal.map_or(Ok(()), |refusal| Err(RunError::Brake(refusal)))
    }

    /// The configuration's limits, or the agent's where they are lower.
    fn brakes(&self, agent: &Agent) -> Brakes {
        let (answers, limits) = (&self.config.answers, &agent.rules.limits);
        let lower = |most: u32, own: Option<i64>| own.unwrap_or(i64::MAX).min(i64::from(most));
        Brakes {
            per_correspondent_10_minutes: lower(
                answers.per_correspondent_10_minutes,
                limits.per_correspondent_10_minutes,
            ),
            per_correspondent_day: lower(answers.per_correspondent_day, limits.per_correspondent_day),
            per_thread_day: lower(answers.per_thread_day, limits.per_thread_day),
            per_agent_day: lower(answers.per_agent_day, limits.per_agent_day),
        }
    }

    pub(super) fn compose(
        &self,
        question: &Question,
        words: &StoredCompletion,
        body: &str,
    ) -> Result<Frozen, RunError> {
        let from = sender(question)?;
        let tag = |bytes: &[u8]| self.vault.message_tag(bytes);
        let wording = wording(&question.agent);
        let random: [u8; 16] = rand::random();
        let message_id = mail::own_message_id(random, tag(&random), from.domain());
        let raw = compose(&Draft {
            parent: &question.mail,
            from: &from,
            from_name: Some(&question.owner_name),
            reply_to: self.signed_address(question, &from).as_ref(),
            to: &question.recipient,
            to_name: None,
            body,
            on_behalf_of: Some(&question.owner_name),
            voice: Voice {
                signature: question.agent.voice.signature.as_deref(),
                wording: wording.as_ref(),
                language: language(&question.agent),
            },
            link_domains: &question.agent.rules.link_domains.0,
            message_id: &message_id,
            date: self.store.clock().now(),
            loop_mark: &mail::loop_mark(&self.installation(), 1, &tag),
            model: &words.model,
        })
        .map_err(RunError::Compose)?;
        Ok(Frozen { exchange: exchange(question, Some(body)), rfc_message_id: message_id, raw })
    }

    /// Where answers find the thread whatever becomes of their headers, if the mailbox's host delivers it (EM-66).
    fn signed_address(&self, question: &Question, from: &Address) -> Option<Address> {
        let correspondent = question.mail.from.first()?.address.normalized();
        let parties = Parties {
            user: question.mailbox.user_id.uuid(),
            mailbox: question.mailbox.id.uuid(),
            correspondent: &correspondent,
        };
        let (thread, now) = (question.message.thread_id.uuid(), self.store.clock().now());
        let tag = |bytes: &[u8]| self.vault.address_tag(bytes);
        let signed = || mail::signed_address(from, parties, thread, now, &tag);
        question.mailbox.has_plus_forms(from.domain()).then(signed).flatten()
    }
}

/// What is counted; without `answer` before there is one.
fn exchange(question: &Question, answer: Option<&str>) -> Exchange {
    let has_words = !question.mail.text.visible.trim().is_empty();
    Exchange {
        user: question.user(),
        run: question.run(),
        mailbox: question.mailbox.id,
        thread: question.message.thread_id,
        agent: question.agent.id,
        recipient: question.recipient.normalized(),
        asked_at: question.message.received_at,
        question_hash: has_words.then_some(question.mail.content_hash),
        answer_hash: answer.map(mail::hash_words),
    }
}

/// The owner's wording of the disclosure; what is no such wording is not said (SR-88).
pub(super) fn wording(agent: &Agent) -> Option<Wording> {
    agent.voice.disclosure.as_deref().and_then(|text| Wording::parse(text).ok())
}

/// The language that the owner has chosen.
pub(super) fn language(agent: &Agent) -> Option<Language> {
    agent.voice.language.as_deref().and_then(Language::of_tag)
}

/// The agent's own address, or the mailbox's.
pub(super) fn sender(question: &Question) -> Result<Address, RunError> {
    let address = question.agent.address.as_deref().unwrap_or(&question.mailbox.address);
    Address::parse(address).ok_or(RunError::Compose(mail::reply::ComposeError::From))
}

/// The words, unless the model declined, has nothing to say, or says what nobody may read (SR-69) and the owner has not
/// said that it is to be sent.
pub(super) fn usable(words: &StoredCompletion, is_approved: bool) -> Result<&str, RunError> {
    let body = words.body.as_deref().ok_or(RunError::Forgotten)?.trim();
    // What a person wrote is not judged like a model's words.
    if words.edited {
        return Ok(body);
    }
    match words.finish.as_str() {
        "filtered" | "refused" => Err(RunError::ModelRefused),
        _ if body.contains(NO_REPLY) => Err(RunError::ModelDeclined),
        _ if body.is_empty() => Err(RunError::NoWords),
        "length" => Err(RunError::CutShort),
        _ if !is_approved && telemetry::holds_key(body) => Err(RunError::HoldsKey),
        _ => Ok(body),
    }
}
