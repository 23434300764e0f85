//! Asks the model. Before a call its row is committed; what it answers is committed with the reply that is made of it,
//! before anything else happens (promise 4). What the provider says of the key is marked before the next
//! call with it may begin.

use std::time::{Duration, Instant};

use super::error::{RunError, mark_key};
use super::insist::insist;
use super::resolve::Question;
use super::scribe::Scribe;
use super::unlock::Key;
use crate::provider::{Call, Completion, Conversation, Finish, ProviderError, complete};
use crate::store::{
    AiConfiguration, AiConfigurationId, Answer, CallEnd, CallId, KeyState, Lease, NO_WORDS, NewCall,
    StoreError, StoredCompletion, UserId,
};

/// How much longer than a call its probe keeps others from trying the same key.
const PROBE_MARGIN: Duration = Duration::from_secs(30);
/// The wait where a key was marked and freed again between two looks.
const CHANGED_MEANWHILE: Duration = Duration::from_secs(1);

/// How many times more tokens a model gets that has spent all of its own before the first word.
const MORE_ROOM: u32 = 4;

/// What a model is asked for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// For a run, under this lease.
    Run(Lease),
    /// For people who want to see what would be answered.
    Preview,
}

impl Scribe {
    /// The model's answer. One that thought for as long as it may speak, and so has said nothing, is asked once more
    /// with more room.
    pub(super) async fn generate(
        &self,
        question: &Question,
        purpose: Purpose,
        mut key: Key,
        conversation: &Conversation,
    ) -> Result<Answer, RunError> {
        if !question.had_no_words {
            let answer = self.ask(question, purpose, &mut key, conversation).await?;
            if !has_no_words(&answer) {
                return Ok(answer);
            }
            let end = CallEnd { error_class: Some(NO_WORDS), ..answer.end };
            insist(|| self.store.fail_call(question.user(), answer.call, end.clone())).await?;
        }
        key.max_output_tokens = key.max_output_tokens.saturating_mul(MORE_ROOM);
        self.ask(question, purpose, &mut key, conversation).await
    }

