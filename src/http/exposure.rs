//! Keys and tokens in addresses (URLs), where logs, histories and other servers keep them: such a call is refused,
//! whatever it wants, and the owner is told (SR-47).

use axum::http::Uri;
use url::form_urlencoded;

use super::Api;
use super::api_keys::text::{API_KEY_PREFIX, ApiKeyText};
use super::client_address::ClientAddress;
use super::error::{ApiError, ErrorCode};
use super::security_tokens::contents::Contents;
use super::uses::Used;
use crate::store::{NewAuditEntry, StoreError, UserId};
use crate::vault::SECURITY_TOKEN_PREFIX;

/// Refuses a call with a key or a token of ours in its address.
pub(super) async fn check_address(
    api: &Api,
    uri: &Uri,
    client: Option<ClientAddress>,
) -> Result<(), ApiError> {
    let written = uri.path_and_query().map_or("", |written| written.as_str());
    // Most addresses have neither, nor anything that could hide one.
    if !written.contains(['_', '%']) && !written.contains(SECURITY_TOKEN_PREFIX) {
        return Ok(());
    }
    let texts: Vec<String> = form_urlencoded::parse(written.as_bytes())
        .flat_map(|(name, value)| [name.into_owned(), value.into_owned()])
        .collect();
    if let Some(key) = texts.iter().find_map(|text| ApiKeyText::find_in(text)) {
        note_key(api, &key, client).await?;
        return Err(refusal());
    }
    if let Some(token) = texts.iter().find_map(|text| find_token(api, text)) {
        note_token(api, &token, client).await?;
        return Err(refusal());
    }
    Ok(())
}

fn refusal() -> ApiError {
    let message = format!(
        "a key or a token (`{API_KEY_PREFIX}..`, `{SECURITY_TOKEN_PREFIX}..`) stands in the address, where others can \
         read it; replace it, and send the new one in a header"
    );
    ApiError::new(ErrorCode::CredentialInUrl, message)
}

fn find_token(api: &Api, text: &str) -> Option<Contents> {
    let is_in_token = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let mut candidates = text.match_indices(SECURITY_TOKEN_PREFIX).filter_map(|(at, _)| text.get(at..));
    candidates.find_map(|rest| {
        let end = rest.find(|character| !is_in_token(character)).unwrap_or(rest.len());
        Contents::open(&api.vault, rest.get(..end)?)
    })
}

async fn note_key(api: &Api, text: &ApiKeyText, client: Option<ClientAddress>) -> Result<(), StoreError> {
    let Some(shown) = api.store.find_shown_api_key(&text.public_id).await? else { return Ok(()) };
    let key = shown.key;
    // Whoever knows only the part that is no secret must not raise an alarm.
    if !text.is(&key.hash) {
        return Ok(());
    }
    let name = &key.settings.name;
    let sentence = format!(
        "The platform API key \"{name}\" was sent in an address (URL), where others can read it; rotate it without overlap."
    );
    let entry = entry(key.user_id, "api_key_exposed", Used::ApiKey(key.id), client);
    api.store.expose_api_key(key.id, entry, sentence).await
}

async fn note_token(api: &Api, token: &Contents, client: Option<ClientAddress>) -> Result<(), StoreError> {
    let user = UserId::from_uuid(token.tid);
    let Some(stored) = api.store.find_shown_security_token(user, &token.jti_hash()).await? else {
        return Ok(());
    };
    let sentence = format!(
        "The security token {} was sent in an address (URL), where others can read it; revoke it.",
        stored.id
    );
    let entry = entry(user, "security_token_exposed", Used::SecurityToken(stored.id), client);
    api.store.expose_security_token(stored.id, entry, sentence).await
}

fn entry(
    user: UserId,
    action: &'static str,
    credential: Used,
    client: Option<ClientAddress>,
) -> NewAuditEntry {
    NewAuditEntry {
        user,
        action,
        is_done: false,
        actor: "nobody".to_owned(),
        subject: Some(credential.subject()),
        address: client.map(|ClientAddress(address)| address.to_string()),
    }
}
