//! A scripted token server on loopback.

use std::collections::{HashMap, VecDeque};
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the server says to a request.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    body: String,
    wait: Duration,
}

impl Answer {
    /// A token that is valid for an hour.
    pub fn token(access_token: &str) -> Self {
        Self::json(200, &token(access_token))
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self { status, body: body.to_owned(), wait: Duration::ZERO }
    }

    pub fn late(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }
}

/// What a server sends with a token.
pub fn token(access_token: &str) -> Value {
    json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 3600 })
}

/// The running server; it ends when it is dropped.
pub struct TokenServer {
    pub address: SocketAddr,
    script: Arc<Script>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Script {
    forms: Mutex<Vec<HashMap<String, String>>>,
    answers: Mutex<VecDeque<Answer>>,
}

impl TokenServer {
    /// Gives these answers in order; any further request gets `token-<number>`, counted from 1.
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Arc::new(Script::default());
        script.answers.lock().unwrap().extend(answers);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/token", post(answer)).with_state(Arc::clone(&script));
        let serving = axum::serve(listener, routes).into_future();
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Self { address, script, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// The forms that were sent so far, in order.
    pub fn forms(&self) -> Vec<HashMap<String, String>> {
        self.script.forms.lock().unwrap().clone()
    }

    pub fn requests(&self) -> usize {
        self.forms().len()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(script): State<Arc<Script>>, body: String) -> Response<Body> {
    let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let number = {
        let mut forms = script.forms.lock().unwrap();
        forms.push(form);
        forms.len()
    };
    let scripted = script.answers.lock().unwrap().pop_front();
    let answer = scripted.unwrap_or_else(|| Answer::token(&format!("token-{number}")));
    tokio::time::sleep(answer.wait).await;
    let response = Response::builder().status(answer.status).header("location", "/token");
    response.body(Body::from(answer.body)).unwrap()
}
