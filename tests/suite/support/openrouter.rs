//! A scripted OpenRouter on loopback: people consent, codes become keys, keys have limits and are billed.
//!
//! ```ignore
//! let openrouter = OpenRouter::start().await;
//! let code = openrouter.consent(&authorize_url);
//! assert_eq!(openrouter.granted().len(), 1);
//! ```

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postkey::config::Config;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// What one answer costs, in US dollars.
pub const PRICE: f64 = 0.25;

/// What OpenRouter says of a key.
#[derive(Clone, Debug)]
pub struct Account {
    /// What the key may spend; no limit without.
    pub limit: Option<f64>,
    /// What is left of it.
    pub remaining: Option<f64>,
    /// When the key ends.
    pub expires_at: Option<String>,
    /// Whether it manages other keys.
    pub is_management_key: bool,
}

/// A call that reached the server.
#[derive(Clone, Debug)]
pub struct Call {
    /// The path.
    pub path: &'static str,
    /// The headers.
    pub headers: HeaderMap,
}

/// The running server; it ends when it is dropped.
pub struct OpenRouter {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

struct State {
    /// Challenges by the code that was given for them.
    codes: BTreeMap<String, String>,
    /// What the next key gets.
    next: Account,
    accounts: BTreeMap<String, Account>,
    granted: Vec<String>,
    calls: Vec<Call>,
    /// Whether people want no part of it.
    refuses: bool,
    /// What an exchange is answered with instead.
    fault: Option<u16>,
}

impl OpenRouter {
    /// Starts one whose keys have a limit of 5 dollars.
    pub async fn start() -> Self {
        let next =
            Account { limit: Some(5.0), remaining: Some(5.0), expires_at: None, is_management_key: false };
        let state = Arc::new(Mutex::new(State {
            codes: BTreeMap::new(),
            next,
            accounts: BTreeMap::new(),
            granted: Vec::new(),
            calls: Vec::new(),
            refuses: false,
            fault: None,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/auth", get(show))
            .route("/api/v1/auth/keys", post(exchange))
            .route("/api/v1/key", get(look_up))
            .route("/api/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&state));
        let serving = axum::serve(listener, routes).into_future();
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Self { address, state, serving }
    }

    /// Lets it stand in for the real one.
    pub fn stand_in(&self, config: &mut Config) {
        config.openrouter.base_url = self.base_url();
        config.openrouter.authorize_url = format!("http://{}/auth", self.address);
        config.network.private_endpoints.push(self.address.to_string());
    }

    /// Where its interface is.
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// A person consents on the page of this URL; answers the code.
    pub fn consent(&self, authorize_url: &str) -> String {
        let url = Url::parse(authorize_url).unwrap();
        assert_eq!((url.path(), url.port()), ("/auth", Some(self.address.port())), "{url}");
        self.lock().consent(&url.query_pairs().into_owned().collect())
    }

    /// From now on people who see the page in a browser want no part of it.
    pub fn refuse_consents(&self) {
        self.lock().refuses = true;
    }

    /// What the keys get that are given from now on.
    pub fn next(&self, change: impl FnOnce(&mut Account)) {
        change(&mut self.lock().next);
    }

    /// Changes what a key has.
    pub fn change(&self, key: &str, change: impl FnOnce(&mut Account)) {
        change(self.lock().accounts.get_mut(key).unwrap());
    }

    /// Its owner ends a key: it is refused from now on.
    pub fn end(&self, key: &str) {
        self.lock().accounts.remove(key).unwrap();
    }

    /// Answers exchanges with this status, or as they should be.
    pub fn fail_exchanges(&self, status: Option<u16>) {
        self.lock().fault = status;
    }

    /// The keys that were given so far.
    pub fn granted(&self) -> Vec<String> {
        self.lock().granted.clone()
    }

    /// What a key has.
    pub fn account(&self, key: &str) -> Account {
        self.lock().accounts[key].clone()
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// The calls of this path.
    pub fn calls_of(&self, path: &str) -> usize {
        self.calls().iter().filter(|call| call.path == path).count()
    }

    /// How often this key was asked about.
    pub fn looks_at(&self, key: &str) -> usize {
        self.calls().iter().filter(|call| call.path == "/key" && bearer(&call.headers) == key).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// A code for whoever asked like this.
    fn consent(&mut self, query: &BTreeMap<String, String>) -> String {
        assert_eq!(query["code_challenge_method"], "S256");
        let code = format!("code-{}", uuid::Uuid::from_bytes(rand::random()).simple());
        self.codes.insert(code.clone(), query["code_challenge"].clone());
        code
    }
}

impl Drop for OpenRouter {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Server = Shared<Arc<Mutex<State>>>;

/// The page on which people consent, with the button pressed already.
async fn show(Shared(state): Server, uri: Uri) -> Html<String> {
    let mut state = state.lock().unwrap();
    let query: BTreeMap<String, String> = serde_urlencoded::from_str(uri.query().unwrap()).unwrap();
    let mut back = Url::parse(&query["callback_url"]).unwrap();
    if state.refuses {
        back.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        back.query_pairs_mut().append_pair("code", &state.consent(&query));
    }
    back.query_pairs_mut().append_pair("state", &query["state"]);
    let back = back.as_str().replace('&', "&amp;");
    Html(format!(
        "<!doctype html><title>OpenRouter</title><a href=\"{back}\">Go on</a>\
         <script>document.querySelector('a').click()</script>"
    ))
}

async fn exchange(Shared(state): Server, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    let mut state = state.lock().unwrap();
    state.calls.push(Call { path: "/auth/keys", headers });
    if let Some(status) = state.fault {
        return refusal(status);
    }
    if asked["code_challenge_method"] != "S256" {
        return refusal(400);
    }
    let code = asked["code"].as_str().unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(asked["code_verifier"].as_str().unwrap()));
    if state.codes.get(code) != Some(&challenge) {
        return refusal(403);
    }
    state.codes.remove(code);
    let random: [u8; 32] = rand::random();
    let key = format!("sk-or-v1-{}", random.map(|byte| format!("{byte:02x}")).concat());
    let account = state.next.clone();
    state.accounts.insert(key.clone(), account);
    state.granted.push(key.clone());
    Json(json!({ "key": key, "user_id": "user_of_the_test" })).into_response()
}

async fn look_up(Shared(state): Server, headers: HeaderMap) -> Response {
    let mut state = state.lock().unwrap();
    let key = bearer(&headers);
    state.calls.push(Call { path: "/key", headers });
    let Some(account) = state.accounts.get(&key) else { return refusal(401) };
    let label = format!("{}...{}", &key[..12], &key[key.len() - 3..]);
    let data = json!({
        "label": label, "limit": account.limit, "limit_remaining": account.remaining,
        "expires_at": account.expires_at, "is_management_key": account.is_management_key, "usage": 0,
    });
    Json(json!({ "data": data })).into_response()
}

async fn complete(Shared(state): Server, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    let mut state = state.lock().unwrap();
    let key = bearer(&headers);
    state.calls.push(Call { path: "/chat/completions", headers });
    let Some(account) = state.accounts.get_mut(&key) else { return refusal(401) };
    account.remaining = account.remaining.map(|remaining| remaining - PRICE);
    Json(json!({
        "id": "gen-scripted", "object": "chat.completion", "created": 1_700_000_000, "model": asked["model"],
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": "Yes, until five." },
        }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, "cost": PRICE },
    }))
    .into_response()
}

fn bearer(headers: &HeaderMap) -> String {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    bearer.unwrap_or_default().to_owned()
}

fn refusal(status: u16) -> Response {
    let body = json!({ "error": { "code": status, "message": "as the script says" } });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
