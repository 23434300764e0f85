//! Seeing one's own agents.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::readiness::Means;
use super::{AgentAnswer, tell};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::{Id, Parameters};
use crate::http::pages::{Page, PageParameters};
use crate::store::AgentId;

/// List one's agents.
#[utoipa::path(
    get, path = "/api/automation/agents", tag = "agents", params(PageParameters),
    responses((status = OK, description = "The agents, oldest first.", body = Page<AgentAnswer>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<AgentAnswer>>, ApiError> {
    let request = parameters.read()?;
    let after = request.after.map(AgentId::from_uuid);
    let found = api.store.list_agents_after(caller.user, after, request.to_find()).await?;
    let means = Means::of(&api, caller.user).await?;
    let page =
        Page::cut_with(found, request, |agent| agent.id.uuid(), |agent| AgentAnswer::new(agent, &means));
    Ok(Json(page))
}

/// See one agent.
#[utoipa::path(
    get, path = "/api/automation/agents/{id}", tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    responses((status = OK, description = "The agent.", body = AgentAnswer)),
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<AgentId>,
) -> Result<Json<AgentAnswer>, ApiError> {
    Ok(Json(tell(&api, &caller, id).await?))
}
