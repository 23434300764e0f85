//! Provider keys that a token is to carry: looked at, and sent nowhere.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use crate::http::Api;
use crate::http::ai_configurations::parse_provider;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::texts::Secret;
use crate::provider::{Provider, check_key_form, trim_key};

use super::contents::Contents;
use super::pass::CarriedKey;

/// Keys in one token (SR-48).
const MOST_KEYS: usize = 4;

/// Keys and base URLs by the names under which providers are stored.
#[derive(Default)]
pub(super) struct Given {
    pub(super) keys: BTreeMap<String, Zeroizing<String>>,
    pub(super) base_urls: BTreeMap<String, String>,
}

/// The keys, and where those belong whose provider has no address of its own.
pub(super) async fn check_keys(
    api: &Api,
    caller: &Caller,
    given: &BTreeMap<String, Secret>,
) -> Result<Given, ApiError> {
    if given.is_empty() || given.len() > MOST_KEYS {
        return Err(ApiError::field("apiKeys", &format!("must have 1 to {MOST_KEYS} keys")));
    }
    let mut checked = Given::default();
    for (word, key) in given {
        let provider = parse_provider(word)?;
        let name = provider.as_str().to_owned();
        if provider.default_base_url().is_none() {
            checked.base_urls.insert(name.clone(), find_address(api, caller, provider).await?);
        }
        let key = look_at(provider, &key.0)?;
        checked.keys.insert(name, Zeroizing::new(key.expose_secret().to_owned()));
    }
    Ok(checked)
}

/// As they were when the token was made; a provider that is not known any more is left out.
pub(super) fn carried(contents: &Contents) -> Vec<CarriedKey> {
    let known = contents.keys.iter().filter_map(|(name, key)| {
        let base_url = contents.url.get(name).cloned();
        let key = SecretString::from(key.as_str());
        Some(CarriedKey { provider: name.parse::<Provider>().ok()?, base_url, key })
    });
    known.collect()
}

/// Whoever makes a token names no server, so that nobody sends a key elsewhere with it: a provider without an address of
/// its own is where the user's AI configuration says.
async fn find_address(api: &Api, caller: &Caller, provider: Provider) -> Result<String, ApiError> {
    let known = api.store.list_ai_configurations(caller.user).await?;
    let same = known.into_iter().find(|known| known.provider == provider.as_str());
    let problem = "has a provider whose `baseUrl` none of your AI configurations says";
    same.and_then(|known| known.base_url).ok_or_else(|| ApiError::field("apiKeys", problem))
}

fn look_at(provider: Provider, key: &SecretString) -> Result<SecretString, ApiError> {
    let key = trim_key(key);
    match check_key_form(provider, &key) {
        Ok(()) => Ok(key),
        Err(error) => {
            let details = json!({ "field": "apiKeys" });
            Err(ApiError::new(ErrorCode::KeyRefused, error.to_string()).with(details))
        }
    }
}
