//! A key that its owner saves: looked at first, then asked about at its provider, then sealed (SR-4 to SR-6).

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use crate::clock::Timestamp;
use crate::http::Api;
use crate::http::error::{ApiError, ErrorCode};
use crate::provider::{
    ErrorClass, KeyFormError, KeyLimits, KeyVerdict, Provider, check_key, check_key_form, trim_key,
};
use crate::store::{API_KEY_COLUMN, AiConfigurationId, Allowance, NewKey, UserId};
use crate::vault::{Place, last_four, mask};

/// In what time checks are counted.
const WINDOW: Duration = Duration::from_secs(3600);

/// What a key is for.
pub(in crate::http) struct Purpose<'a> {
    pub(in crate::http) id: AiConfigurationId,
    pub(in crate::http) provider: Provider,
    pub(in crate::http) base_url: Option<&'a str>,
}

/// Why a key is not saved.
pub(in crate::http) enum KeyFault {
    /// It cannot be one of this provider.
    Form(KeyFormError),
    /// The provider refuses it.
    Refused,
    /// It manages other keys (SR-6).
    Administration,
    /// Its time is over.
    Expired,
    /// Its server must not be asked.
    BaseUrl,
}

/// What a provider said of a key, where it could be asked.
pub(in crate::http) struct Verified {
    /// When it said that the key is good.
    pub(in crate::http) at: Option<Timestamp>,
    /// What the key may spend, and until when.
    pub(in crate::http) limits: Option<KeyLimits>,
}

/// A key that can be one of this provider; it has been sent nowhere.
pub(in crate::http) fn look_at(provider: Provider, key: &SecretString) -> Result<SecretString, KeyFault> {
    let key = trim_key(key);
    check_key_form(provider, &key).map_err(KeyFault::Form)?;
    Ok(key)
}

/// Asks the provider. One that cannot be asked leaves the key unverified; only one that refuses the key keeps it from
/// being saved.
pub(in crate::http) async fn verify_key(
    api: &Api,
    provider: Provider,
    base_url: Option<&str>,
    key: &SecretString,
) -> Result<Verified, KeyFault> {
    let now = api.store.clock().now();
    match check_key(&api.clients, &api.config.provider, provider, base_url, key).await {
        Ok(KeyVerdict::Administration) => Err(KeyFault::Administration),
        Ok(KeyVerdict::Good(limits)) => {
            let end = limits.as_ref().and_then(|limits| limits.expires_at);
            if end.is_some_and(|end| end <= now) {
                return Err(KeyFault::Expired);
            }
            Ok(Verified { at: Some(now), limits })
        }
        Err(error) => match error.class {
            ErrorClass::AuthInvalid => Err(KeyFault::Refused),
            ErrorClass::Refused => Err(KeyFault::BaseUrl),
            _ => Ok(Verified { at: None, limits: None }),
        },
    }
}

/// The key as it is stored.
pub(in crate::http) fn seal(
    api: &Api,
    owner: UserId,
    purpose: &Purpose<'_>,
    key: &SecretString,
    verified_at: Option<Timestamp>,
) -> Result<NewKey, ApiError> {
    let owner = owner.uuid();
    let (record, provider) = (purpose.id.uuid(), purpose.provider.as_str());
    let place = Place { column: API_KEY_COLUMN, owner, record, provider };
    Ok(NewKey {
        base_url: purpose.base_url.map(str::to_owned),
        sealed: api.vault.seal(&place, key)?,
        mask: mask(key),
        last_four: last_four(key),
        fingerprint: api.vault.fingerprint(owner, key),
        verified_at,
    })
}

/// A key as its owner gave it, counted, checked and sealed.
pub(super) async fn check_and_seal(
    api: &Api,
    owner: UserId,
    purpose: &Purpose<'_>,
    key: &SecretString,
) -> Result<(NewKey, Option<KeyLimits>), ApiError> {
    count_check(api, owner).await?;
    let verified = verify_key(api, purpose.provider, purpose.base_url, key).await?;
    Ok((seal(api, owner, purpose, key, verified.at)?, verified.limits))
}

/// Whoever has stolen a list of keys must not sort it with our help.
pub(in crate::http) async fn count_check(api: &Api, owner: UserId) -> Result<(), ApiError> {
    let allowance = Allowance {
        name: format!("key_check:{owner}"),
        tries: api.config.http.key_checks_per_user,
        window: WINDOW,
    };
    match api.store.count_attempt(allowance).await? {
        None => Ok(()),
        Some(wait) => Err(ApiError::too_many(wait)),
    }
}

impl From<KeyFault> for ApiError {
    fn from(fault: KeyFault) -> Self {
        let why = match fault {
            KeyFault::Form(error) => error.to_string(),
            KeyFault::Refused => "the provider refuses this key".to_owned(),
            KeyFault::Administration => {
                "this is an administration key; create an ordinary API key".to_owned()
            }
            KeyFault::Expired => "this key has expired; create another one".to_owned(),
            KeyFault::BaseUrl => return Self::field("baseUrl", "must be a server on the public internet"),
        };
        Self::new(ErrorCode::KeyRefused, why).with(json!({ "field": "apiKey" }))
    }
}
