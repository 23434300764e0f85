//! A provider on loopback that speaks OpenAI's chat completions and answers from the prompt alone: the same
//! question gets the same words.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::Clock;

/// The largest request body in bytes.
const LARGEST_PROMPT: usize = 8 * 1024 * 1024;

/// Keys that calls are counted for; calls with a further key are answered, but not counted.
const MOST_KEYS: usize = 10_000;

/// How much of a question is quoted back, in characters.
const LONGEST_QUOTE: usize = 160;

/// A running provider; dropping it closes the port once the open calls are answered.
pub struct Model {
    address: SocketAddr,
    state: Arc<Desk>,
    _open: DropGuard,
}

/// What one key was used for, as the provider would bill it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// Calls that were answered with a completion.
    pub calls: u64,
    /// Tokens of their prompts.
    pub input_tokens: u64,
    /// Tokens of their answers.
    pub output_tokens: u64,
}

struct Desk {
    clock: Clock,
    latency: Duration,
    calls: AtomicU64,
    keys: Mutex<HashMap<String, KeyUse>>,
}

impl Model {
    /// Opens on a free port of 127.0.0.1; every completion takes `latency` longer than it must.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(clock: Clock, latency: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Desk { clock, latency, calls: AtomicU64::new(0), keys: Mutex::default() });
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/v1/models", get(list_models))
            .layer(DefaultBodyLimit::max(LARGEST_PROMPT))
            .with_state(Arc::clone(&state));
        let closing = CancellationToken::new();
        // without TCP_NODELAY an answer may wait 40 ms for an acknowledgement; if setting it fails, it is slow
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = axum::serve(listener, router).with_graceful_shutdown(closing.clone().cancelled_owned());
        tokio::spawn(async move { server.await });
        Ok(Self { address, state, _open: closing.drop_guard() })
    }

    /// Where it answers; for the operator's list of private endpoints.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an AI configuration gives as `base_url`, ending in `/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What this key was used for so far.
    pub fn use_of(&self, key: &SecretString) -> KeyUse {
        let keys = self.state.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(key.expose_secret()).copied().unwrap_or_default()
    }

    /// How many completions were answered, for all keys together.
    pub fn calls(&self) -> u64 {
        self.state.calls.load(Ordering::Relaxed)
    }
}

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
    max_completion_tokens: Option<usize>,
    max_tokens: Option<usize>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Value,
}

impl Message {
    /// A message's content is a string, or a list of parts with a `text` each.
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
                texts.collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        }
    }
}

async fn complete(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(key) = bearer(&headers) else {
        return no_key();
    };
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return bad_request(&error.to_string()),
    };
    if request.stream || request.messages.is_empty() {
        return bad_request("This stand-in wants messages, and does not stream.");
    }
    tokio::time::sleep(desk.latency).await;
    let answer = Answer::to(&request);
    let number = desk.calls.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    desk.count(key, &answer);
    let request_id = format!("req_demo_{number}");
    ([("x-request-id", request_id)], Json(answer.into_json(&request, number, &desk.clock))).into_response()
}

async fn list_models(headers: HeaderMap) -> Response {
    match bearer(&headers) {
        None => no_key(),
        Some(_) => Json(json!({
            "object": "list",
            "data": [{ "id": "demo-model", "object": "model", "created": 0, "owned_by": "postkey" }],
        }))
        .into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty()).then(|| key.trim())
}

fn no_key() -> Response {
    let message = "You didn't provide an API key.";
    (StatusCode::UNAUTHORIZED, Json(error(message, "invalid_api_key"))).into_response()
}

fn bad_request(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(error(message, "invalid_request"))).into_response()
}

/// OpenAI's error body.
fn error(message: &str, code: &str) -> Value {
    json!({ "error": { "message": message, "type": "invalid_request_error", "param": null, "code": code } })
}

impl Desk {
    fn count(&self, key: &str, answer: &Answer) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_KEYS && !keys.contains_key(key) {
            return;
        }
        let uses = keys.entry(key.to_owned()).or_default();
        uses.calls = uses.calls.saturating_add(1);
        uses.input_tokens = uses.input_tokens.saturating_add(answer.input_tokens);
        uses.output_tokens = uses.output_tokens.saturating_add(answer.output_tokens);
    }
}

struct Answer {
    text: String,
    finish_reason: &'static str,
    input_tokens: u64,
    output_tokens: u64,
}

impl Answer {
    fn to(request: &Request) -> Self {
        let asked = request.messages.iter().rev().find(|message| message.role == "user");
        let mut text = reply(&asked.map(Message::text).unwrap_or_default());
        let most = request.max_completion_tokens.or(request.max_tokens).unwrap_or(usize::MAX);
        let finish_reason = if text.chars().count().div_ceil(4) > most { "length" } else { "stop" };
        if finish_reason == "length" {
            text = text.chars().take(most.saturating_mul(4)).collect();
        }
        // a few tokens per message for its role, as OpenAI counts
        let input = request.messages.iter().map(|message| tokens(&message.text()).saturating_add(4)).sum();
        let output_tokens = tokens(&text);
        Self { text, finish_reason, input_tokens: input, output_tokens }
    }

    fn into_json(self, request: &Request, number: u64, clock: &Clock) -> Value {
        json!({
            "id": format!("chatcmpl-demo-{number}"),
            "object": "chat.completion",
            "created": clock.now().millis().div_euclid(1000),
            "model": request.model,
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": self.text, "refusal": null },
                "logprobs": null,
                "finish_reason": self.finish_reason,
            }],
            "usage": {
                "prompt_tokens": self.input_tokens,
                "completion_tokens": self.output_tokens,
                "total_tokens": self.input_tokens.saturating_add(self.output_tokens),
                "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
                "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0 },
            },
        })
    }
}

/// Four characters make a token, about.
fn tokens(text: &str) -> u64 {
    u64::try_from(text.chars().count().div_ceil(4)).unwrap_or(u64::MAX)
}

/// Acknowledges the question: the first line that asks one, else the longest line; a subject is no line.
fn reply(prompt: &str) -> String {
    let lines = prompt.lines().map(str::trim).filter(|line| !line.starts_with("Subject:"));
    let own = lines.filter(|line| !line.starts_with('>') && line.chars().any(char::is_alphanumeric));
    let question = own.clone().find_map(question_in);
    match question.or_else(|| own.max_by_key(|line| line.len())) {
        None => "Thank you for your mail. It seems to be empty: what can I do for you?".to_owned(),
        Some(line) => {
            let quote: String = line.chars().take(LONGEST_QUOTE).collect();
            format!(
                "Thank you for your mail.\n\nYou wrote: \"{quote}\"\n\n\
                 This is the demo's stand-in for a model, so it can only confirm that your words arrived \
                 and that the right key paid for this answer.\n\nKind regards"
            )
        }
    }
}

/// The sentence of the line that ends in a question mark.
fn question_in(line: &str) -> Option<&str> {
    let (before, _) = line.split_once('?')?;
    let start = before.rfind(['.', '!', ':']).map_or(0, |at| at.saturating_add(1));
    let end = before.len().saturating_add(1);
    line.get(start..end).map(str::trim).filter(|sentence| sentence.len() > 1)
}
