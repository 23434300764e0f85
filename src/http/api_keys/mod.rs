//! Platform API keys: with which programs call this API in their owner's name (SR-40 to SR-47).

pub(super) mod change;
pub(super) mod create;
pub(super) mod identify;
pub(super) mod read;
pub(super) mod revoke;
pub(super) mod rights;
pub(super) mod rotate;
pub(super) mod text;

mod settings;

use serde::Serialize;
use utoipa::ToSchema;

use self::rights::Rights;
use self::text::API_KEY_PREFIX;
use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorCode};
use crate::clock::Timestamp;
use crate::store::{ApiKey, ApiKeyId, ApiKeySaved};

/// A platform API key, without the key.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyAnswer {
    /// Its id.
    id: String,
    /// The user in whose name it acts.
    user_id: String,
    /// What it is called.
    name: String,
    /// What it is for.
    description: String,
    /// How the key begins.
    #[schema(example = "pk_sk_Ab12Cd34Ef")]
    prefix: String,
    /// What it may do.
    scopes: Vec<String>,
    /// From where alone it is good; from everywhere while empty.
    ip_allow: Vec<String>,
    /// From where it is not.
    ip_deny: Vec<String>,
    /// `active`, `rotated` (good for a while longer, another one takes its place), `expired` or `revoked`.
    #[schema(example = "active")]
    state: &'static str,
    /// Until when it is good; null for ever.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// From which address it was made.
    created_address: String,
    /// When it was last used. This, the address and the count are written once a minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// From which address it was last used.
    last_used_address: Option<String>,
    /// How often it was used.
    uses: i64,
    /// Whether nobody has used it for 90 days.
    is_unused: bool,
    /// The key whose place it took.
    rotated_from: Option<String>,
    /// The key that takes its place.
    rotated_to: Option<String>,
    /// Since when it is good for nothing.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// Why: `revoked`, or `rotated` twice.
    revoked_reason: Option<String>,
    /// When it was first seen in an address (URL), where logs and histories keep it.
    #[schema(format = DateTime)]
    exposed_at: Option<String>,
}

/// A platform API key that was just made.
#[derive(Serialize, ToSchema)]
pub(super) struct NewApiKeyAnswer {
    /// The key; shown this once.
    key: String,
    /// What there is to know about it.
    #[serde(flatten)]
    about: ApiKeyAnswer,
}

impl ApiKeyAnswer {
    fn new(key: ApiKey, now: Timestamp) -> Self {
        let written = |time: Timestamp| time.to_string();
        Self {
            id: key.id.to_string(),
            user_id: key.user_id.to_string(),
            prefix: format!("{API_KEY_PREFIX}{}", key.public_id),
            state: state(&key, now),
            is_unused: key.is_unused(now),
            name: key.settings.name,
            description: key.settings.description,
            scopes: key.settings.scopes.0,
            ip_allow: key.settings.ip_allow.0,
            ip_deny: key.settings.ip_deny.0,
            expires_at: key.settings.expires_at.map(written),
            created_at: written(key.created_at),
            created_address: key.created_address,
            last_used_at: key.last_used_at.map(written),
            last_used_address: key.last_used_address,
            uses: key.uses,
            rotated_from: key.rotated_from.map(|id| id.to_string()),
            rotated_to: key.rotated_to.map(|id| id.to_string()),
            revoked_at: key.revoked_at.map(written),
            revoked_reason: key.revoked_reason,
            exposed_at: key.exposed_at.map(written),
        }
    }
}

fn state(key: &ApiKey, now: Timestamp) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.settings.expires_at.is_some_and(|end| end <= now) {
        "expired"
    } else if key.rotated_to.is_some() {
        "rotated"
    } else {
        "active"
    }
}

/// What the audit log calls it.
fn subject(key: ApiKeyId) -> Option<String> {
    Some(format!("api_key:{key}"))
}

/// One of the caller's keys. A key manages only keys whose rights are within its own (SR-44).
async fn find(api: &Api, caller: &Caller, id: ApiKeyId) -> Result<ApiKey, ApiError> {
    let found = api.store.find_api_key(caller.user, id).await?;
    let key = found.ok_or_else(ApiError::not_found)?;
    check_within(caller, &Rights::of(id, &key.settings)?)?;
    Ok(key)
}

/// Refuses a key that would give more than its own rights.
fn check_within(caller: &Caller, rights: &Rights) -> Result<(), ApiError> {
    if caller.rights().is_none_or(|own| own.cover(rights)) {
        return Ok(());
    }
    let message = "a platform API key manages only keys with no more scopes, time and networks than its own";
    Err(ApiError::new(ErrorCode::Forbidden, message))
}

fn outdated() -> ApiError {
    ApiError::new(ErrorCode::WrongState, "somebody has changed this key at the same moment; try again")
}

fn refuse(saved: ApiKeySaved) -> Result<(), ApiError> {
    match saved {
        ApiKeySaved::Done => Ok(()),
        ApiKeySaved::Unknown => Err(ApiError::not_found()),
        ApiKeySaved::Outdated => Err(outdated()),
        ApiKeySaved::NameTaken => {
            let message = "another key has this `name`; choose another name, or revoke that key";
            let details = serde_json::json!({ "field": "name" });
            Err(ApiError::new(ErrorCode::AlreadyExists, message).with(details))
        }
        ApiKeySaved::Full => {
            let message = "there are as many keys as there may be; revoke one that is not needed";
            Err(ApiError::new(ErrorCode::LimitReached, message))
        }
    }
}
