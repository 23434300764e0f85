//! What a model answered, read leniently: servers differ in everything but the place of the text.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::complaint::Complaint;
use super::error::{ErrorClass, ProviderError};
use super::kind::Provider;

/// Longer model names and ids are cut, in bytes.
const LONGEST_NAME: usize = 128;

/// A complete answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Completion {
    /// The model's words; empty if it refused or spent its whole limit on reasoning.
    pub text: String,
    /// Why it stopped.
    pub finish: Finish,
    /// The model that answered, by its own name; the one asked for if the answer has none.
    pub model: String,
    /// The provider's id of the exchange, for its support: at most 128 visible ASCII characters.
    pub request_id: Option<String>,
    /// What is charged.
    pub usage: Usage,
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("finish", &self.finish)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finish {
    /// It had said everything; also when a server gives no reason.
    Stop,
    /// The limit of tokens was reached: the text is cut, or empty.
    Length,
    /// It wants to call a tool, which we don't offer.
    Tool,
    /// The provider's filter cut it off.
    Filtered,
    /// It declined; its words for that are not kept.
    Refused,
    /// A reason that is not known.
    Other,
}

/// Tokens of one call, in one normal form for all providers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read, cached ones included.
    pub input: u64,
    /// Read from the provider's cache.
    pub input_cached: u64,
    /// Written, reasoning included.
    pub output: u64,
    /// Written for reasoning.
    pub output_reasoning: u64,
    /// What the provider says that it charges, in billionths of a US dollar; most say nothing.
    pub cost_nanousd: Option<u64>,
}

impl Usage {
    /// Read and written.
    pub fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Some servers leave reasoning out of the output and only count it in the total.
    pub(super) fn read(usage: &Value) -> Self {
        let count = |pointer: &str| {
            usage.pointer(pointer).and_then(Value::as_u64).map(|count| count.min(MOST_TOKENS))
        };
        let input = count("/prompt_tokens").unwrap_or(0);
        let output = count("/completion_tokens").unwrap_or(0);
        let beyond_input = count("/total_tokens").unwrap_or(0).saturating_sub(input);
        Self {
            input,
            input_cached: count("/prompt_tokens_details/cached_tokens")
                .or_else(|| count("/prompt_cache_hit_tokens"))
                .unwrap_or(0),
            output: output.max(beyond_input),
            output_reasoning: count("/completion_tokens_details/reasoning_tokens").unwrap_or(0),
            cost_nanousd: usage.get("cost").and_then(Value::as_f64).and_then(nanousd),
        }
    }
}

/// No call has more; a server that says so is not to spoil the sums of all that its owner's calls came to.
const MOST_TOKENS: u64 = 1_000_000_000_000;

/// No call costs a million dollars; what is no such number says nothing.
fn nanousd(dollars: f64) -> Option<u64> {
    let nanos = (dollars * 1e9).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range of both")]
    (0.0..1e15).contains(&nanos).then_some(nanos as u64)
}

/// Reads the JSON of a success.
///
/// # Errors
/// The error that a success can hide (OpenRouter reports upstream failures so), or [`ErrorClass::Unreadable`] for
/// JSON without an answer; both may have been charged.
pub(super) fn read(provider: Provider, asked: &str, body: &Value) -> Result<Completion, ProviderError> {
    if let Some(error) = hidden_error(provider, body) {
        return Err(error);
    }
    let choice = body.pointer("/choices/0").ok_or_else(|| ProviderError::unreadable(200, "no_choice"))?;
    let message = choice.get("message").ok_or_else(|| ProviderError::unreadable(200, "no_message"))?;
    let text = text_of(message.get("content").unwrap_or(&Value::Null));
    let model = body.get("model").and_then(Value::as_str).filter(|name| !name.is_empty()).unwrap_or(asked);
    Ok(Completion {
        finish: finish(choice, message, &text),
        text,
        model: name(model).unwrap_or_default(),
        request_id: body.get("id").and_then(Value::as_str).and_then(name),
        usage: Usage::read(body.get("usage").unwrap_or(&Value::Null)),
    })
}

/// At most 128 visible ASCII characters of a name or id; none of an empty one.
pub(super) fn name(text: &str) -> Option<String> {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(LONGEST_NAME).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// The error that a success hides, if it does.
pub(super) fn hidden_error(provider: Provider, body: &Value) -> Option<ProviderError> {
    let choice = body.pointer("/choices/0");
    let error = [Some(body), choice]
        .into_iter()
        .flatten()
        .find(|place| place.get("error").is_some_and(|error| !error.is_null()));
    let is_failed = choice.and_then(|choice| choice.get("finish_reason")?.as_str()) == Some("error");
    let place = error.or(choice.filter(|_| is_failed))?;
    let named = place.pointer("/error/code").and_then(Value::as_u64);
    let status = named.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    let complaint =
        Complaint { provider, status: status.unwrap_or(502), headers: &HeaderMap::new(), body: place };
    let error = complaint.to_error();
    // The key was good enough to begin with: a refused one is the upstream's, between it and the provider.
    let class = if error.class == ErrorClass::AuthInvalid { ErrorClass::Transient } else { error.class };
    Some(ProviderError { class, maybe_charged: true, status: Some(200), ..error })
}

/// Text, or a list of parts of which some are text (Mistral); everything else is not for mail.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter(|part| part.get("type").is_none_or(|kind| kind == "text"))
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        _ => String::new(),
    }
}

fn finish(choice: &Value, message: &Value, text: &str) -> Finish {
    let is_refusal = message.get("refusal").and_then(Value::as_str).is_some_and(|words| !words.is_empty());
    if is_refusal && text.is_empty() {
        return Finish::Refused;
    }
    match choice.get("finish_reason").and_then(Value::as_str).unwrap_or_default() {
        "stop" | "" | "eos" | "end_turn" => Finish::Stop,
        "length" | "model_length" | "max_tokens" => Finish::Length,
        "tool_calls" | "function_call" => Finish::Tool,
        "content_filter" => Finish::Filtered,
        "refusal" => Finish::Refused,
        _ => Finish::Other,
    }
}

impl Completion {
    /// Refuses an answer that would mail the key to the correspondent.
    pub(super) fn without_key(self, key: &str) -> Result<Self, ProviderError> {
        // Very short "keys" of local servers are ordinary words.
        if key.len() >= 8 && (self.text.contains(key) || self.model.contains(key)) {
            return Err(ProviderError::unreadable(200, "key_echoed"));
        }
        Ok(self)
    }
}
