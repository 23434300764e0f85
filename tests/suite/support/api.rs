//! The whole service on a free port, and a client of its API.
//!
//! ```ignore
//! let service = Service::start(&database).await;
//! let ann = service.sign_up("ann").await;
//! ann.get("/api/ai-config").await.expect(200);
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use postkey::app::App;
use postkey::clock::Clock;
use postkey::config::{Config, MailSecurity, OperatorMail, SignUp};
use postkey::store::Store;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::database::TestDatabase;
use super::imap_server::ImapServer;
use super::loopback::Encryption;
use super::provider_server::ProviderServer;
use super::smtp_server::SmtpServer;
use super::wait::some;
use super::world::{Servers, letter, quick_config};

/// The password of every account that a test does not care about.
pub const PASSWORD: &str = "correct horse battery";

/// A running service; it is stopped in order by [`Service::end`], or dies with the test.
pub struct Service {
    /// The provider that keys are checked and used at.
    pub provider: ProviderServer,
    /// Where mail comes in.
    pub imap: ImapServer,
    /// Where mail goes out.
    pub smtp: SmtpServer,
    /// The database, as an operator sees it.
    pub store: Store,
    address: SocketAddr,
    client: Client,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Service {
    /// With sign-up open and limits out of the way.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, |_| {}).await
    }

