//! A scripted OpenAI-style provider on loopback: answers every prompt until it is told to misbehave.
//!
//! ```ignore
//! let server = ProviderServer::start().await;
//! server.next("sk-anna", Answer::status(429, "{}").header("retry-after", "7"));
//! server.always("sk-bob", Answer::Hang);
//! assert_eq!(server.calls_of("sk-anna").len(), 2);
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A call that reached the server.
#[derive(Clone, Debug)]
pub struct Call {
    /// What stood behind `Bearer ` in the Authorization header; empty when there was none.
    pub key: String,
    /// The request's JSON; null when it was none.
    pub request: Value,
}

impl Call {
    /// The text of the last message, which the reply is derived from.
    pub fn last_text(&self) -> &str {
        let messages = self.request["messages"].as_array();
        messages.and_then(|messages| messages.last()?["content"].as_str()).unwrap_or_default()
    }
}

/// Makes the model's words from a call.
pub type Words = dyn Fn(&Call) -> String + Send + Sync;

/// What the server does with a call.
#[derive(Clone)]
pub enum Answer {
    /// 200 with a completion of these words.
    Words(Arc<Words>),
    /// This response, whatever it is.
    Response { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Nothing, for ever.
    Hang,
    /// Half of a response's promised bytes, then the connection is closed.
    Cut,
    /// An answer in events.
    Events(Events),
    /// First the wait, then the answer.
    Late(Duration, Box<Answer>),
}

/// An answer that comes piece by piece.
#[derive(Clone)]
pub struct Events {
    /// What is sent, as it is; each but the first after the pause.
    pub pieces: Vec<String>,
    /// The time between two pieces.
    pub pause: Duration,
    /// What becomes of the connection then.
    pub then: Then,
}

/// What becomes of a connection after the last piece.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It ends in order.
    End,
    /// It breaks off.
    Break,
    /// Nothing, for ever.
    Hang,
}

impl Events {
    /// These pieces without a pause, and an end in order.
    pub fn of(pieces: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let pieces = pieces.into_iter().map(Into::into).collect();
        Self { pieces, pause: Duration::ZERO, then: Then::End }
    }

    /// The data of these events, each in one of its own.
    pub fn data(events: impl IntoIterator<Item = impl ToString>) -> Self {
        Self::of(events.into_iter().map(|event| format!("data: {}\n\n", event.to_string())))
    }
}

/// A piece of an answer with these words.
pub fn piece(words: &str) -> Value {
    chunk(json!({ "content": words }), Value::Null)
}

/// The last piece of an answer.
pub fn last_piece() -> Value {
    chunk(json!({}), json!("stop"))
}

fn chunk(delta: Value, finish_reason: Value) -> Value {
    json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "test-model",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
    })
}

impl Answer {
    /// 200 with a completion whose words `words` makes.
    pub fn words(words: impl Fn(&Call) -> String + Send + Sync + 'static) -> Self {
        Self::Words(Arc::new(words))
    }

    /// A response with this status and body.
    pub fn status(status: u16, body: &str) -> Self {
        Self::Response { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// 200 with something that is no completion.
    pub fn rubbish() -> Self {
        Self::status(200, "<html>rubbish</html>")
    }

    /// The same response with a header more.
    pub fn header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Response { status, mut headers, body } => {
                headers.push((name, value.to_owned()));
                Self::Response { status, headers, body }
            }
            _ => panic!("only a response has headers"),
        }
    }

    /// The same answer so much later.
    pub fn late(self, latency: Duration) -> Self {
        Self::Late(latency, Box::new(self))
    }
}

/// The running server; it ends when it is dropped.
pub struct ProviderServer {
    address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    calls: Mutex<Vec<Call>>,
    checks: Mutex<Vec<String>>,
    checked: Mutex<BTreeMap<String, Answer>>,
    next: Mutex<BTreeMap<String, VecDeque<Answer>>>,
    always: Mutex<BTreeMap<String, Answer>>,
    otherwise: Mutex<Answer>,
    streaming: Arc<()>,
}