    async fn ask(
        &self,
        question: &Question,
        purpose: Purpose,
        key: &mut Key,
        conversation: &Conversation,
    ) -> Result<Answer, RunError> {
        let configuration = key.configuration.as_ref();
        // Kept until the key is marked, so that whoever waits here sees the mark. A preview has its place already, and
        // takes none from mails.
        let turn = match (purpose, configuration) {
            (Purpose::Run(_), Some(configuration)) => Some(self.calls.pass(configuration.id).await),
            _ => None,
        };
        let call = NewCall {
            id: CallId::new(self.store.clock()),
            ai_configuration: configuration.map(|configuration| configuration.id),
            payer: key.payer,
            provider: key.provider.as_str().to_owned(),
            model: key.model.clone(),
            is_probe: self.probe(configuration).await?,
        };
        let id = call.id;
        let (user, agent) = (question.user(), question.agent.id);
        let may_begin = match purpose {
            Purpose::Run(lease) => self.store.begin_call(lease, agent, call).await?,
            Purpose::Preview => self.store.begin_call_without_run(user, Some(agent), call).await?,
        };
        if !may_begin {
            return Err(self.why_not(user, question.agent.ai_configuration_id).await?);
        }
        let begun = Instant::now();
        let asked = Call {
            provider: key.provider,
            base_url: key.base_url.as_deref(),
            key: key.secret.clone(),
            model: &key.model,
            temperature: key.temperature,
            max_output_tokens: key.max_output_tokens,
            conversation,
        };
        match complete(&self.clients, &self.config.provider, asked).await {
            Ok(completion) => {
                // The next one may ask while this one is written down.
                drop(turn);
                self.resume(key.configuration.as_mut()).await;
                Ok(answer(question, id, completion, begun.elapsed()))
            }
            Err(error) => {
                let end = failure(&error, begun.elapsed());
                match self.regret((user, id), &error, end, configuration).await {
                    Ok(()) => Err(RunError::Provider(error)),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// Whether this is to be the one call that finds out if an exhausted key is good again.
    pub(super) async fn probe(&self, configuration: Option<&AiConfiguration>) -> Result<bool, RunError> {
        let Some(configuration) = configuration.filter(|found| found.state == KeyState::Exhausted) else {
            return Ok(false);
        };
        let rest = self.config.provider.call_timeout + PROBE_MARGIN;
        let until = self.store.clock().now().plus(rest);
        if self.store.take_probe(configuration, until).await? {
            Ok(true)
        } else {
            Err(RunError::KeyPaused(rest))
        }
    }

    /// Why a call may not begin with a key that was good a moment ago.
    pub(super) async fn why_not(
        &self,
        user: UserId,
        chosen: Option<AiConfigurationId>,
    ) -> Result<RunError, RunError> {
        let Some(configuration) = self.store.find_ai_configuration(user, chosen).await? else {
            return Ok(RunError::NoKey);
        };
        Ok(self.check_state(&configuration).err().unwrap_or(RunError::KeyPaused(CHANGED_MEANWHILE)))
    }

    /// The answer matters more, so a failure here is only noted: the next probe mends it.
    pub(super) async fn resume(&self, configuration: Option<&mut AiConfiguration>) {
        let Some(configuration) = configuration.filter(|found| found.state == KeyState::Exhausted) else {
            return;
        };
        match self.store.resume_key(configuration).await {
            Ok(_) => configuration.state = KeyState::Active,
            Err(error) => tracing::warn!(%error, "cannot note that a key works again"),
        }
    }

    /// Notes how a call failed, and what that says of its key.
    pub(super) async fn regret(
        &self,
        (user, call): (UserId, CallId),
        error: &ProviderError,
        end: CallEnd,
        configuration: Option<&AiConfiguration>,
    ) -> Result<(), StoreError> {
        let noted = insist(|| self.store.fail_call(user, call, end.clone())).await;
        let marked = match configuration {
            Some(configuration) => insist(|| mark_key(self, error, configuration)).await,
            None => Ok(()),
        };
        noted.and(marked)
    }
}

/// How a call ended that failed.
pub(super) fn failure(error: &ProviderError, latency: Duration) -> CallEnd {
    CallEnd {
        error_class: Some(error.class.as_str()),
        error_code: error.code.clone(),
        request_id: error.request_id.clone(),
        maybe_charged: error.maybe_charged,
        latency,
        ..CallEnd::default()
    }
}

/// The limit holds for reasoning as well, which models that reason may need whole for it.
fn has_no_words(answer: &Answer) -> bool {
    let StoredCompletion { finish, body, .. } = &answer.completion;
    finish == finish_word(Finish::Length) && body.as_ref().is_none_or(|body| body.trim().is_empty())
}

fn answer(question: &Question, call: CallId, completion: Completion, latency: Duration) -> Answer {
    let usage = completion.usage;
    tracing::debug!(run = %question.run(), input = usage.input, output = usage.output, "generated");
    let end = CallEnd {
        request_id: completion.request_id,
        answered_model: Some(completion.model.clone()),
        input_tokens: usage.input,
        cached_tokens: usage.input_cached,
        output_tokens: usage.output,
        reasoning_tokens: usage.output_reasoning,
        cost_nanousd: usage.cost_nanousd,
        latency,
        ..CallEnd::default()
    };
    let completion = StoredCompletion {
        model: completion.model,
        finish: finish_word(completion.finish).to_owned(),
        body: Some(without_controls(&completion.text)),
        edited: false,
    };
    Answer { call, end, completion }
}

/// Control characters besides tabs and line ends have no place in words, and PostgreSQL refuses NUL in any text.
fn without_controls(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\r' | '\t') || !c.is_control()).collect()
}

/// The stored word for why the model stopped.
fn finish_word(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Tool => "tool",
        Finish::Filtered => "filtered",
        Finish::Refused => "refused",
        Finish::Other => "other",
    }
}