    /// With another configuration.
    pub async fn start_with(database: &TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        let provider = ProviderServer::start().await;
        let (imap, smtp) =
            (ImapServer::start(Encryption::None).await, SmtpServer::start(Encryption::None).await);
        let servers = Servers {
            imap: imap.address(),
            imap_ca: None,
            smtp: smtp.address(),
            provider: provider.base_url(),
            password: PASSWORD.into(),
        };
        let mut config = quick_config(database, &servers);
        config.http.sign_up = SignUp::Open;
        config.http.calls_per_minute = 0;
        config.http.sign_ins_per_account = 1000;
        config.http.sign_ins_per_address = 1000;
        config.http.sign_ups_per_address = 1000;
        config.http.key_checks_per_user = 1000;
        config.http.new_keys_per_user = 1000;
        config.http.security_tokens_per_user = 1000;
        change(&mut config);
        let mut app = App::open(config, Clock::system()).await.unwrap();
        let store = app.store().clone();
        let address = app.listen().await.unwrap().unwrap();
        let stop = CancellationToken::new();
        let token = stop.clone();
        let ended = tokio::spawn(async move { app.serve(token).await.unwrap() });
        Self { provider, imap, smtp, store, address, client: client(), stop, ended }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> Visitor {
        self.visitor("")
    }

    /// Somebody with this token.
    pub fn visitor(&self, token: &str) -> Visitor {
        Visitor { base: base(self.address), client: self.client.clone(), token: token.into() }
    }

    /// What adds a mailbox on the scripted servers; both know its account, with [`PASSWORD`].
    pub fn mailbox(&self, address: &str) -> Value {
        self.imap.add_account(address, PASSWORD);
        self.smtp.add_account(address, PASSWORD);
        let server = |at: SocketAddr| json!({ "host": at.ip().to_string(), "port": at.port(), "security": "none", "password": PASSWORD });
        json!({ "address": address, "imap": server(self.imap.address()), "smtp": server(self.smtp.address()) })
    }

    /// What adds a key of the scripted provider.
    pub fn ai_configuration(&self, key: &str) -> Value {
        json!({ "provider": "custom", "apiKey": key, "modelName": "test-model", "baseUrl": self.provider.base_url() })
    }

    /// Makes an account and gives back who calls with its token.
    pub async fn sign_up(&self, name: &str) -> Visitor {
        let signed_up = self.stranger().post("/api/auth/signup", account(name)).await.expect(201);
        self.visitor(signed_up["token"].as_str().unwrap())
    }

    /// Makes an account `<name>@owner.test` with a mailbox `<name>@shop.test`, a key and an agent of these settings.
    pub async fn hire(&self, name: &str, settings: Value) -> Visitor {
        let owner = self.sign_up(name).await;
        owner.post("/api/mailboxes", self.mailbox(&format!("{name}@shop.test"))).await.expect(201);
        owner.post("/api/ai-config", self.ai_configuration(&format!("key-of-{name}"))).await.expect(201);
        let mut agent = json!({ "name": "Support", "type": "email_inbound" });
        agent.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        owner.post("/api/automation/agents", agent).await.expect(201);
        owner
    }

    /// Puts the letter of this number into the mailbox of who was hired by this name.
    pub fn deliver(&self, name: &str, number: usize) {
        let address = format!("{name}@shop.test");
        self.imap.deliver(&address, &letter(number, &address));
    }

    /// Stops it in order; its provider is there until then.
    pub async fn end(self) {
        self.stop.cancel();
        self.ended.await.unwrap();
    }
}

/// The address that the service's own letters come from.
pub const OPERATOR: &str = "postkey@operator.test";

/// Lets the service write to its users through this server.
pub fn post_by(config: &mut Config, smtp: &SmtpServer) {
    let secret = "the operator's password";
    smtp.add_account(OPERATOR, secret);
    config.network.private_endpoints.push(smtp.address().to_string());
    config.http.public_url = Some("https://postkey.example.org".into());
    config.operator_mail = Some(OperatorMail {
        host: smtp.address().ip().to_string(),
        port: smtp.address().port().into(),
        security: MailSecurity::None,
        username: Some(OPERATOR.into()),
        password: Some(secret.into()),
        from: OPERATOR.into(),
        notice_delay: Duration::from_secs(1),
    });
}

/// What signs `<name>@owner.test` up.
pub fn account(name: &str) -> Value {
    json!({ "email": format!("{name}@owner.test"), "password": PASSWORD, "name": name })
}

#[expect(clippy::disallowed_methods, reason = "the client of a test is no part of the product")]
fn client() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

fn base(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Somebody who calls.
#[derive(Clone)]
pub struct Visitor {
    base: String,
    client: Client,
    /// What is sent as `Authorization: Bearer`; nothing where it is empty.
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Visitor {
    /// Somebody with this token, or without any, at a service that was started otherwise.
    pub fn at(address: SocketAddr, token: &str) -> Self {
        Self { base: base(address), client: client(), token: token.into() }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answered {
        self.call(Method::GET, path, None).await
    }

    /// `POST` with a body.
    pub async fn post(&self, path: &str, body: Value) -> Answered {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PUT` with a body.
    pub async fn put(&self, path: &str, body: Value) -> Answered {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answered {
        self.call(Method::DELETE, path, None).await
    }

    /// Any call.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answered {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    /// A call to be made by hand, with the token.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        if self.token.is_empty() {
            request
        } else {
            request.header(AUTHORIZATION, format!("Bearer {}", self.token))
        }
    }
}

impl Visitor {
    /// Waits until the newest runs stand in this state, so many of them, and gives them back.
    pub async fn until_runs(&self, state: &str, number: usize) -> Vec<Value> {
        let path = format!("/api/runs?state={state}");
        let what = format!("{number} runs are {state}");
        some(&what, Duration::from_secs(60), async || {
            let found = self.get(&path).await.expect(200)["items"].as_array().unwrap().clone();
            (found.len() == number).then_some(found)
        })
        .await
    }

    /// `POST` without a body.
    pub async fn act(&self, path: &str) -> Answered {
        self.call(Method::POST, path, None).await
    }
}

/// Sends a call that was made by hand.
pub async fn send(request: reqwest::RequestBuilder) -> Answered {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answered { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default(), text }
}

impl Answered {
    /// The body, once it is clear that the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }

    /// The case of a refusal with this status, once it is clear that it has the one shape.
    #[track_caller]
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let error = &self.body["error"];
        let is_shaped =
            error["code"].is_string() && error["message"].is_string() && error.get("details").is_some();
        assert!(is_shaped && self.body.as_object().unwrap().len() == 1, "{self:?}");
        error["code"].as_str().unwrap().to_owned()
    }
}
