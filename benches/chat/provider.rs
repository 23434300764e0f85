//! A provider that says a word every half second, and says in it what time it is.

use std::convert::Infallible;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use futures::stream::unfold;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::loopback::Failure;

/// The word by which a process knows that it is this child.
pub const CHILD: &str = "chat-provider";

const PAUSE: Duration = Duration::from_millis(500);

/// The child's end: serves until it is killed.
pub async fn serve() -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/v1", listener.local_addr()?);
    let routes = Router::new()
        .route("/v1/models", get(async || Json(json!({ "data": [] }))))
        .route("/v1/chat/completions", post(complete));
    Ok(axum::serve(listener, routes).await?)
}

/// As many words as the question asks for.
async fn complete(Json(asked): Json<Value>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let words = asked.pointer("/messages/0/content").and_then(Value::as_str);
    let words: u32 = words.and_then(|words| words.parse().ok()).unwrap_or(1);
    Sse::new(unfold(0, move |number| async move {
        if number > 0 && number < words {
            tokio::time::sleep(PAUSE).await;
        }
        let data = match number {
            _ if number < words => said(json!({ "content": format!("{} ", millis()) }), Value::Null),
            _ if number == words => said(json!({}), json!("stop")),
            _ if number == words + 1 => "[DONE]".to_owned(),
            _ => return None,
        };
        Some((Ok(Event::default().data(data)), number + 1))
    }))
}

fn said(delta: Value, finish: Value) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
    json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice] })
        .to_string()
}

/// Milliseconds since 1970, with fractions.
pub fn millis() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

/// The leading end.
pub struct Provider {
    pub base_url: String,
    _child: Child,
}

impl Provider {
    pub async fn start() -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(CHILD).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("stdout")?).lines();
        let base_url = lines.next_line().await?.ok_or("the provider does not start")?;
        Ok(Self { base_url, _child: child })
    }
}
