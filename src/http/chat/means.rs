//! With which key a chat is answered: the one that came with the call, those of its security token, or a stored one.

use axum::http::{HeaderMap, HeaderName};
use secrecy::SecretString;
use serde_json::json;

use crate::http::Api;
use crate::http::ai_configurations::provider_of_word;
use crate::http::caller::Caller;
use crate::http::credentials::{USER_API_KEY, USER_BASE_URL, USER_PROVIDER};
use crate::http::error::{ApiError, ErrorCode};
use crate::http::security_tokens::pass::{CarriedKey, Means, Pass};
use crate::provider::{Provider, check_key_form, trim_key};
use crate::run::{ChatKey, GivenKey};
use crate::store::AiConfiguration;

/// Finds the key for a question about this model.
pub(super) async fn find_key(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    model: Option<&str>,
) -> Result<ChatKey, ApiError> {
    if let Some(pass) = caller.pass() {
        return find_key_of_pass(api, caller, pass, (headers, model)).await;
    }
    if let Some(given) = given_key(api, headers)? {
        return Ok(ChatKey::Given(given));
    }
    let stored = api.store.list_ai_configurations(caller.user).await?;
    choose(stored, model).map(|stored| ChatKey::Stored(Box::new(stored))).ok_or_else(no_key)
}

/// A token stands for one AI configuration, or for the keys inside it; never for anything else of its owner's.
async fn find_key_of_pass(
    api: &Api,
    caller: &Caller,
    pass: &Pass,
    (headers, model): (&HeaderMap, Option<&str>),
) -> Result<ChatKey, ApiError> {
    let id = match &pass.means {
        Means::Configuration(id) => *id,
        Means::Keys(keys) => return find_carried(api, caller, keys, headers).await,
    };
    let stored = api.store.find_ai_configuration(caller.user, Some(id)).await?;
    let stored = stored.filter(|stored| pass.allows_model(model.unwrap_or(&stored.model)));
    stored.map(|stored| ChatKey::Stored(Box::new(stored))).ok_or_else(ApiError::invalid_security_token)
}

async fn find_carried(
    api: &Api,
    caller: &Caller,
    keys: &[CarriedKey],
    headers: &HeaderMap,
) -> Result<ChatKey, ApiError> {
    let carried = match (provider(headers)?, keys) {
        (None, [only]) => Some(only),
        (None, _) => return Err(invalid(&USER_PROVIDER, "must say which of the token's keys is meant")),
        (Some(provider), keys) => keys.iter().find(|carried| carried.provider == provider),
    };
    let carried =
        carried.ok_or_else(|| invalid(&USER_PROVIDER, "must be one that the token has a key of"))?;
    let base_url = match carried.provider.default_base_url() {
        Some(_) => None,
        None => Some(find_address(api, caller, carried).await?),
    };
    Ok(ChatKey::Given(GivenKey { provider: carried.provider, base_url, key: carried.key.clone() }))
}

/// Where the AI configuration says that the provider is, as long as that is where it was when the token was made: whoever
/// may change it has not seen the key, and must not get it by saying another server (SR-59). A token that was made before
/// tokens said so is refused, since nobody knows for which server its key was given; it would be over soon anyway.
async fn find_address(api: &Api, caller: &Caller, carried: &CarriedKey) -> Result<String, ApiError> {
    let stored = api.store.list_ai_configurations(caller.user).await?;
    let same = stored.into_iter().find(|stored| stored.provider == carried.provider.as_str());
    let base_url = same.and_then(|stored| stored.base_url).ok_or_else(no_key)?;
    let is_same = carried.base_url.as_ref() == Some(&base_url);
    if is_same { Ok(base_url) } else { Err(ApiError::invalid_security_token()) }
}

/// The configuration of this model, else the default one, which is asked for any model.
fn choose(stored: Vec<AiConfiguration>, model: Option<&str>) -> Option<AiConfiguration> {
    let rank = |stored: &AiConfiguration| (Some(stored.model.as_str()) == model, stored.is_default);
    stored.into_iter().filter(|stored| rank(stored) != (false, false)).max_by_key(rank)
}

/// A key of the caller's own, for this call alone. It is neither stored nor logged.
fn given_key(api: &Api, headers: &HeaderMap) -> Result<Option<GivenKey>, ApiError> {
    let Some(key) = only(headers, &USER_API_KEY)? else { return Ok(None) };
    let key = trim_key(&SecretString::from(key));
    let base_url = only(headers, &USER_BASE_URL)?.map(|url| api.guard.parse_base_url(url)).transpose();
    let base_url = base_url.map_err(|problem| invalid(&USER_BASE_URL, &problem))?;
    let provider = match provider(headers)? {
        Some(provider) => provider,
        None if base_url.is_some() => Provider::OpenAiCompatible,
        None => Provider::OpenAi,
    };
    if base_url.is_some() != (provider == Provider::OpenAiCompatible) {
        return Err(invalid(&USER_BASE_URL, "goes with the provider `custom`, and with no other"));
    }
    check_key_form(provider, &key).map_err(|error| {
        ApiError::new(ErrorCode::KeyRefused, error.to_string())
            .with(json!({ "header": USER_API_KEY.as_str() }))
    })?;
    Ok(Some(GivenKey { provider, base_url, key }))
}

fn provider(headers: &HeaderMap) -> Result<Option<Provider>, ApiError> {
    let Some(word) = only(headers, &USER_PROVIDER)? else { return Ok(None) };
    let provider = provider_of_word(word);
    let unknown = || invalid(&USER_PROVIDER, "must be `openai`, `openrouter`, `gemini` or `custom`");
    provider.map(Some).ok_or_else(unknown)
}

/// What a header says; an empty one says nothing.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ApiError> {
    let mut said = headers.get_all(name).iter();
    match (said.next().map(|value| value.to_str()), said.next()) {
        (None, _) | (Some(Ok("")), None) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text)),
        _ => Err(invalid(name, "must be one text of visible ASCII characters")),
    }
}

fn invalid(header: &HeaderName, problem: &str) -> ApiError {
    let message = format!("the header `{header}` {problem}");
    ApiError::new(ErrorCode::InvalidHeader, message).with(json!({ "header": header.as_str() }))
}

pub(super) fn no_key() -> ApiError {
    let message = "there is no key to ask a model with; add an AI configuration, or send `X-User-Api-Key`";
    ApiError::new(ErrorCode::NoKey, message)
}
