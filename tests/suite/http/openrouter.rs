//! Connecting OpenRouter against a scripted one: a click there, and a key that nobody has seen is here.

mod browser;
mod consents;
mod failures;
mod limits;
mod readme;
mod story;

use std::collections::BTreeMap;

use postkey::config::Config;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::support::api::{Answered, Service, Visitor, send};
use crate::support::database::TestDatabase;
use crate::support::openrouter::OpenRouter;
use crate::support::raw::texts;

const PUBLIC_URL: &str = "https://postkey.example.org";
const CALLBACK: &str = "/oauth/openrouter/callback";
const COOKIE: &str = "__Host-postkey-openrouter";

/// A service with a public URL, and the OpenRouter that it knows.
struct Scene {
    service: Service,
    openrouter: OpenRouter,
    ann: Visitor,
}

/// A consent that was asked for in a browser.
#[derive(Clone)]
struct Asked {
    url: String,
    state: String,
    cookie: String,
}

impl Scene {
    async fn open(database: &TestDatabase) -> Self {
        Self::open_with(database, |_| {}).await
    }

    async fn open_with(database: &TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        let openrouter = OpenRouter::start().await;
        let service = Service::start_with(database, |config| {
            openrouter.stand_in(config);
            config.http.public_url = Some(PUBLIC_URL.into());
            config.provider.app_url = Some(PUBLIC_URL.into());
            change(config);
        })
        .await;
        let ann = service.sign_up("ann").await;
        Self { service, openrouter, ann }
    }

    /// Asks in a browser, and consents there.
    async fn consent(&self, visitor: &Visitor) -> (Asked, String) {
        let asked = ask(visitor, json!({})).await;
        let code = self.openrouter.consent(&asked.url);
        (asked, code)
    }

    /// What the browser gets that OpenRouter sends back.
    async fn come_back(&self, code: &str, asked: &Asked) -> Answered {
        self.open_callback(&format!("code={code}&state={}", asked.state), Some(&asked.cookie)).await
    }

    async fn open_callback(&self, query: &str, cookie: Option<&str>) -> Answered {
        let mut request = self.service.stranger().request(Method::GET, &format!("{CALLBACK}?{query}"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", format!("theme=dark; {COOKIE}={cookie}"));
        }
        send(request).await
    }

    /// Connects without a browser.
    async fn connect_headless(&self, visitor: &Visitor) -> Answered {
        let asked = visitor.post("/api/openrouter/connect", json!({ "headless": true })).await.expect(200);
        let code = self.openrouter.consent(asked["authorize_url"].as_str().unwrap());
        visitor.post("/api/openrouter/exchange", json!({ "code": code })).await
    }

    /// Nothing has come of it: no configuration, and no key at any call.
    async fn check_nothing_is_connected(&self, visitor: &Visitor) {
        assert_eq!(configurations(visitor).await, Vec::<Value>::new());
    }
}

/// Asks for a consent whose browser comes back.
async fn ask(visitor: &Visitor, body: Value) -> Asked {
    let answer = visitor.post("/api/openrouter/connect", body).await;
    let set = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    let url = answer.expect(200)["authorize_url"].as_str().unwrap().to_owned();
    let cookie = set.split(['=', ';']).nth(1).unwrap().to_owned();
    Asked { state: query(&url)["state"].clone(), cookie, url }
}

fn query(url: &str) -> BTreeMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

async fn configurations(visitor: &Visitor) -> Vec<Value> {
    visitor.get("/api/ai-config").await.expect(200)["items"].as_array().unwrap().clone()
}

/// A page for people that says nothing about what was sent.
#[track_caller]
fn check_page(answer: &Answered, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    assert!(answer.text.contains("<h1>OpenRouter is not connected</h1>"), "{answer:?}");
}

async fn rows(database: &TestDatabase, table: &str) -> usize {
    texts(database, &format!("SELECT 'x' FROM {table}")).await.len()
}

/// What the audit log says of a user's latest doings, newest first.
async fn audit(visitor: &Visitor, most: usize) -> Vec<(String, String)> {
    let listed = visitor.get(&format!("/api/audit?limit={most}")).await.expect(200);
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let entries = listed["items"].as_array().unwrap().iter();
    entries.map(|entry| (word(entry, "action"), word(entry, "outcome"))).collect()
}
