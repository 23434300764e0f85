//! The JSON of a question.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::conversation::{Role, Turn};
use super::kind::Provider;

/// How a question is put; it changes when the model refuses a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    temperature: bool,
    limit: LimitName,
    changed_limit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LimitName {
    /// OpenAI's, the only one that reasoning models accept; it includes their reasoning.
    MaxCompletionTokens,
    /// The older name that everybody else knows. Servers that don't know the newer one ignore it without a
    /// word, and answer without a limit.
    MaxTokens,
}

impl Form {
    /// How this provider is asked first.
    pub(super) fn of(provider: Provider) -> Self {
        let limit = match provider {
            Provider::OpenAi => LimitName::MaxCompletionTokens,
            Provider::OpenRouter | Provider::Gemini | Provider::OpenAiCompatible => LimitName::MaxTokens,
        };
        Self { temperature: true, limit, changed_limit: false }
    }

    /// The field of the longest answer.
    pub(super) fn limit_name(self) -> &'static str {
        match self.limit {
            LimitName::MaxCompletionTokens => "max_completion_tokens",
            LimitName::MaxTokens => "max_tokens",
        }
    }

    /// Whether a temperature is named.
    pub(super) fn has_temperature(self) -> bool {
        self.temperature
    }

    /// The same question without a parameter that was refused, unless that was tried already.
    pub(super) fn without(self, parameter: &str) -> Option<Self> {
        match parameter {
            "temperature" if self.temperature => Some(Self { temperature: false, ..self }),
            "max_tokens" | "max_completion_tokens" if !self.changed_limit => {
                let limit = match self.limit {
                    LimitName::MaxTokens => LimitName::MaxCompletionTokens,
                    LimitName::MaxCompletionTokens => LimitName::MaxTokens,
                };
                Some(Self { limit, changed_limit: true, ..self })
            }
            _ => None,
        }
    }
}

/// The body of `POST /chat/completions`.
pub(super) fn body(call: &Call<'_>, form: Form) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), call.model.into());
    body.insert("messages".into(), messages(call).into());
    body.insert(form.limit_name().into(), call.max_output_tokens.into());
    if let Some(temperature) = call.temperature.filter(|_| form.temperature) {
        body.insert("temperature".into(), temperature.into());
    }
    if call.provider == Provider::OpenAi {
        // Mail does not stay with the provider beyond the call.
        body.insert("store".into(), false.into());
    }
    Value::Object(body)
}

fn messages(call: &Call<'_>) -> Vec<Value> {
    let system = json!({ "role": "system", "content": call.conversation.system });
    let first = Some(system).filter(|_| !call.conversation.system.is_empty());
    first.into_iter().chain(call.conversation.turns.iter().map(message)).collect()
}

fn message(turn: &Turn) -> Value {
    let role = match turn.role {
        Role::Correspondent => "user",
        Role::Agent => "assistant",
    };
    json!({ "role": role, "content": turn.text })
}
