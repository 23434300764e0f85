//! A key that its owner saves: looked at first, then asked about at its provider, then sealed (SR-4 to SR-6).

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorCode};
use crate::provider::{ErrorClass, KeyVerdict, Provider, check_key, check_key_form, trim_key};
use crate::store::{API_KEY_COLUMN, AiConfigurationId, Allowance, NewKey};
use crate::vault::{Place, last_four, mask};

/// In what time checks are counted.
const WINDOW: Duration = Duration::from_secs(3600);

/// What a key is for.
pub(super) struct Purpose<'a> {
    pub(super) id: AiConfigurationId,
    pub(super) provider: Provider,
    pub(super) base_url: Option<&'a str>,
}

/// A key that can be one of this provider; it has been sent nowhere.
pub(super) fn look_at(provider: Provider, key: &SecretString) -> Result<SecretString, ApiError> {
    let key = trim_key(key);
    match check_key_form(provider, &key) {
        Ok(()) => Ok(key),
        Err(error) => Err(refused(&error.to_string())),
    }
}

/// The key as it is stored. A provider that cannot be asked leaves it unverified; only one that refuses the key keeps
/// it from being saved.
pub(super) async fn check_and_seal(
    api: &Api,
    caller: &Caller,
    purpose: &Purpose<'_>,
    key: &SecretString,
) -> Result<NewKey, ApiError> {
    count_check(api, caller).await?;
    let verdict = check_key(&api.clients, purpose.provider, purpose.base_url, key).await;
    let is_good = match verdict {
        Ok(KeyVerdict::Good) => true,
        Ok(KeyVerdict::Administration) => {
            return Err(refused("this is an administration key; create an ordinary API key"));
        }
        Err(error) => match error.class {
            ErrorClass::AuthInvalid => return Err(refused("the provider refuses this key")),
            ErrorClass::Refused => {
                return Err(ApiError::field("baseUrl", "must be a server on the public internet"));
            }
            _ => false,
        },
    };
    let owner = caller.user.uuid();
    let (record, provider) = (purpose.id.uuid(), purpose.provider.as_str());
    let place = Place { column: API_KEY_COLUMN, owner, record, provider };
    Ok(NewKey {
        sealed: api.vault.seal(&place, key)?,
        mask: mask(key),
        last_four: last_four(key),
        fingerprint: api.vault.fingerprint(owner, key),
        verified_at: is_good.then(|| api.store.clock().now()),
    })
}

/// Whoever has stolen a list of keys must not sort it with our help.
pub(super) async fn count_check(api: &Api, caller: &Caller) -> Result<(), ApiError> {
    let allowance = Allowance {
        name: format!("key_check:{}", caller.user),
        tries: api.config.http.key_checks_per_user,
        window: WINDOW,
    };
    match api.store.count_attempt(allowance).await? {
        None => Ok(()),
        Some(wait) => Err(ApiError::too_many(wait)),
    }
}

fn refused(why: &str) -> ApiError {
    ApiError::new(ErrorCode::KeyRefused, why.to_owned()).with(json!({ "field": "apiKey" }))
}
