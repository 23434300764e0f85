//! An answer piece by piece: bounded in size and time, and complete only if its server says so.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::events::{Events, TooLong};
use super::key_watch::{KeyWatch, Seen};
use super::{Chat, shape};
use crate::config;
use crate::net::{NetError, Unanswered};
use crate::provider::answer::{hidden_error, name};
use crate::provider::token_estimate::tokens;
use crate::provider::{Provider, ProviderError, Usage};

/// How servers end a stream.
const DONE: &[u8] = b"[DONE]";
/// Each token comes in an envelope of its own, so a stream may have so many times the bytes of a whole answer.
const ENVELOPES: usize = 8;
/// So many bytes of pieces are held back, and then what looks like the beginning of the key is taken for the key: words go
/// on with the next piece or two.
const LONGEST_HELD: usize = 64 * 1024;
/// Values of one event: in memory a value may take thirty times its bytes. The length of texts is bounded apart.
const MOST_VALUES: usize = 64 * 1024;
/// How long to wait for the end of a connection that is to be used again.
const CLOSING: Duration = Duration::from_millis(500);

/// An answer that is being read.
pub struct ChatStream {
    response: Response,
    events: Events,
    watch: KeyWatch,
    /// Pieces that are not passed on before it is clear that they are not the key.
    held: VecDeque<Value>,
    /// What these were in bytes; `None` while nothing has to be held back.
    held_bytes: Option<usize>,
    provider: Provider,
    asked: String,
    tells_usage: bool,
    key: SecretString,
    longest_wait: Duration,
    bytes_left: usize,
    is_finished: bool,
    is_over: bool,
    end: StreamEnd,
}

/// What is known of an answer so far.
#[derive(Clone, Default)]
pub struct StreamEnd {
    /// The model that answered, by its own name.
    pub model: Option<String>,
    /// The provider's id of the exchange.
    pub request_id: Option<String>,
    /// What is charged; mostly said by the last piece only.
    pub usage: Option<Usage>,
    /// The tokens of the words that came, as estimated.
    pub written: u64,
}

impl StreamEnd {
    /// Whether anything came.
    pub fn has_begun(&self) -> bool {
        self.written > 0 || self.usage.is_some()
    }
}

impl ChatStream {
    pub(super) fn new(
        response: Response,
        limits: &config::Provider,
        chat: &Chat,
        request_id: Option<String>,
    ) -> Self {
        Self {
            response,
            events: Events::new(limits.max_response_bytes),
            watch: KeyWatch::new(&chat.key),
            held: VecDeque::new(),
            held_bytes: None,
            provider: chat.provider,
            asked: chat.model.clone(),
            tells_usage: chat.tells_usage,
            key: chat.key.clone(),
            longest_wait: limits.call_timeout,
            bytes_left: limits.max_response_bytes.saturating_mul(ENVELOPES),
            is_finished: false,
            is_over: false,
            end: StreamEnd { request_id, ..StreamEnd::default() },
        }
    }

    /// The next piece in OpenAI's shape; `None` once the answer is complete.
    ///
    /// # Errors
    /// Where the answer breaks off, takes too long, is too long, or is none. What came before stands.
    pub async fn next(&mut self) -> Result<Option<Value>, ProviderError> {
        // Comments that keep the connection alive do not count as pieces.
        let next = tokio::time::timeout(self.longest_wait, self.advance()).await;
        let next = next.unwrap_or_else(|_| Err(too_slow()));
        next.map_err(|error| self.explain(error))
    }

    /// What is known of it.
    pub fn end(&self) -> &StreamEnd {
        &self.end
    }

    /// Reads what comes after a complete answer, so that the connection can be used again.
    pub async fn close(mut self) {
        let rest = async { while let Ok(Some(_)) = self.response.chunk().await {} };
        let _ = tokio::time::timeout(CLOSING, rest).await;
    }

    async fn advance(&mut self) -> Result<Option<Value>, ProviderError> {
        loop {
            if self.held_bytes.is_none()
                && let Some(piece) = self.held.pop_front()
            {
                return Ok(Some(piece));
            }
            if self.is_over {
                return if self.held_bytes.is_some() { Err(key_echoed()) } else { Ok(None) };
            }
            match self.events.pop() {
                Some(data) if data.trim_ascii() == DONE => self.is_over = true,
                Some(data) => self.take(&data)?,
                None => self.read().await?,
            }
        }
    }

