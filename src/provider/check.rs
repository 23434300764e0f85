//! Whether a key is good, by a call that costs nothing (SR-4).

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_openai::config::Config as _;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::call::Address;
use super::error::{ErrorClass, ProviderError};
use super::exchange::Exchange;
use super::key_limits::KeyLimits;
use super::kind::Provider;
use crate::config;
use crate::net::HttpClients;

/// Whoever saves a key waits for this.
const LONGEST: Duration = Duration::from_secs(5);

/// Largest answer that is read, in bytes; some providers list hundreds of models.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// What a provider says of a key that it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyVerdict {
    /// It may ask models, within these limits; none where the provider tells of none.
    Good(Option<KeyLimits>),
    /// It manages other keys: more power than the work needs (SR-6).
    Administration,
}

/// Asks the provider about a key. Says nothing about a model, and about money only where the provider is OpenRouter.
///
/// # Errors
/// [`ErrorClass::AuthInvalid`] for a key that the provider refuses; every other class leaves open whether it is good.
pub async fn check_key(
    clients: &HttpClients,
    app: &config::Provider,
    provider: Provider,
    base_url: Option<&str>,
    key: &SecretString,
) -> Result<KeyVerdict, ProviderError> {
    let address = Address::of(app, provider, base_url, key)?;
    let answer = ask(clients, provider, address).await;
    let answer = answer.map_err(|error| error.without_key(key.expose_secret()))?;
    let is_set = |name: &str| answer.pointer(name).and_then(Value::as_bool) == Some(true);
    if is_set("/data/is_management_key") || is_set("/data/is_provisioning_key") {
        return Ok(KeyVerdict::Administration);
    }
    let is_told = provider == Provider::OpenRouter;
    let data = answer.get("data").filter(|data| is_told && data.is_object());
    Ok(KeyVerdict::Good(data.map(KeyLimits::read)))
}

async fn ask(clients: &HttpClients, provider: Provider, address: Address) -> Result<Value, ProviderError> {
    let client = clients.for_base(&address.url).map_err(ProviderError::unreached)?;
    let path = match provider {
        // Its list of models is public.
        Provider::OpenRouter => "/key",
        Provider::OpenAi | Provider::Gemini | Provider::OpenAiCompatible => "/models",
    };
    let request = client.request_builder().get(address.url(path)).headers(address.headers()).timeout(LONGEST);
    let request = request.build().map_err(|_| ProviderError::unsent(ErrorClass::BadRequest, "client"))?;
    let exchange =
        Exchange { client, provider, longest: LONGEST_ANSWER, request_id: Arc::new(OnceLock::new()) };
    let response = exchange.run(request).await.map_err(|failure| failure.error)?;
    response.json().await.map_err(|_| ProviderError::unreadable(200, "no_json"))
}
