//! OpenAI's shape of answers: what belongs to it is passed on, and nothing else of what a server says.

use serde_json::{Map, Value, json};

/// What is passed on where it is there.
const OPTIONAL: [&str; 3] = ["usage", "system_fingerprint", "service_tier"];

/// A whole answer.
pub(super) fn whole(answer: Value, asked: &str) -> Value {
    shaped(answer, "chat.completion", asked)
}

/// A piece of an answer.
pub(super) fn piece(answer: Value, asked: &str) -> Value {
    shaped(answer, "chat.completion.chunk", asked)
}

fn shaped(answer: Value, object: &str, asked: &str) -> Value {
    let mut said = match answer {
        Value::Object(said) => said,
        _ => Map::new(),
    };
    let id = said.remove("id").filter(Value::is_string).unwrap_or_else(|| json!("chatcmpl-unknown"));
    let model = said.remove("model").filter(|model| model.as_str().is_some_and(|model| !model.is_empty()));
    let mut shaped = Map::new();
    shaped.insert("id".into(), id);
    shaped.insert("object".into(), object.into());
    shaped.insert("created".into(), said.remove("created").filter(Value::is_u64).unwrap_or_else(|| json!(0)));
    shaped.insert("model".into(), model.unwrap_or_else(|| asked.into()));
    shaped.insert("choices".into(), said.remove("choices").unwrap_or_else(|| json!([])));
    for name in OPTIONAL {
        if let Some(value) = said.remove(name).filter(|value| !value.is_null()) {
            shaped.insert(name.into(), value);
        }
    }
    Value::Object(shaped)
}