    async fn read(&mut self) -> Result<(), ProviderError> {
        let chunk = self.response.chunk().await.map_err(|error| ProviderError {
            status: Some(200),
            ..ProviderError::ambiguous(Unanswered::from_client(&error).error)
        })?;
        let Some(chunk) = chunk else { return self.end_early() };
        let left = self.bytes_left.checked_sub(chunk.len()).ok_or_else(too_long)?;
        self.bytes_left = left;
        self.events.push(&chunk).map_err(|TooLong| too_long())
    }

    /// Without the word that ends it an answer is complete only if the model has said why it stopped.
    fn end_early(&mut self) -> Result<(), ProviderError> {
        self.events.end();
        while let Some(data) = self.events.pop() {
            if data.trim_ascii() == DONE {
                self.is_finished = true;
            } else if serde_json::from_slice::<Value>(&data).is_ok() {
                self.take(&data)?;
            }
        }
        self.is_over = true;
        if self.is_finished { Ok(()) } else { Err(broken_off()) }
    }

    fn take(&mut self, data: &[u8]) -> Result<(), ProviderError> {
        if has_too_many_values(data) {
            return Err(too_long());
        }
        let mut piece: Value =
            serde_json::from_slice(data).map_err(|_| ProviderError::unreadable(200, "no_json"))?;
        if let Some(error) = hidden_error(self.provider, &piece) {
            return Err(error);
        }
        self.held_bytes = match self.watch.look(&piece) {
            Seen::Key => return Err(key_echoed()),
            Seen::Beginning => Some(self.held_bytes.unwrap_or(0) + data.len()),
            Seen::Nothing => None,
        };
        if self.held_bytes.is_some_and(|bytes| bytes > LONGEST_HELD) {
            return Err(key_echoed());
        }
        self.learn(&piece);
        if let Some(fields) = piece.as_object_mut().filter(|_| !self.tells_usage) {
            fields.remove("usage");
        }
        let says_something = piece.pointer("/choices/0").or(piece.get("usage"));
        if says_something.is_some_and(Value::is_object) {
            self.held.push_back(shape::piece(piece, &self.asked));
        }
        Ok(())
    }

    fn learn(&mut self, piece: &Value) {
        let text = |pointer: &str| piece.pointer(pointer).and_then(Value::as_str);
        if text("/choices/0/finish_reason").is_some_and(|reason| !reason.is_empty()) {
            self.is_finished = true;
        }
        let words = ["content", "reasoning_content", "reasoning", "refusal"];
        let words = words.iter().filter_map(|place| text(&format!("/choices/0/delta/{place}")));
        let arguments = text("/choices/0/delta/tool_calls/0/function/arguments");
        let written: u32 = words.chain(arguments).map(tokens).fold(0, u32::saturating_add);
        self.end.written = self.end.written.saturating_add(written.into());
        if self.end.model.is_none() {
            self.end.model = text("/model").and_then(name);
        }
        if self.end.request_id.is_none() {
            self.end.request_id = text("/id").and_then(name);
        }
        if let Some(usage) = piece.get("usage").filter(|usage| usage.is_object()) {
            self.end.usage = Some(Usage::read(usage));
        }
    }

    fn explain(&self, error: ProviderError) -> ProviderError {
        let request_id = error.request_id.or_else(|| self.end.request_id.clone());
        ProviderError { request_id, ..error }.without_key(self.key.expose_secret())
    }
}

/// Looked at before anything is made of them: each stands behind one of these, or is the only one.
fn has_too_many_values(data: &[u8]) -> bool {
    data.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).nth(MOST_VALUES).is_some()
}

/// Nothing came for too long.
pub(super) fn too_slow() -> ProviderError {
    ProviderError::ambiguous(NetError::Timeout)
}

fn broken_off() -> ProviderError {
    ProviderError { status: Some(200), ..ProviderError::ambiguous(NetError::Closed) }
}

fn too_long() -> ProviderError {
    ProviderError::unreadable(200, "too_long")
}

fn key_echoed() -> ProviderError {
    ProviderError::unreadable(200, "key_echoed")
}
