//! The headless end: a person pastes the code that OpenRouter showed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::finish::{Consent, finish};
use super::nothing_open;
use crate::http::Api;
use crate::http::ai_configurations::AiConfigurationAnswer;
use crate::http::ai_configurations::checked_key::count_check;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::input::Input;
use crate::http::texts::Secret;

/// What OpenRouter showed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExchangeInput {
    /// The code; good once, for the consent that this session asked for last.
    code: Secret,
}

/// Finish connecting OpenRouter with a code.
///
/// The consent is used up by this call, whatever comes of it.
#[utoipa::path(
    post, path = "/api/openrouter/exchange", tag = "ai-config", request_body = ExchangeInput,
    responses(
        (status = OK, description = "OpenRouter is connected by this AI configuration.", body = AiConfigurationAnswer),
        (status = BAD_REQUEST, description = "The body is not JSON, this session has asked for no consent, or the code is wrong.", body = ErrorBody),
        (status = UNPROCESSABLE_ENTITY, description = "A field is wrong, the key that came cannot be used, or OpenRouter does not answer as it should.", body = ErrorBody),
    ),
)]
pub(crate) async fn exchange(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(ExchangeInput { code: Secret(code) }): Input<ExchangeInput>,
) -> Result<Json<AiConfigurationAnswer>, ApiError> {
    count_check(&api, caller.user).await?;
    let given = api.store.use_headless_oauth_state(caller.user, caller.session()?).await?;
    let state = given.ok_or_else(nothing_open)?;
    let consent = Consent { state, address: caller.address };
    let stored = finish(&api, &consent, &code).await?;
    Ok(Json(AiConfigurationAnswer::of(&api, stored).await?))
}
