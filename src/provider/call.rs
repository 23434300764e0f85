//! One question to a model.

use std::sync::{Arc, OnceLock};

use async_openai::Client;
use async_openai::config::Config;
use futures::TryFutureExt;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::answer::{self, Completion};
use super::conversation::Conversation;
use super::error::{ErrorClass, ProviderError};
use super::exchange::{Exchange, Failure};
use super::kind::Provider;
use super::openrouter;
use super::request::{self, Form};
use crate::config;
use crate::net::{HttpClient, HttpClients, NetError, Refusal};

/// Everything that one question needs. It holds the key, so it has no `Debug` and no `Clone`.
pub struct Call<'a> {
    /// Whose interface.
    pub provider: Provider,
    /// Where, if not the provider's own address; required for [`Provider::OpenAiCompatible`].
    pub base_url: Option<&'a str>,
    /// The key; empty for a server that wants none.
    pub key: SecretString,
    /// The model's name at the provider.
    pub model: &'a str,
    /// How freely it chooses words; the provider's default if unset. Dropped for models that refuse it.
    pub temperature: Option<f64>,
    /// Longest answer, in tokens, reasoning included.
    pub max_output_tokens: u32,
    /// What the model is shown.
    pub conversation: &'a Conversation,
}

/// Asks the model and waits for the whole answer, at most `limits.call_timeout` per exchange.
///
/// There is one exchange, and another one for each parameter that the model refuses (at most two).
///
/// # Errors
/// [`ProviderError`]; nothing is repeated in here.
pub async fn complete(
    clients: &HttpClients,
    limits: &config::Provider,
    call: Call<'_>,
) -> Result<Completion, ProviderError> {
    let address = Address::of(limits, call.provider, call.base_url, &call.key)?;
    let client = clients.for_base(&address.url).map_err(ProviderError::unreached)?;
    let request_id = Arc::new(OnceLock::new());
    let exchange = Exchange {
        client: client.clone(),
        provider: call.provider,
        longest: limits.max_response_bytes,
        request_id: Arc::clone(&request_id),
    };
    let openai = openai_client(&client, address, exchange);
    let chat = openai.chat();
    let put = |form| chat.create_byot(request::body(&call, form)).map_err(Failure::from);
    let answer = ask_in_forms(Form::of(call.provider), put).await;
    let answer = answer.map_err(|error| error.without_key(call.key.expose_secret()))?;
    let completion = answer::read(call.provider, call.model, &answer);
    let request_id = request_id.get().cloned();
    match completion.and_then(|completion| completion.without_key(call.key.expose_secret())) {
        Ok(completion) => Ok(Completion { request_id: request_id.or(completion.request_id), ..completion }),
        Err(error) => Err(ProviderError { request_id: request_id.or(error.request_id), ..error }),
    }
    .map_err(|error| error.without_key(call.key.expose_secret()))
}

/// Puts a question in one form after the other, for each parameter that the model refuses.
pub(super) async fn ask_in_forms<T, F>(mut form: Form, put: impl Fn(Form) -> F) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, Failure>>,
{
    loop {
        let failure = match put(form).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        match failure.unsupported.as_deref().and_then(|parameter| form.without(parameter)) {
            Some(next) => form = next,
            None => return Err(failure.error),
        }
    }
}

fn openai_client(client: &HttpClient, address: Address, exchange: Exchange) -> Client<Address> {
    Client::build(client.request_builder(), address).with_http_service(exchange)
}

/// Where and as whom async-openai asks. Its own configuration type is not used: it reads keys, addresses and
/// organisations from the process's environment, and its header shows the key in `Debug`.
pub(super) struct Address {
    pub(super) url: Url,
    base: String,
    headers: HeaderMap,
    key: SecretString,
}

impl Address {
    pub(super) fn of(
        app: &config::Provider,
        provider: Provider,
        base_url: Option<&str>,
        key: &SecretString,
    ) -> Result<Self, ProviderError> {
        let refused = || ProviderError::unreached(NetError::Refused(Refusal::Address));
        let base = base_url.or(provider.default_base_url()).ok_or_else(refused)?;
        let url = Url::parse(base).map_err(|_| refused())?;
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            url,
            headers: headers(app, provider, key)?,
            key: key.clone(),
        })
    }
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

fn headers(
    app: &config::Provider,
    provider: Provider,
    key: &SecretString,
) -> Result<HeaderMap, ProviderError> {
    let mut headers = if provider == Provider::OpenRouter { openrouter::app(app) } else { HeaderMap::new() };
    let key = key.expose_secret();
    if !key.is_empty() {
        let bearer = Zeroizing::new(format!("Bearer {key}"));
        let mut value = HeaderValue::from_str(&bearer)
            .map_err(|_| ProviderError::unsent(ErrorClass::AuthInvalid, "key_form"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}
