//! A chat that somebody else leads: the question is theirs, in OpenAI's shape, and so is the answer, whole or piece by
//! piece. What must not pass is kept back: the key, and everything that is no part of an answer.
//!
//! ```text
//! Chat -> body -> exchange -> shape -> ChatAnswer
//!                          -> events -> key_watch -> shape -> ChatStream
//! ```

mod body;
mod events;
mod key_watch;
mod shape;
mod stream;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_openai::config::Config as _;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

pub use self::stream::{ChatStream, StreamEnd};

use self::key_watch::{KeyWatch, Seen};
use super::answer::{hidden_error, name};
use super::call::{Address, ask_in_forms};
use super::error::{ErrorClass, ProviderError};
use super::exchange::{Exchange, Failure};
use super::{Provider, Usage};
use crate::config;
use crate::net::{HttpClient, HttpClients};

/// A question as somebody else puts it. It holds the key, so it has no `Debug` and no `Clone`.
pub struct Chat {
    /// Whose interface.
    pub provider: Provider,
    /// Where, if not the provider's own address; required for [`Provider::OpenAiCompatible`].
    pub base_url: Option<String>,
    /// The key; empty for a server that wants none.
    pub key: SecretString,
    /// The model's name at the provider.
    pub model: String,
    /// What is used where the question says none; dropped for models that refuse it.
    pub temperature: Option<f64>,
    /// Longest answer, in tokens, reasoning included.
    pub max_output_tokens: u32,
    /// Whether the pieces of a streamed answer are to tell what it costs.
    pub tells_usage: bool,
    /// Everything else: `messages`, and whatever OpenAI's interface has besides.
    pub question: Map<String, Value>,
}

/// A whole answer. It holds the model's words, so it has no `Debug`.
pub struct ChatAnswer {
    /// It in OpenAI's shape.
    pub body: Value,
    /// The model that answered, by its own name; the one asked for if the answer has none.
    pub model: String,
    /// The provider's id of the exchange: at most 128 visible ASCII characters.
    pub request_id: Option<String>,
    /// What is charged.
    pub usage: Usage,
}

/// Asks and waits for the whole answer, at most `limits.call_timeout` per exchange.
///
/// # Errors
/// [`ProviderError`]; nothing is repeated in here but a question without a parameter that the model refuses.
pub async fn chat(
    clients: &HttpClients,
    limits: &config::Provider,
    chat: &Chat,
) -> Result<ChatAnswer, ProviderError> {
    let line = Line::open(clients, limits, chat)?;
    let put = |form| line.ask(chat.whole_body(form), limits.call_timeout);
    let answer = ask_in_forms(chat.first_form(), put).await;
    let answer = answer.and_then(|body| read(chat, &line, body));
    answer.map_err(|error| line.explain(error, chat))
}

/// Asks for an answer piece by piece. It is over after `limits.stream_timeout`, and no piece may take longer than
/// `limits.call_timeout`.
///
/// # Errors
/// As for [`chat`], where the answer does not begin.
pub async fn chat_stream(
    clients: &HttpClients,
    limits: &config::Provider,
    chat: &Chat,
) -> Result<ChatStream, ProviderError> {
    let line = Line::open(clients, limits, chat)?;
    let put = |form| line.begin(chat.stream_body(form), limits);
    let response = ask_in_forms(chat.first_form(), put).await.map_err(|error| line.explain(error, chat))?;
    Ok(ChatStream::new(response, limits, chat, line.request_id.get().cloned()))
}

fn read(chat: &Chat, line: &Line, body: Value) -> Result<ChatAnswer, ProviderError> {
    if let Some(error) = hidden_error(chat.provider, &body) {
        return Err(error);
    }
    if body.pointer("/choices/0/message").is_none_or(|message| !message.is_object()) {
        return Err(ProviderError::unreadable(200, "no_message"));
    }
    if KeyWatch::new(&chat.key).look(&body) != Seen::Nothing {
        return Err(ProviderError::unreadable(200, "key_echoed"));
    }
    let usage = Usage::read(body.get("usage").unwrap_or(&Value::Null));
    let own_id = body.get("id").and_then(Value::as_str).and_then(name);
    let body = shape::whole(body, &chat.model);
    let model = body.get("model").and_then(Value::as_str).and_then(name).unwrap_or_default();
    Ok(ChatAnswer { body, model, request_id: line.request_id.get().cloned().or(own_id), usage })
}

/// The way to one server, for one question.
struct Line {
    address: Address,
    client: HttpClient,
    exchange: Exchange,
    request_id: Arc<OnceLock<String>>,
}

impl Line {
    fn open(clients: &HttpClients, limits: &config::Provider, chat: &Chat) -> Result<Self, ProviderError> {
        let address = Address::of(limits, chat.provider, chat.base_url.as_deref(), &chat.key)?;
        let client = clients.for_base(&address.url).map_err(ProviderError::unreached)?;
        let request_id = Arc::new(OnceLock::new());
        let exchange = Exchange {
            client: client.clone(),
            provider: chat.provider,
            longest: limits.max_response_bytes,
            request_id: Arc::clone(&request_id),
        };
        Ok(Self { address, client, exchange, request_id })
    }

    async fn ask(&self, body: Value, longest: Duration) -> Result<Value, Failure> {
        let response = self.exchange.run(self.request(&body, longest)?).await?;
        response.json().await.map_err(|_| ProviderError::unreadable(200, "no_json").into())
    }

    /// The head of an answer that comes piece by piece; the time until it is there counts like a piece.
    async fn begin(&self, body: Value, limits: &config::Provider) -> Result<reqwest::Response, Failure> {
        let request = self.request(&body, limits.stream_timeout)?;
        let opened = tokio::time::timeout(limits.call_timeout, self.exchange.open(request)).await;
        let response = opened.map_err(|_| stream::too_slow())??;
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/json") {
            return Err(ProviderError::unreadable(200, "no_stream").into());
        }
        Ok(response)
    }

    fn request(&self, body: &Value, longest: Duration) -> Result<reqwest::Request, ProviderError> {
        let request = self.client.request_builder().post(self.address.url("/chat/completions"));
        let request = request.headers(self.address.headers()).json(body).timeout(longest);
        request.build().map_err(|_| ProviderError::unsent(ErrorClass::BadRequest, "client"))
    }

    fn explain(&self, error: ProviderError, chat: &Chat) -> ProviderError {
        let request_id = error.request_id.or_else(|| self.request_id.get().cloned());
        ProviderError { request_id, ..error }.without_key(chat.key.expose_secret())
    }
}
