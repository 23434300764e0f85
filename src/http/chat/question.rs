//! What OpenAI's interface takes, as far as it is taken here.
//!
//! What shapes an answer is passed on as it is: the provider knows best what its models take. What would store something
//! at the provider, cost more than the owner allows or make other calls is not known here, and refused by its name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::http::texts::Line;

/// The most messages of a question.
const MOST_MESSAGES: usize = 1000;

/// A question. What is not told apart here is passed on as it is.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatInput {
    /// The conversation so far.
    #[schema(min_items = 1, max_items = 1000)]
    messages: Vec<ChatMessage>,
    /// The model; the AI configuration's if left out. One that is named in an AI configuration is asked with the key of
    /// that one.
    #[serde(default, skip_serializing)]
    model: Option<Line>,
    /// Whether the answer is to come piece by piece, as server-sent events.
    #[serde(default, skip_serializing)]
    stream: Option<bool>,
    /// About the pieces.
    #[serde(default, skip_serializing)]
    stream_options: Option<StreamOptions>,
    /// The longest answer, in tokens; at most what the AI configuration allows, which is also what holds if it is left out.
    #[serde(default, skip_serializing)]
    #[schema(minimum = 1)]
    max_completion_tokens: Option<u32>,
    /// The older name of `max_completion_tokens`.
    #[serde(default, skip_serializing)]
    #[schema(minimum = 1)]
    max_tokens: Option<u32>,
    /// How many answers; only one.
    #[serde(default, skip_serializing)]
    #[schema(minimum = 1, maximum = 1)]
    n: Option<u32>,
    /// Whether the provider is to keep the answer; never.
    #[serde(default, skip_serializing)]
    store: Option<bool>,
    /// How freely the model chooses its words; the AI configuration's if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    top_p: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    seed: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    presence_penalty: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    frequency_penalty: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logit_bias: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logprobs: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tools: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verbosity: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<Value>,
}

/// A message; what it has besides its role is passed on.
#[derive(Deserialize, Serialize, ToSchema)]
pub(crate) struct ChatMessage {
    /// Who says it.
    role: ChatRole,
    /// The rest: `content`, `tool_calls`, `tool_call_id`, `name`.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Who says something.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatRole {
    /// Instructions.
    System,
    /// Instructions, in newer words.
    Developer,
    /// Whoever chats.
    User,
    /// The model.
    Assistant,
    /// What a tool answered.
    Tool,
}

/// About the pieces of a streamed answer.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamOptions {
    /// Whether the last piece is to say what the answer costs.
    #[serde(default)]
    include_usage: Option<bool>,
    /// Whether pieces are padded; they never are.
    #[serde(default)]
    include_obfuscation: Option<bool>,
}

/// A question that can be put.
pub(super) struct Asked {
    pub(super) model: Option<String>,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) is_streamed: bool,
    pub(super) tells_usage: bool,
    pub(super) question: Map<String, Value>,
}

impl ChatInput {
    /// Takes a question apart.
    pub(super) fn check(self) -> Result<Asked, ApiError> {
        self.check_fit()?;
        let options = self.stream_options.as_ref();
        let asked = Asked {
            model: self.model.as_ref().map(|Line(model)| model.clone()),
            max_output_tokens: self.max_completion_tokens.or(self.max_tokens),
            is_streamed: self.stream == Some(true),
            tells_usage: options.and_then(|options| options.include_usage) == Some(true),
            question: Map::new(),
        };
        match serde_json::to_value(self) {
            Ok(Value::Object(question)) => Ok(Asked { question, ..asked }),
            _ => Err(ApiError::internal()),
        }
    }

    fn check_fit(&self) -> Result<(), ApiError> {
        if self.messages.is_empty() || self.messages.len() > MOST_MESSAGES {
            return Err(ApiError::field("messages", &format!("must be 1 to {MOST_MESSAGES} messages")));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(ApiError::field("n", "must be 1: there is one answer to a question"));
        }
        if self.store == Some(true) {
            return Err(ApiError::field("store", "must be false: nothing is kept at the provider"));
        }
        if self.max_tokens.is_some() && self.max_completion_tokens.is_some() {
            return Err(ApiError::field(
                "max_tokens",
                "and `max_completion_tokens` are one: give one of them",
            ));
        }
        for (name, most) in
            [("max_tokens", self.max_tokens), ("max_completion_tokens", self.max_completion_tokens)]
        {
            if most == Some(0) {
                return Err(ApiError::field(name, "must be a whole number from 1"));
            }
        }
        match self.temperature {
            Some(temperature) if !(0.0..=2.0).contains(&temperature) => {
                Err(ApiError::field("temperature", "must be a number from 0 to 2"))
            }
            _ => Ok(()),
        }
    }
}
