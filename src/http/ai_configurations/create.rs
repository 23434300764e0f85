//! Adding a key.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::checked_key::{Purpose, check_and_seal, look_at};
use super::{
    AiConfigurationAnswer, MAX_TOKENS, TEMPERATURE, check_max_tokens, check_temperature, parse_provider,
    subject,
};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::texts::{Line, Secret};
use crate::provider::Provider;
use crate::store::{AiConfigurationId, NewAiConfiguration};

/// A new AI configuration.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAiConfigurationInput {
    /// `openai`, `openrouter`, `gemini`, or `custom` for any other server of OpenAI's style.
    #[schema(value_type = String, pattern = "^(openai|openrouter|gemini|custom)$", example = "openai")]
    provider: Line,
    /// The key; it is sealed and never shown again.
    #[serde(alias = "api_key")]
    api_key: Secret,
    /// The model's name at the provider.
    #[serde(alias = "model_name")]
    #[schema(example = "gpt-5-mini")]
    model_name: Line,
    /// Sampling temperature; models that take none get none.
    #[serde(default)]
    #[schema(minimum = 0.0, maximum = 2.0, default = 0.7)]
    temperature: Option<f64>,
    /// Most tokens in an answer.
    #[serde(default, alias = "max_tokens")]
    #[schema(minimum = 1, maximum = 1_000_000, default = 500)]
    max_tokens: Option<i64>,
    /// Where the provider is, if not at its own address; needed for `custom`.
    #[serde(default, alias = "base_url")]
    base_url: Option<Line>,
    /// Whether agents use it that name no other; the first one always is.
    #[serde(default, alias = "is_default")]
    is_default: bool,
}

/// Add an AI configuration.
///
/// One per provider. The key is checked at the provider where that costs nothing; one that the provider refuses is not
/// saved, and one that could not be checked is saved with `verified_at` null.
#[utoipa::path(
    post, path = "/api/ai-config", tag = "ai-config", request_body = NewAiConfigurationInput,
    responses(
        (status = CREATED, description = "It is saved.", body = AiConfigurationAnswer),
        (status = CONFLICT, description = "There is one for this provider; `details.id` names it.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<NewAiConfigurationInput>,
) -> Result<(StatusCode, Json<AiConfigurationAnswer>), ApiError> {
    let provider = parse_provider(&input.provider.0)?;
    let base_url = read_base_url(&api, provider, input.base_url)?;
    let temperature = check_temperature(input.temperature.unwrap_or(TEMPERATURE))?;
    let max_tokens = check_max_tokens(input.max_tokens.unwrap_or(MAX_TOKENS))?;
    let key = look_at(provider, &input.api_key.0)?;
    // Before the key is shown to anybody for nothing.
    let known = api.store.list_ai_configurations(caller.user).await?;
    if let Some(known) = known.iter().find(|known| known.provider == provider.as_str()) {
        return Err(already_there(known.id));
    }
    let id = AiConfigurationId::new(api.store.clock());
    let purpose = Purpose { id, provider, base_url: base_url.as_deref() };
    let (key, limits) = check_and_seal(&api, caller.user, &purpose, &key).await?;
    let new = NewAiConfiguration {
        id,
        user_id: caller.user,
        provider: provider.as_str().to_owned(),
        base_url: key.base_url,
        model: input.model_name.0,
        temperature: Some(temperature),
        max_output_tokens: Some(max_tokens),
        api_key: key.sealed,
        api_key_mask: key.mask,
        api_key_last_four: key.last_four,
        key_fingerprint: key.fingerprint,
        is_default: input.is_default,
        verified_at: key.verified_at,
    };
    let entry = caller.entry("ai_config_added", subject(id));
    if let Some(known) = api.store.add_ai_configuration(new, entry).await? {
        return Err(already_there(known));
    }
    let stored = api.store.find_ai_configuration(caller.user, Some(id)).await?;
    let stored = stored.ok_or_else(ApiError::not_found)?;
    if let Some(limits) = limits {
        api.store.note_key_limits(&stored, limits).await?;
    }
    Ok((StatusCode::CREATED, Json(AiConfigurationAnswer::of(&api, stored).await?)))
}

/// A server that may be asked with this provider's key.
pub(super) fn read_base_url(
    api: &Api,
    provider: Provider,
    written: Option<Line>,
) -> Result<Option<String>, ApiError> {
    let parse = |line: Line| api.guard.parse_base_url(&line.0);
    let base_url = written.map(parse).transpose().map_err(|problem| ApiError::field("baseUrl", &problem))?;
    if base_url.is_none() && provider.default_base_url().is_none() {
        return Err(ApiError::field("baseUrl", "is needed: `custom` has no address of its own"));
    }
    Ok(base_url)
}

fn already_there(id: AiConfigurationId) -> ApiError {
    let message = "there is an AI configuration for this provider; change that one";
    ApiError::new(ErrorCode::AlreadyExists, message).with(json!({ "id": id.to_string() }))
}
