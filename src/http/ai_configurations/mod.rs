//! AI configurations: whose key, which model. A key goes in and never comes out again (SR-29, SR-30).

pub(super) mod change;
pub(super) mod create;
pub(super) mod read;
pub(super) mod remove;
pub(super) mod verify;

pub(super) mod checked_key;

mod limits;

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use self::limits::KeyLimitsAnswer;
use super::Api;
use super::error::{ApiError, ErrorCode};
use crate::provider::Provider;
use crate::store::{AiConfiguration, AiConfigurationId, KeyState, KnownKeyLimits};

/// What a new configuration has unless it says otherwise.
pub(super) const TEMPERATURE: f64 = 0.7;
pub(super) const MAX_TOKENS: i64 = 500;
/// The most tokens that an answer may have.
const MOST_TOKENS: i64 = 1_000_000;

/// An AI configuration, its key masked.
#[derive(Serialize, ToSchema)]
pub(crate) struct AiConfigurationAnswer {
    /// Its id.
    id: String,
    /// `openai`, `openrouter`, `gemini` or `custom`.
    #[schema(example = "openai")]
    provider: String,
    /// The model's name at the provider.
    #[schema(example = "gpt-5-mini")]
    model_name: String,
    /// Sampling temperature.
    temperature: Option<f64>,
    /// Most tokens in an answer.
    max_tokens: Option<i64>,
    /// Where the provider is, if not at its own address.
    base_url: Option<String>,
    /// Whether agents use it that name no other.
    is_default: bool,
    /// The key's first ten characters.
    #[schema(example = "sk-proj-ab...")]
    api_key: String,
    /// The key's last four characters, where it is long enough.
    api_key_last4: Option<String>,
    /// Tells whether two configurations of one owner hold the same key.
    key_fingerprint: String,
    /// `active`, `invalid` (the provider refused the key) or `exhausted` (the provider wants money first).
    #[schema(example = "active")]
    state: &'static str,
    /// Why it is not active, as a stable word.
    state_reason: Option<String>,
    /// When an exhausted key is tried again.
    #[schema(format = DateTime)]
    resume_at: Option<String>,
    /// When the provider last said that the key is good; null while nobody could ask.
    #[schema(format = DateTime)]
    verified_at: Option<String>,
    /// What the key may spend, and until when; null where the provider tells nothing of it.
    limits: Option<KeyLimitsAnswer>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When its owner last changed it.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl AiConfigurationAnswer {
    /// With what is known of its key.
    pub(super) async fn of(api: &Api, stored: AiConfiguration) -> Result<Self, ApiError> {
        let known = api.store.list_key_limits(stored.user_id).await?;
        Ok(Self::new(stored, &known))
    }

    /// With what is known of its owner's keys.
    fn new(stored: AiConfiguration, known: &[KnownKeyLimits]) -> Self {
        let limits = known.iter().find(|known| known.ai_configuration_id == stored.id);
        Self {
            id: stored.id.to_string(),
            provider: provider_word(&stored.provider).to_owned(),
            model_name: stored.model,
            temperature: stored.temperature,
            max_tokens: stored.max_output_tokens,
            base_url: stored.base_url,
            is_default: stored.is_default,
            api_key: stored.api_key_mask,
            api_key_last4: stored.api_key_last_four,
            key_fingerprint: stored.key_fingerprint,
            state: match stored.state {
                KeyState::Active => "active",
                KeyState::Invalid => "invalid",
                KeyState::Exhausted => "exhausted",
            },
            state_reason: stored.state_reason,
            resume_at: stored.resume_at.map(|time| time.to_string()),
            verified_at: stored.verified_at.map(|time| time.to_string()),
            limits: limits.map(Into::into),
            created_at: stored.created_at.to_string(),
            updated_at: stored.updated_at.to_string(),
        }
    }
}

/// What the API calls a server of the compatible style, which everything else calls by its style.
const CUSTOM: &str = "custom";

/// The provider of this name.
pub(super) fn provider_of_word(word: &str) -> Option<Provider> {
    Provider::ALL.into_iter().find(|provider| provider_word(provider.as_str()) == word)
}

fn provider_word(stored: &str) -> &str {
    if stored == Provider::OpenAiCompatible.as_str() { CUSTOM } else { stored }
}

/// A provider that can be called.
pub(super) fn parse_provider(word: &str) -> Result<Provider, ApiError> {
    provider_of_word(word).ok_or_else(|| {
        let supported = Provider::ALL.map(|provider| provider_word(provider.as_str()));
        let message = format!("`provider` must be one of {}", supported.join(", "));
        ApiError::new(ErrorCode::ProviderUnsupported, message)
            .with(json!({ "field": "provider", "supported": supported }))
    })
}

fn check_temperature(temperature: f64) -> Result<f64, ApiError> {
    if (0.0..=2.0).contains(&temperature) {
        return Ok(temperature);
    }
    Err(ApiError::field("temperature", "must be a number from 0 to 2"))
}

fn check_max_tokens(max_tokens: i64) -> Result<i64, ApiError> {
    if (1..=MOST_TOKENS).contains(&max_tokens) {
        return Ok(max_tokens);
    }
    Err(ApiError::field("maxTokens", &format!("must be a whole number from 1 to {MOST_TOKENS}")))
}

/// What the audit log calls it.
pub(super) fn subject(id: AiConfigurationId) -> Option<String> {
    Some(format!("ai_config:{id}"))
}
