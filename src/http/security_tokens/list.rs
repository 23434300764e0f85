//! Seeing one's tokens; never the token itself, which is stored nowhere.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Parameters;
use crate::http::pages::{Page, PageParameters};
use crate::store::{SecurityToken, SecurityTokenId};

/// A security token, without the token.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecurityTokenAnswer {
    /// Its id.
    id: String,
    /// What for.
    #[schema(example = "chat.completion")]
    purpose: String,
    /// The AI configuration whose key is used; null where the token carries keys.
    config_id: Option<String>,
    /// The only agent that it is for.
    agent_id: Option<String>,
    /// The platform API key that it was made with.
    api_key_id: Option<String>,
    /// `active`, `used_up`, `expired` or `revoked`.
    #[schema(example = "active")]
    state: &'static str,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when it is good.
    #[schema(format = DateTime)]
    expires_at: String,
    /// How often it can be used.
    max_uses: Option<i64>,
    /// How often it was used. Without `max_uses` this, the time and the address are written once a minute.
    uses: i64,
    /// When it was last used.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// From which address it was last used.
    last_used_address: Option<String>,
}

/// List one's security tokens.
#[utoipa::path(
    get, path = "/api/v1/security-tokens", tag = "security-tokens", params(PageParameters),
    responses((status = OK, description = "The tokens, newest first.", body = Page<SecurityTokenAnswer>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<SecurityTokenAnswer>>, ApiError> {
    let request = parameters.read()?;
    let after = request.after.map(SecurityTokenId::from_uuid);
    let found = api.store.list_security_tokens(caller.user, after, request.to_find()).await?;
    let now = api.store.clock().now();
    Ok(Json(Page::cut(found, request, |token| token.id.uuid()).map(|token| answer(token, now))))
}

fn answer(token: SecurityToken, now: Timestamp) -> SecurityTokenAnswer {
    SecurityTokenAnswer {
        id: token.id.to_string(),
        state: state(&token, now),
        purpose: token.purpose,
        config_id: token.ai_configuration_id.map(|id| id.to_string()),
        agent_id: token.agent_id.map(|id| id.to_string()),
        api_key_id: token.api_key_id.map(|id| id.to_string()),
        created_at: token.created_at.to_string(),
        expires_at: token.expires_at.to_string(),
        max_uses: token.max_uses,
        uses: token.uses,
        last_used_at: token.last_used_at.map(|time| time.to_string()),
        last_used_address: token.last_used_address,
    }
}

fn state(token: &SecurityToken, now: Timestamp) -> &'static str {
    if token.revoked_at.is_some() {
        "revoked"
    } else if token.expires_at <= now {
        "expired"
    } else if token.max_uses.is_some_and(|most| token.uses >= most) {
        "used_up"
    } else {
        "active"
    }
}
