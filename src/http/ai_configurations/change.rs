//! Changing an AI configuration, and choosing the default.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::checked_key::{Purpose, check_and_seal, look_at};
use super::create::read_base_url;
use super::{
    AiConfigurationAnswer, MAX_TOKENS, TEMPERATURE, check_max_tokens, check_temperature, parse_provider,
    provider_word, subject,
};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::input::{Id, Input, given};
use crate::http::texts::{Line, Secret};
use crate::provider::KeyLimits;
use crate::store::{AiConfiguration, AiConfigurationChange, AiConfigurationId};

/// What is to change; what is left out stays, and null stands for the default.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AiConfigurationInput {
    /// Cannot be changed; accepted where it says what is there already.
    #[serde(default)]
    #[schema(example = "openai")]
    provider: Option<Line>,
    /// Another key.
    #[serde(default, alias = "api_key")]
    api_key: Option<Secret>,
    /// Another model.
    #[serde(default, alias = "model_name")]
    model_name: Option<Line>,
    /// Another temperature.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<f64>, minimum = 0.0, maximum = 2.0)]
    temperature: Option<Option<f64>>,
    /// Another limit of tokens in an answer.
    #[serde(default, alias = "max_tokens", deserialize_with = "given")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    max_tokens: Option<Option<i64>>,
    /// Another address; the key has to be given again with it.
    #[serde(default, alias = "base_url", deserialize_with = "given")]
    #[schema(value_type = Option<Line>)]
    base_url: Option<Option<Line>>,
    /// True makes it the default.
    #[serde(default, alias = "is_default")]
    is_default: Option<bool>,
}

/// Change an AI configuration.
#[utoipa::path(
    put, path = "/api/ai-config/{id}", tag = "ai-config", request_body = AiConfigurationInput,
    params(("id" = uuid::Uuid, Path, description = "The AI configuration.")),
    responses((status = OK, description = "It is changed.", body = AiConfigurationAnswer)),
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AiConfigurationId>,
    Input(input): Input<AiConfigurationInput>,
) -> Result<Json<AiConfigurationAnswer>, ApiError> {
    let stored = find(&api, &caller, id).await?;
    let (change, limits) = read_change(&api, &caller, &stored, input).await?;
    let stored = save(&api, &caller, id, change, "ai_config_changed").await?;
    if let Some(limits) = limits {
        api.store.note_key_limits(&stored, limits).await?;
    }
    Ok(Json(AiConfigurationAnswer::of(&api, stored).await?))
}

/// Make an AI configuration the default.
#[utoipa::path(
    post, path = "/api/ai-config/{id}/default", tag = "ai-config",
    params(("id" = uuid::Uuid, Path, description = "The AI configuration.")),
    responses((status = OK, description = "Agents that name no other use it.", body = AiConfigurationAnswer)),
)]
pub(crate) async fn make_default(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AiConfigurationId>,
) -> Result<Json<AiConfigurationAnswer>, ApiError> {
    let change = AiConfigurationChange { is_default: true, ..AiConfigurationChange::default() };
    let stored = save(&api, &caller, id, change, "ai_config_made_default").await?;
    Ok(Json(AiConfigurationAnswer::of(&api, stored).await?))
}

async fn find(api: &Api, caller: &Caller, id: AiConfigurationId) -> Result<AiConfiguration, ApiError> {
    let stored = api.store.find_ai_configuration(caller.user, Some(id)).await?;
    stored.ok_or_else(ApiError::not_found)
}

async fn save(
    api: &Api,
    caller: &Caller,
    id: AiConfigurationId,
    change: AiConfigurationChange,
    action: &'static str,
) -> Result<AiConfiguration, ApiError> {
    let entry = caller.entry(action, subject(id));
    if !api.store.change_ai_configuration(id, change, entry).await? {
        return Err(ApiError::not_found());
    }
    find(api, caller, id).await
}

async fn read_change(
    api: &Api,
    caller: &Caller,
    stored: &AiConfiguration,
    input: AiConfigurationInput,
) -> Result<(AiConfigurationChange, Option<KeyLimits>), ApiError> {
    let word = provider_word(&stored.provider);
    if input.provider.is_some_and(|provider| provider.0 != word) {
        return Err(ApiError::field("provider", "cannot be changed; add another AI configuration"));
    }
    if input.is_default == Some(false) && stored.is_default {
        return Err(ApiError::field("isDefault", "cannot be taken away; make another one the default"));
    }
    let provider = parse_provider(word)?;
    let temperature = input.temperature.map(|temperature| temperature.unwrap_or(TEMPERATURE));
    let max_tokens = input.max_tokens.map(|max_tokens| max_tokens.unwrap_or(MAX_TOKENS));
    let mut change = AiConfigurationChange {
        model: input.model_name.map(|model| model.0),
        temperature: temperature.map(check_temperature).transpose()?.map(Some),
        max_output_tokens: max_tokens.map(check_max_tokens).transpose()?.map(Some),
        key: None,
        is_default: input.is_default == Some(true),
    };
    let base_url = input.base_url.map(|line| read_base_url(api, provider, line)).transpose()?;
    let base_url = base_url.as_ref().unwrap_or(&stored.base_url);
    if *base_url != stored.base_url && input.api_key.is_none() {
        return Err(key_needed());
    }
    let Some(key) = input.api_key else { return Ok((change, None)) };
    let purpose = Purpose { id: stored.id, provider, base_url: base_url.as_deref() };
    let (key, limits) = check_and_seal(api, caller.user, &purpose, &look_at(provider, &key.0)?).await?;
    change.key = Some(key);
    Ok((change, limits))
}

/// A stored key is never shown to a server that its owner did not give it to (SR-59).
fn key_needed() -> ApiError {
    let message =
        "`apiKey` must be given again with another `baseUrl`: a key stays with the server it was given for";
    ApiError::new(ErrorCode::KeyNeeded, message).with(json!({ "field": "apiKey" }))
}
