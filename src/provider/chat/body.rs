//! The JSON of a question that somebody else puts.

use serde_json::{Map, Value, json};

use super::Chat;
use crate::provider::Provider;
use crate::provider::request::Form;

impl Chat {
    /// How this provider is asked first. A temperature that the question names itself stands, or is refused.
    pub(super) fn first_form(&self) -> Form {
        let form = Form::of(self.provider);
        match self.temperature {
            Some(_) => form,
            None => form.without("temperature").unwrap_or(form),
        }
    }

    /// For an answer in one piece.
    pub(super) fn whole_body(&self, form: Form) -> Value {
        Value::Object(self.fields(form))
    }

    /// For an answer piece by piece, with what it costs in the last one.
    pub(super) fn stream_body(&self, form: Form) -> Value {
        let mut fields = self.fields(form);
        fields.insert("stream".into(), true.into());
        fields.insert("stream_options".into(), json!({ "include_usage": true }));
        Value::Object(fields)
    }

    fn fields(&self, form: Form) -> Map<String, Value> {
        let mut fields = self.question.clone();
        fields.insert("model".into(), self.model.as_str().into());
        fields.insert(form.limit_name().into(), self.max_output_tokens.into());
        if let Some(temperature) = self.temperature.filter(|_| form.has_temperature()) {
            fields.insert("temperature".into(), temperature.into());
        }
        if self.provider == Provider::OpenAi {
            // What is said does not stay with the provider beyond the call.
            fields.insert("store".into(), false.into());
        }
        fields
    }
}
