//! Deleting an agent.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::subject;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::store::AgentId;

/// Delete an agent. What it has answered stays.
#[utoipa::path(
    delete, path = "/api/automation/agents/{id}", tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    responses((status = NO_CONTENT, description = "It is gone.")),
)]
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AgentId>,
) -> Result<StatusCode, ApiError> {
    let was_there = api.store.delete_agent(id, caller.entry("agent_deleted", subject(id))).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}
