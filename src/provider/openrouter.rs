//! OpenRouter's way to a key without showing one: OAuth with PKCE (RFC 7636), S256 only.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::error::{ErrorClass, ProviderError};
use super::exchange::Exchange;
use super::kind::Provider;
use crate::config;
use crate::net::{HttpClients, NetError, Refusal};

/// Whoever consented waits for this in front of a blank page.
const LONGEST: Duration = Duration::from_secs(10);

/// Largest answer that is read, in bytes; a key has less than a hundred.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How OpenRouter shows its users where their money went: `X-Title` is the older name, and `HTTP-Referer` is really
/// called so.
pub(super) fn app(app: &config::Provider) -> HeaderMap {
    let names = ["x-openrouter-title", "x-title", "http-referer"];
    let values = [Some(&app.app_title), Some(&app.app_title), app.app_url.as_ref()];
    let said = names.into_iter().zip(values).filter_map(|(name, value)| {
        let value = HeaderValue::from_str(value?).ok()?;
        Some((HeaderName::from_static(name), value))
    });
    said.collect()
}

/// What the consent page is shown in place of the verifier (RFC 7636 section 4.2, S256).
pub fn code_challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret().as_bytes()))
}

/// A code that a consent gave, with the verifier that shows that the consent was ours. No `Debug`, no `Clone`.
pub struct CodeExchange<'a> {
    /// Base URL of OpenRouter's interface.
    pub base_url: &'a str,
    /// The code; good once.
    pub code: &'a SecretString,
    /// What its challenge was made of.
    pub verifier: &'a SecretString,
}

/// Exchanges a code for a key.
///
/// # Errors
/// [`ProviderError`]; the status is 400 or 403 where the code or the verifier is not good. Nothing is repeated: a code
/// is used up by its first exchange, whatever came of it.
pub async fn exchange_code(
    clients: &HttpClients,
    config: &config::Provider,
    exchange: CodeExchange<'_>,
) -> Result<SecretString, ProviderError> {
    let answer = ask(clients, config, &exchange).await.map_err(|error| {
        let error = error.without_key(exchange.code.expose_secret());
        error.without_key(exchange.verifier.expose_secret())
    })?;
    let key = answer.get("key").and_then(Value::as_str).filter(|key| !key.is_empty());
    key.map(SecretString::from).ok_or_else(|| ProviderError::unreadable(200, "no_key"))
}

async fn ask(
    clients: &HttpClients,
    config: &config::Provider,
    exchange: &CodeExchange<'_>,
) -> Result<Value, ProviderError> {
    let refused = |_| ProviderError::unreached(NetError::Refused(Refusal::Address));
    let base = Url::parse(exchange.base_url).map_err(refused)?;
    let client = clients.for_base(&base).map_err(ProviderError::unreached)?;
    let body = json!({
        "code": exchange.code.expose_secret(),
        "code_verifier": exchange.verifier.expose_secret(),
        "code_challenge_method": "S256",
    });
    let url = format!("{}/auth/keys", exchange.base_url);
    let request =
        client.request_builder().post(url).headers(app(config)).timeout(LONGEST).json(&body).build();
    let request = request.map_err(|_| ProviderError::unsent(ErrorClass::BadRequest, "client"))?;
    let transport = Exchange {
        client,
        provider: Provider::OpenRouter,
        longest: LONGEST_ANSWER,
        request_id: Arc::new(OnceLock::new()),
    };
    let response = transport.run(request).await.map_err(|failure| failure.error)?;
    response.json().await.map_err(|_| ProviderError::unreadable(200, "no_json"))
}
