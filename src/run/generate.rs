//! Asks the model, once, and stores the whole answer and its cost before anything else happens (promise 4).

use std::time::{Duration, Instant};

use super::Runner;
use super::error::RunError;
use super::resolve::Task;
use super::unlock::Key;
use crate::provider::{Call, Completion, Conversation, Finish, ProviderError, complete};
use crate::store::{AiConfiguration, CallEnd, CallId, NewCall, StoredCompletion};

impl Runner {
    pub(super) async fn generate(
        &self,
        task: &Task,
        key: Key,
        conversation: Conversation,
    ) -> Result<StoredCompletion, RunError> {
        let configuration = key.configuration;
        let _turn = match &configuration {
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
        match complete(&self.clients, &self.config.provider, asked).await {
            Ok(completion) => self.keep(task, id, completion, begun.elapsed()).await,
            Err(error) => Err(self.regret(task, id, error, begun.elapsed(), configuration).await),
        }
    }

    async fn keep(
        &self,
        task: &Task,
        call: CallId,
        completion: Completion,
        latency: Duration,
    ) -> Result<StoredCompletion, RunError> {
        let usage = completion.usage;
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
        let stored = StoredCompletion {
            model: completion.model,
            finish: finish_word(completion.finish).to_owned(),
            body: Some(completion.text),
        };
        self.store.store_completion(task.lease, call, end, stored.clone()).await?;
        tracing::info!(run = %task.lease.run, input = usage.input, output = usage.output, "generated");
        Ok(stored)
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
        match self.store.fail_call(task.user.id, call, end).await {
            Ok(()) => RunError::Provider { error, configuration: configuration.map(Box::new) },
            Err(error) => error.into(),
        }
    }
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
