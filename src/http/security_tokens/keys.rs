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

use super::pass::CarriedKey;

/// Keys in one token (SR-48).
const MOST_KEYS: usize = 4;

/// The keys by the names under which providers are stored.
pub(super) async fn check_keys(
    api: &Api,
    caller: &Caller,
    given: &BTreeMap<String, Secret>,
) -> Result<BTreeMap<String, Zeroizing<String>>, ApiError> {
    if given.is_empty() || given.len() > MOST_KEYS {
        return Err(ApiError::field("apiKeys", &format!("must have 1 to {MOST_KEYS} keys")));
    }
    let mut keys = BTreeMap::new();
    for (word, key) in given {
        let provider = parse_provider(word)?;
        check_address(api, caller, provider).await?;
        let key = look_at(provider, &key.0)?;
        keys.insert(provider.as_str().to_owned(), Zeroizing::new(key.expose_secret().to_owned()));
    }
    Ok(keys)
}

/// As they were when the token was made; a provider that is not known any more is left out.
pub(super) fn carried(keys: &BTreeMap<String, Zeroizing<String>>) -> Vec<CarriedKey> {
    let known = keys.iter().filter_map(|(name, key)| Some((name.parse::<Provider>().ok()?, key)));
    known.map(|(provider, key)| CarriedKey { provider, key: SecretString::from(key.as_str()) }).collect()
}

/// A token names no server, so that nobody sends a key elsewhere with it: a provider without an address of its own is
/// where the user's AI configuration says.
async fn check_address(api: &Api, caller: &Caller, provider: Provider) -> Result<(), ApiError> {
    if provider.default_base_url().is_some() {
        return Ok(());
    }
    let known = api.store.list_ai_configurations(caller.user).await?;
    if known.iter().any(|known| known.provider == provider.as_str() && known.base_url.is_some()) {
        return Ok(());
    }
    Err(ApiError::field("apiKeys", "has a provider whose `baseUrl` none of your AI configurations says"))
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
