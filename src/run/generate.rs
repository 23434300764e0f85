//! Asks the model, once. Before the call its row is committed; what it answers is committed with the reply that is
//! made of it, before anything else happens (promise 4).

use std::time::{Duration, Instant};

use super::Runner;
use super::error::RunError;
use super::resolve::Task;
use super::unlock::Key;
use crate::provider::{Call, Completion, Conversation, Finish, ProviderError, complete};
use crate::store::{AiConfiguration, Answer, CallEnd, CallId, NewCall, StoredCompletion};

impl Runner {
    pub(super) async fn generate(
        &self,
        task: &Task,
        key: Key,
        conversation: Conversation,
    ) -> Result<Answer, RunError> {
        let configuration = key.configuration;
        let turn = match &configuration {
            Some(configuration) => Some(self.calls.pass(configuration.id).await),
            None => None,
        };
        let call = NewCall {
            id: CallId::new(self.store.clock()),
            agent: task.agent.id,
            ai_configuration: configuration.as_ref().map(|configuration| configuration.id),
            payer: key.payer,
            provider: key.provider.as_str().to_owned(),
            model: key.model.clone(),
        };
        let id = call.id;
        self.store.begin_call(task.lease, call).await?;
        let begun = Instant::now();
        let asked = Call {
            provider: key.provider,
            base_url: key.base_url.as_deref(),
            key: key.secret,
            model: &key.model,
            temperature: key.temperature,
            max_output_tokens: key.max_output_tokens,
            conversation: &conversation,
        };
        let answered = complete(&self.clients, &self.config.provider, asked).await;
        // The next one may ask while this one writes.
        drop(turn);
        match answered {
            Ok(completion) => Ok(answer(task, id, completion, begun.elapsed())),
            Err(error) => Err(self.regret(task, id, error, begun.elapsed(), configuration).await),
        }
    }

    async fn regret(
        &self,
        task: &Task,
        call: CallId,
        error: ProviderError,
        latency: Duration,
        configuration: Option<AiConfiguration>,
    ) -> RunError {
        let end = CallEnd {
            error_class: Some(error.class.as_str()),
            error_code: error.code.clone(),
            request_id: error.request_id.clone(),
            maybe_charged: error.maybe_charged,
            latency,
            ..CallEnd::default()
        };
        match self.store.fail_call(task.lease.user, call, end).await {
            Ok(()) => RunError::Provider { error, configuration: configuration.map(Box::new) },
            Err(error) => error.into(),
        }
    }
}

fn answer(task: &Task, call: CallId, completion: Completion, latency: Duration) -> Answer {
    let usage = completion.usage;
    tracing::info!(run = %task.lease.run, input = usage.input, output = usage.output, "generated");
    let end = CallEnd {
        request_id: completion.request_id,
        answered_model: Some(completion.model.clone()),
        input_tokens: usage.input,
        cached_tokens: usage.input_cached,
        output_tokens: usage.output,
        reasoning_tokens: usage.output_reasoning,
        latency,
        ..CallEnd::default()
    };
    let completion = StoredCompletion {
        model: completion.model,
        finish: finish_word(completion.finish).to_owned(),
        body: Some(completion.text),
    };
    Answer { call, end, completion }
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
