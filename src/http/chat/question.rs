//! What OpenAI's interface takes, as far as it is taken here.
//!
//! What shapes an answer is passed on as it is, once it is of the right kind: the provider knows best which values its
//! models take. What would store something at the provider, cost more than the owner allows or make other calls is not
//! known here, and refused by its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::http::object::maybe_object;
use crate::http::texts::Line;

/// The most messages of a question.
const MOST_MESSAGES: usize = 1000;

/// A question. Its fields are OpenAI's, and of the kinds that OpenAI documents; null says nothing. Which values a model
/// takes is for its provider to say, where nothing is said here.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatInput {
    /// The conversation so far.
    #[schema(min_items = 1, max_items = 1000)]
    messages: Vec<ChatMessage>,
    /// The model; the AI configuration's if left out. One that is named in an AI configuration is asked with the key of
    /// that one.
    #[serde(skip_serializing)]
    model: Option<Line>,
    /// Whether the answer is to come piece by piece, as server-sent events.
    #[serde(skip_serializing)]
    stream: Option<bool>,
    /// About the pieces.
    #[serde(default, skip_serializing, deserialize_with = "maybe_object")]
    stream_options: Option<StreamOptions>,
    /// The longest answer, in tokens; at most what the AI configuration allows, which is also what holds if it is left out.
    #[serde(skip_serializing)]
    #[schema(minimum = 1)]
    max_completion_tokens: Option<u32>,
    /// The older name of `max_completion_tokens`.
    #[serde(skip_serializing)]
    #[schema(minimum = 1)]
    max_tokens: Option<u32>,
    /// How many answers; only one.
    #[serde(skip_serializing)]
    #[schema(minimum = 1, maximum = 1)]
    n: Option<u32>,
    /// Whether the provider is to keep the answer; never.
    #[serde(skip_serializing)]
    store: Option<bool>,
    /// How freely the model chooses its words; the AI configuration's if left out.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 2)]
    temperature: Option<Number>,
    /// How much of what is likely the model chooses from, as a share.
    #[schema(value_type = Option<f64>)]
    top_p: Option<Number>,
    /// Where the answer is to end.
    stop: Option<Stop>,
    /// The same question with the same seed is answered alike, where the provider can.
    seed: Option<i64>,
    /// How much words are avoided that were said before.
    #[schema(value_type = Option<f64>)]
    presence_penalty: Option<Number>,
    /// How much words are avoided that were said often.
    #[schema(value_type = Option<f64>)]
    frequency_penalty: Option<Number>,
    /// By token, how much it is favoured, or avoided below 0.
    #[schema(value_type = Option<HashMap<String, f64>>)]
    logit_bias: Option<BTreeMap<String, Number>>,
    /// Whether the answer is to tell how likely each of its tokens was.
    logprobs: Option<bool>,
    /// The same of so many other tokens in each place.
    top_logprobs: Option<u32>,
    /// The form of the answer, such as a JSON schema.
    #[schema(value_type = Option<Object>)]
    response_format: Option<Map<String, Value>>,
    /// What the model may call.
    #[schema(value_type = Option<Vec<Object>>)]
    tools: Option<Vec<Map<String, Value>>>,
    /// Whether it has to.
    tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once.
    parallel_tool_calls: Option<bool>,
    /// How long the model thinks first.
    reasoning_effort: Option<String>,
    /// How much it says.
    verbosity: Option<String>,
    /// Who asks, for the provider.
    user: Option<String>,
    /// Who asks, for the provider, in a form that tells nobody's name.
    safety_identifier: Option<String>,
    /// What questions have in common that begin alike.
    prompt_cache_key: Option<String>,
}

/// Where an answer is to end.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(untagged, expecting = "must be a text, or a list of texts")]
pub(crate) enum Stop {
    /// Before this text.
    Before(String),
    /// Before the first of these.
    BeforeFirst(Vec<String>),
}

/// Whether the model has to call a tool.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(untagged, expecting = "must be a text, such as \"auto\", or an object")]
pub(crate) enum ToolChoice {
    /// `none`, `auto` or `required`.
    Word(String),
    /// One tool, or some of them.
    Tools(Map<String, Value>),
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
            Ok(Value::Object(mut question)) => {
                question.retain(|_, value| !value.is_null());
                Ok(Asked { question, ..asked })
            }
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
        match self.temperature.as_ref().and_then(Number::as_f64) {
            Some(temperature) if !(0.0..=2.0).contains(&temperature) => {
                Err(ApiError::field("temperature", "must be a number from 0 to 2"))
            }
            _ => Ok(()),
        }
    }
}
