//! Changing an agent, and switching it on and off. The next mail is answered by what holds then.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::settings::AgentInput;
use super::{AgentAnswer, subject, tell};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::input::{Id, Input};
use crate::store::{Agent, AgentId};

/// Change an agent.
#[utoipa::path(
    put, path = "/api/automation/agents/{id}", tag = "agents", request_body = AgentInput,
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    responses(
        (status = OK, description = "It is changed.", body = AgentAnswer),
        (status = CONFLICT, description = "The name is taken, or another agent answers the same mail.", body = ErrorBody),
    ),
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AgentId>,
    Input(input): Input<AgentInput>,
) -> Result<Json<AgentAnswer>, ApiError> {
    let change = input.check()?;
    save(&api, &caller, id, "agent_changed", |agent| change.make(agent)).await
}

/// Let an agent answer.
#[utoipa::path(
    post, path = "/api/automation/agents/{id}/enable", tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    responses(
        (status = OK, description = "It answers.", body = AgentAnswer),
        (status = CONFLICT, description = "Another agent answers the same mail.", body = ErrorBody),
    ),
)]
pub(crate) async fn enable(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AgentId>,
) -> Result<Json<AgentAnswer>, ApiError> {
    save(&api, &caller, id, "agent_enabled", |agent| agent.enabled = true).await
}

/// Keep an agent from answering.
#[utoipa::path(
    post, path = "/api/automation/agents/{id}/disable", tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    responses((status = OK, description = "It answers nothing any more.", body = AgentAnswer)),
)]
pub(crate) async fn disable(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AgentId>,
) -> Result<Json<AgentAnswer>, ApiError> {
    save(&api, &caller, id, "agent_disabled", |agent| agent.enabled = false).await
}

async fn save(
    api: &Api,
    caller: &Caller,
    id: AgentId,
    action: &'static str,
    change: impl FnOnce(&mut Agent) + Send + 'static,
) -> Result<Json<AgentAnswer>, ApiError> {
    let changed = api.store.change_agent(id, change, caller.entry(action, subject(id))).await?;
    changed.ok_or_else(ApiError::not_found)??;
    Ok(Json(tell(api, caller, id).await?))
}
