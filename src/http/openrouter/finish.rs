//! A consent that was given becomes a sealed key: the code is exchanged, the key is looked at and asked about, and saved
//! as its owner's AI configuration for OpenRouter.

use secrecy::SecretString;

use super::nothing_open;
use crate::http::Api;
use crate::http::ai_configurations::checked_key::{KeyFault, Purpose, Verified, look_at, seal, verify_key};
use crate::http::ai_configurations::{MAX_TOKENS, TEMPERATURE, subject};
use crate::http::client_address::ClientAddress;
use crate::http::error::{ApiError, ErrorCode};
use crate::provider::{CodeExchange, Provider, ProviderError, exchange_code};
use crate::store::{
    AiConfiguration, AiConfigurationChange, AiConfigurationId, NewAiConfiguration, NewAuditEntry, OauthState,
    VERIFIER_COLUMN,
};
use crate::vault::Place;

/// How often to begin again where somebody adds or deletes the configuration at the same moment.
const TRIES: u32 = 3;

/// A consent that was used up, and from where.
pub(super) struct Consent {
    pub(super) state: OauthState,
    pub(super) address: ClientAddress,
}

/// A key that OpenRouter gave.
struct Given {
    key: SecretString,
    base_url: Option<String>,
    verified: Verified,
}

/// Fetches and saves the key; either goes into the audit log.
pub(super) async fn finish(
    api: &Api,
    consent: &Consent,
    code: &SecretString,
) -> Result<AiConfiguration, ApiError> {
    match fetch(api, consent, code).await {
        Ok(given) => save(api, consent, given).await,
        Err(error) => {
            let entry = NewAuditEntry { is_done: false, ..consent.entry(None) };
            api.store.add_audit_entry(entry).await?;
            Err(error)
        }
    }
}

async fn fetch(api: &Api, consent: &Consent, code: &SecretString) -> Result<Given, ApiError> {
    let state = &consent.state;
    let (owner, record, provider) = (state.user_id.uuid(), state.id.uuid(), Provider::OpenRouter.as_str());
    let place = Place { column: VERIFIER_COLUMN, owner, record, provider };
    let verifier = api.vault.open(&place, &state.verifier)?;
    let exchange = CodeExchange { base_url: &api.config.openrouter.base_url, code, verifier: &verifier };
    let key = exchange_code(&api.clients, &api.config.provider, exchange).await;
    let key = key.map_err(|error| not_given(&error))?;
    let key = look_at(Provider::OpenRouter, &key).map_err(not_usable)?;
    let base_url = other_base_url(api);
    let verified =
        verify_key(api, Provider::OpenRouter, base_url.as_deref(), &key).await.map_err(not_usable)?;
    Ok(Given { key, base_url, verified })
}

/// Where the operator lets another server stand in, the key stays with that one.
fn other_base_url(api: &Api) -> Option<String> {
    let base_url = &api.config.openrouter.base_url;
    Some(base_url.clone()).filter(|url| Provider::OpenRouter.default_base_url() != Some(url.as_str()))
}

/// In place of the key that the owner has for OpenRouter, if there is one.
async fn save(api: &Api, consent: &Consent, given: Given) -> Result<AiConfiguration, ApiError> {
    for _ in 0..TRIES {
        let known = api.store.list_ai_configurations(consent.state.user_id).await?;
        let known = known.into_iter().find(|known| known.provider == Provider::OpenRouter.as_str());
        let saved = match known {
            Some(known) => replace(api, consent, known.id, &given).await?,
            None => add(api, consent, &given).await?,
        };
        let Some(id) = saved else { continue };
        let Some(stored) = api.store.find_ai_configuration(consent.state.user_id, Some(id)).await? else {
            continue;
        };
        if let Some(limits) = given.verified.limits {
            api.store.note_key_limits(&stored, limits).await?;
        }
        return Ok(stored);
    }
    Err(ApiError::internal())
}

async fn replace(
    api: &Api,
    consent: &Consent,
    id: AiConfigurationId,
    given: &Given,
) -> Result<Option<AiConfigurationId>, ApiError> {
    let key = seal(api, consent.state.user_id, &given.purpose(id), &given.key, given.verified.at)?;
    let change = AiConfigurationChange { key: Some(key), ..AiConfigurationChange::default() };
    let is_there = api.store.change_ai_configuration(id, change, consent.entry(Some(id))).await?;
    Ok(is_there.then_some(id))
}

async fn add(api: &Api, consent: &Consent, given: &Given) -> Result<Option<AiConfigurationId>, ApiError> {
    let id = AiConfigurationId::new(api.store.clock());
    let key = seal(api, consent.state.user_id, &given.purpose(id), &given.key, given.verified.at)?;
    let new = NewAiConfiguration {
        id,
        user_id: consent.state.user_id,
        provider: Provider::OpenRouter.as_str().to_owned(),
        base_url: key.base_url,
        model: api.config.openrouter.model.clone(),
        temperature: Some(TEMPERATURE),
        max_output_tokens: Some(MAX_TOKENS),
        api_key: key.sealed,
        api_key_mask: key.mask,
        api_key_last_four: key.last_four,
        key_fingerprint: key.fingerprint,
        is_default: false,
        verified_at: key.verified_at,
    };
    let known = api.store.add_ai_configuration(new, consent.entry(Some(id))).await?;
    Ok(known.is_none().then_some(id))
}

impl Given {
    fn purpose(&self, id: AiConfigurationId) -> Purpose<'_> {
        Purpose { id, provider: Provider::OpenRouter, base_url: self.base_url.as_deref() }
    }
}

impl Consent {
    fn entry(&self, made: Option<AiConfigurationId>) -> NewAuditEntry {
        NewAuditEntry {
            user: self.state.user_id,
            action: "openrouter_connected",
            is_done: true,
            actor: format!("session:{}", self.state.session_id),
            subject: made.and_then(subject),
            address: Some(self.address.0.to_string()),
        }
    }
}

/// A code that OpenRouter does not take is the caller's fault, everything else is not.
fn not_given(error: &ProviderError) -> ApiError {
    tracing::info!(%error, "OpenRouter gave no key for a code");
    if matches!(error.status, Some(400 | 403)) {
        return nothing_open();
    }
    let message = "OpenRouter does not answer as it should; connect it again in a few minutes";
    ApiError::new(ErrorCode::ProviderFailed, message)
}

fn not_usable(fault: KeyFault) -> ApiError {
    let message = match fault {
        KeyFault::Form(_) | KeyFault::Refused => {
            "the key that OpenRouter gave does not work; connect it again"
        }
        KeyFault::Administration => {
            "OpenRouter gave an administration key, which is more than the work needs"
        }
        KeyFault::Expired => "the key that OpenRouter gave has expired already; connect it again",
        KeyFault::BaseUrl => "the operator's base URL of OpenRouter cannot be reached from here",
    };
    ApiError::new(ErrorCode::KeyRefused, message)
}
