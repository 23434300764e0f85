//! Who calls with a platform API key: one look into the database, no slow hash (SR-41).

use std::sync::Arc;

use super::rights::Rights;
use super::text::ApiKeyText;
use crate::http::Api;
use crate::http::caller::{Authority, Caller};
use crate::http::client_address::ClientAddress;
use crate::http::error::ApiError;
use crate::http::refusals::{Refused, note_refusal};
use crate::http::uses::Used;
use crate::store::ApiKey;

/// Whoever may call with it; `None` for everything that is no good key here and now.
pub(in crate::http) async fn find_caller(
    api: &Arc<Api>,
    address: ClientAddress,
    text: &str,
) -> Result<Option<Caller>, ApiError> {
    let Some(text) = ApiKeyText::parse(text) else { return Ok(None) };
    let Some(shown) = api.store.find_shown_api_key(&text.public_id).await? else { return Ok(None) };
    let (key, role) = (shown.key, shown.role);
    if !text.is(&key.hash) {
        return Ok(None);
    }
    let rights = Rights::of(key.id, &key.settings)?;
    if let Some(action) = why_not(api, &key, &rights, address) {
        let refused = Refused { user: key.user_id, credential: Used::ApiKey(key.id), action, address };
        note_refusal(api, refused);
        return Ok(None);
    }
    let authority = Authority::ApiKey(key.id, Arc::new(rights));
    Ok(Some(Caller { user: key.user_id, role, authority, address }))
}

/// What the audit log calls the reason.
fn why_not(api: &Api, key: &ApiKey, rights: &Rights, address: ClientAddress) -> Option<&'static str> {
    if key.revoked_at.is_some() {
        Some("api_key_used_revoked")
    } else if rights.expires_at.is_some_and(|end| end <= api.store.clock().now()) {
        Some("api_key_used_expired")
    } else if rights.admits(address.0) {
        None
    } else {
        Some("api_key_used_elsewhere")
    }
}
