//! What is known of a chat's costs while it goes on.

use std::time::Instant;

use serde_json::Value;

use super::Reader;
use crate::provider::{Chat, ChatAnswer, ProviderError, StreamEnd, Usage, tokens};
use crate::store::CallEnd;

/// Why an answer did not come to its end.
pub(super) enum Fault {
    /// Nobody waits for it any more.
    Abandoned,
    /// The provider.
    Provider(ProviderError),
}

/// What the provider does, unless nobody waits for it any more.
pub(super) async fn until_gone<T>(
    reader: &Reader,
    work: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, Fault> {
    tokio::select! {
        biased;
        done = work => done.map_err(Fault::Provider),
        () = reader.closed() => Err(Fault::Abandoned),
    }
}

/// A call that is being made.
pub(super) struct Course {
    begun: Instant,
    /// The tokens of the question, as estimated: for providers that never get to say it.
    asked: u64,
    end: CallEnd,
}

impl Course {
    pub(super) fn begin(chat: &Chat) -> Self {
        let messages = chat.question.get("messages").and_then(Value::as_array);
        let asked = messages.into_iter().flatten().map(words_of).sum();
        Self { begun: Instant::now(), asked, end: CallEnd::default() }
    }

    /// A whole answer says it all.
    pub(super) fn know(&mut self, answer: &ChatAnswer) {
        self.end.answered_model = Some(answer.model.clone());
        self.end.request_id.clone_from(&answer.request_id);
        self.charge(answer.usage);
    }

    /// What came so far of an answer in pieces. Where a server never says what it charges, it is estimated.
    pub(super) fn learn(&mut self, known: &StreamEnd) {
        let estimated = Usage { input: self.asked, output: known.written, ..Usage::default() };
        self.end.answered_model.clone_from(&known.model);
        self.end.request_id.clone_from(&known.request_id);
        if known.has_begun() {
            self.charge(known.usage.unwrap_or(estimated));
        }
    }

    /// How it ended.
    pub(super) fn end(self) -> CallEnd {
        CallEnd { latency: self.begun.elapsed(), ..self.end }
    }

    /// How it ended, failed; what came before was charged.
    pub(super) fn end_with(self, failure: CallEnd) -> CallEnd {
        let CallEnd { error_class, error_code, request_id, maybe_charged, .. } = failure;
        CallEnd { error_class, error_code, request_id, maybe_charged, ..self.end() }
    }

    /// How it ended for whoever did not wait: the question was read at least.
    pub(super) fn abandoned(mut self) -> CallEnd {
        self.end.input_tokens = self.end.input_tokens.max(self.asked);
        self.end()
    }

    fn charge(&mut self, usage: Usage) {
        self.end.input_tokens = usage.input;
        self.end.cached_tokens = usage.input_cached;
        self.end.output_tokens = usage.output;
        self.end.reasoning_tokens = usage.output_reasoning;
        self.end.cost_nanousd = usage.cost_nanousd;
    }
}

/// The estimated tokens of a message's text; pictures and the like are not counted.
fn words_of(message: &Value) -> u64 {
    let content = message.get("content").unwrap_or(&Value::Null);
    let parts = content.as_array().into_iter().flatten().filter_map(|part| part.get("text")?.as_str());
    content.as_str().into_iter().chain(parts).map(|text| u64::from(tokens(text))).sum()
}
