//! The model's words become a mail whose bytes never change again (promise 5, EM-55). New words and their mail are
//! one commit; words without a mail are stored all the same, since they were paid for (promise 4).

use super::Runner;
use super::error::RunError;
use super::insist::insist;
use super::prompt::NO_REPLY;
use super::resolve::Task;
use crate::mail::reply::{Draft, compose};
use crate::mail::{self, Address, Parties};
use crate::store::{
    Agent, Answer, Brakes, Exchange, Frozen, NewReply, OutboxMail, OutboxState, StoredCompletion,
};
use crate::telemetry;

impl Runner {
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
        let frozen = self.compose(task, words, usable(words, task.resend)?)?;
        let reply = OutboxMail {
            run_id: task.lease.run,
            rfc_message_id: frozen.rfc_message_id.as_str().to_owned(),
            recipient: frozen.exchange.recipient.clone(),
            raw: Some(frozen.raw.clone()),
            state: OutboxState::Ready,
        };
        let brakes = (!task.resend).then(|| self.brakes(&task.agent));
        Ok((NewReply { frozen, brakes }, reply))
    }

    /// A reply that may not go out is not asked for, since it would cost (EM-27).
    pub(super) async fn check_brakes(&self, task: &Task) -> Result<(), RunError> {
        if task.resend {
            return Ok(());
        }
        let refusal = self.store.find_refusal(&exchange(task, None), self.brakes(&task.agent)).await?;
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

    fn compose(&self, task: &Task, words: &StoredCompletion, body: &str) -> Result<Frozen, RunError> {
        let from = sender(task)?;
        let tag = |bytes: &[u8]| self.vault.message_tag(bytes);
        let random: [u8; 16] = rand::random();
        let message_id = mail::own_message_id(random, tag(&random), from.domain());
        let raw = compose(&Draft {
            parent: &task.mail,
            from: &from,
            from_name: Some(&task.owner_name),
            reply_to: self.signed_address(task, &from).as_ref(),
            to: &task.recipient,
            to_name: None,
            body,
            on_behalf_of: Some(&task.owner_name),
            link_domains: &task.agent.rules.link_domains.0,
            message_id: &message_id,
            date: self.store.clock().now(),
            loop_mark: &mail::loop_mark(&self.installation(), 1, &tag),
            model: &words.model,
        })
        .map_err(RunError::Compose)?;
        Ok(Frozen { exchange: exchange(task, Some(body)), rfc_message_id: message_id, raw })
    }

    /// Where answers find the thread whatever becomes of their headers, if the mailbox's host delivers it (EM-66).
    fn signed_address(&self, task: &Task, from: &Address) -> Option<Address> {
        let correspondent = task.mail.from.first()?.address.normalized();
        let parties = Parties {
            user: task.mailbox.user_id.uuid(),
            mailbox: task.mailbox.id.uuid(),
            correspondent: &correspondent,
        };
        let (thread, now) = (task.message.thread_id.uuid(), self.store.clock().now());
        let tag = |bytes: &[u8]| self.vault.address_tag(bytes);
        let signed = || mail::signed_address(from, parties, thread, now, &tag);
        task.mailbox.has_plus_forms(from.domain()).then(signed).flatten()
    }
}

/// What is counted; without `answer` before there is one.
fn exchange(task: &Task, answer: Option<&str>) -> Exchange {
    let has_words = !task.mail.text.visible.trim().is_empty();
    Exchange {
        user: task.lease.user,
        run: task.lease.run,
        mailbox: task.mailbox.id,
        thread: task.message.thread_id,
        agent: task.agent.id,
        recipient: task.recipient.normalized(),
        asked_at: task.message.received_at,
        question_hash: has_words.then_some(task.mail.content_hash),
        answer_hash: answer.map(mail::hash_words),
    }
}

/// The agent's own address, or the mailbox's.
pub(super) fn sender(task: &Task) -> Result<Address, RunError> {
    let address = task.agent.address.as_deref().unwrap_or(&task.mailbox.address);
    Address::parse(address).ok_or(RunError::Compose(mail::reply::ComposeError::From))
}

/// The words, unless the model declined, has nothing to say, or says what nobody may read (SR-69) and the owner has not
/// said that it is to be sent.
fn usable(words: &StoredCompletion, is_approved: bool) -> Result<&str, RunError> {
    let body = words.body.as_deref().ok_or(RunError::Forgotten)?.trim();
    match words.finish.as_str() {
        "filtered" | "refused" => Err(RunError::ModelRefused),
        _ if body.contains(NO_REPLY) => Err(RunError::ModelDeclined),
        _ if body.is_empty() => Err(RunError::NoWords),
        "length" => Err(RunError::CutShort),
        _ if !is_approved && telemetry::holds_key(body) => Err(RunError::HoldsKey),
        _ => Ok(body),
    }
}
