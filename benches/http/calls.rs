//! The calls that only read, taken from the table of routes.

use std::net::SocketAddr;
use std::time::Duration;

use postkey::http::{Access, routes};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::loopback::Failure;
use super::rows::{EMAIL, PASSWORD};

/// Not measured: it writes everything that its caller has.
const EXPORT: &str = "/api/account/export";
const PATIENCE: Duration = Duration::from_secs(30);

/// The owner, signed in.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    base: String,
    token: String,
}

impl Caller {
    pub async fn sign_in(address: SocketAddr) -> Result<Self, Failure> {
        let mut caller = Self { client: client()?, base: format!("http://{address}"), token: String::new() };
        let signed_in = tokio::time::timeout(PATIENCE, caller.until_signed_in()).await;
        caller.token = signed_in.map_err(|_| "the service does not answer")??;
        Ok(caller)
    }

    async fn until_signed_in(&self) -> Result<String, Failure> {
        loop {
            if let Ok(response) = self.sign_in_with(PASSWORD).send().await {
                let body: Value = response.error_for_status()?.json().await?;
                return Ok(body.get("token").and_then(Value::as_str).ok_or("no token")?.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A call that costs the hash of a password.
    pub fn sign_in_with(&self, password: &str) -> RequestBuilder {
        let body = json!({ "email": EMAIL, "password": password });
        self.client.post(format!("{}/api/auth/login", self.base)).json(&body)
    }

    /// Somebody else with the same connections.
    pub fn with(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// What a call answers that makes something.
    pub async fn make(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        Ok(self.post(path).json(body).send().await?.error_for_status()?.json().await?)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::POST, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::GET, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }
}

#[expect(clippy::disallowed_methods, reason = "the client of a benchmark is no part of the product")]
fn client() -> Result<Client, Failure> {
    postkey::net::install_crypto();
    Ok(Client::builder().no_proxy().timeout(PATIENCE).build()?)
}

/// Every such call that the owner may make; one that names a thing names the first of its list.
pub async fn reads(caller: &Caller) -> Result<Vec<String>, Failure> {
    let mut reads = Vec::new();
    for (method, path, access) in routes::list() {
        if method != "GET" || matches!(access, Access::Public | Access::Administrator) || path == EXPORT {
            continue;
        }
        match path.split_once("/{id}") {
            None => reads.push(path),
            Some((things, rest)) => {
                let id = first_of(caller, things).await?;
                reads.extend(id.map(|id| format!("{things}/{id}{rest}")));
            }
        }
    }
    Ok(reads)
}

async fn first_of(caller: &Caller, things: &str) -> Result<Option<String>, Failure> {
    let listed: Value = caller.get(things).send().await?.error_for_status()?.json().await?;
    Ok(listed.pointer("/items/0/id").and_then(Value::as_str).map(str::to_owned))
}