impl ProviderServer {
    /// Starts one that answers `Answer to: <the last message>` to everybody.
    pub async fn start() -> Self {
        let state = Arc::new(State {
            calls: Mutex::default(),
            checks: Mutex::default(),
            checked: Mutex::default(),
            next: Mutex::default(),
            always: Mutex::default(),
            otherwise: Mutex::new(Answer::words(|call| format!("Answer to: {}", call.last_text()))),
            streaming: Arc::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/v1/models", get(check))
            .route("/v1/key", get(check))
            .with_state(Arc::clone(&state));
        let serving = axum::serve(listener, routes).into_future();
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Self { address, state, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an AI configuration takes as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What keys without an answer of their own get from now on.
    pub fn otherwise(&self, answer: Answer) {
        *self.state.otherwise.lock().unwrap() = answer;
    }

    /// What this key gets from now on.
    pub fn always(&self, key: &str, answer: Answer) {
        self.state.always.lock().unwrap().insert(key.to_owned(), answer);
    }

    /// What this key gets once, before anything else; several are given in order.
    pub fn next(&self, key: &str, answer: Answer) {
        self.state.next.lock().unwrap().entry(key.to_owned()).or_default().push_back(answer);
    }

    /// What a check of this key gets from now on, instead of a list without models.
    pub fn checked(&self, key: &str, answer: Answer) {
        self.state.checked.lock().unwrap().insert(key.to_owned(), answer);
    }

    /// The keys that were checked so far, in order.
    pub fn checks(&self) -> Vec<String> {
        self.state.checks.lock().unwrap().clone()
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Answers in events that are being sent now.
    pub fn streaming(&self) -> usize {
        Arc::strong_count(&self.state.streaming) - 1
    }

    /// Every call so far that was made with this key.
    pub fn calls_of(&self, key: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.key == key).collect()
    }
}

impl Drop for ProviderServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    fn answer_for(&self, key: &str) -> Answer {
        let once = self.next.lock().unwrap().get_mut(key).and_then(VecDeque::pop_front);
        let answer = once.or_else(|| self.always.lock().unwrap().get(key).cloned());
        answer.unwrap_or_else(|| self.otherwise.lock().unwrap().clone())
    }
}

fn bearer(headers: &HeaderMap) -> String {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    bearer.unwrap_or_default().to_owned()
}

/// The call that costs nothing and tells whether a key is good.
async fn check(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response<Body> {
    let key = bearer(&headers);
    state.checks.lock().unwrap().push(key.clone());
    let answer = state.checked.lock().unwrap().get(&key).cloned();
    let call = Call { key, request: Value::Null };
    perform(&state, answer.unwrap_or_else(|| Answer::status(200, "{\"data\":[]}")), &call).await
}

async fn complete(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: String) -> Response<Body> {
    let call = Call { key: bearer(&headers), request: serde_json::from_str(&body).unwrap_or_default() };
    state.calls.lock().unwrap().push(call.clone());
    perform(&state, state.answer_for(&call.key), &call).await
}

async fn perform(state: &State, mut answer: Answer, call: &Call) -> Response<Body> {
    while let Answer::Late(latency, later) = answer {
        tokio::time::sleep(latency).await;
        answer = *later;
    }
    match answer {
        Answer::Words(words) if call.request["stream"] == true => {
            send_events(state, in_pieces(&completion(call, &words(call))))
        }
        Answer::Events(events) => send_events(state, events),
        Answer::Words(words) => respond(200, &[], completion(call, &words(call)).to_string()),
        Answer::Response { status, headers, body } => respond(status, &headers, body),
        Answer::Cut => cut(),
        Answer::Hang | Answer::Late(..) => std::future::pending().await,
    }
}

fn respond(status: u16, headers: &[(&'static str, String)], body: String) -> Response<Body> {
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(body)).unwrap()
}

fn send_events(state: &State, events: Events) -> Response<Body> {
    let Events { pieces, pause, then } = events;
    let streaming = Arc::clone(&state.streaming);
    let pieces = futures::stream::unfold(
        (pieces.into_iter(), streaming, true),
        move |(mut left, streaming, is_first)| async move {
            if !is_first {
                tokio::time::sleep(pause).await;
            }
            let next = match (left.next(), then) {
                (Some(piece), _) => Ok(piece),
                (None, Then::End) => return None,
                (None, Then::Break) => Err(std::io::Error::other("broken off on purpose")),
                (None, Then::Hang) => std::future::pending().await,
            };
            Some((next, (left, streaming, false)))
        },
    );
    let response = Response::builder().header("content-type", "text/event-stream");
    response.body(Body::from_stream(pieces)).unwrap()
}

/// A completion as OpenAI streams it: word by word, then why it stops, then what it costs.
fn in_pieces(completion: &Value) -> Events {
    let words = completion["choices"][0]["message"]["content"].as_str().unwrap();
    let mut events: Vec<Value> = words.split_inclusive(' ').map(piece).collect();
    events.push(last_piece());
    let mut costs = last_piece();
    costs["choices"] = json!([]);
    costs["usage"] = completion["usage"].clone();
    events.push(costs);
    let mut sent = Events::data(events);
    sent.pieces.push("data: [DONE]\n\n".into());
    sent
}

/// Promises more than it sends: the broken body makes the server close the connection.
fn cut() -> Response<Body> {
    let parts = [Ok("{\"id\": \"chatcmpl-"), Err(std::io::Error::other("cut on purpose"))];
    Response::builder().body(Body::from_stream(futures::stream::iter(parts))).unwrap()
}

/// A completion as OpenAI sends it; a word of the prompt or of the answer counts as one token.
fn completion(call: &Call, words: &str) -> Value {
    let messages = call.request["messages"].as_array().cloned().unwrap_or_default();
    let text = messages.iter().filter_map(|message| message["content"].as_str());
    let input: usize = text.map(|text| text.split_whitespace().count()).sum();
    let output = words.split_whitespace().count();
    json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": call.request["model"],
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": words, "refusal": null },
            "finish_reason": "stop",
        }],
        "usage": {
            "prompt_tokens": input,
            "completion_tokens": output,
            "total_tokens": input + output,
            "prompt_tokens_details": { "cached_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0 },
        },
    })
}
