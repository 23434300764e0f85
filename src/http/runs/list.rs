//! Looking for runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{RunAnswer, StateWord};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::{Parameters, read_time};
use crate::http::pages::{Page, PageParameters};
use crate::store::{AgentId, MailboxId, RunFilter, RunId};

/// Which runs, and which piece of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunParameters {
    /// Those that stand there.
    #[param(inline)]
    state: Option<StateWord>,
    /// Those of mails to this mailbox.
    mailbox: Option<Uuid>,
    /// Those that this agent took; one that is worked on for the first time is not among them yet.
    agent: Option<Uuid>,
    /// Those of mails that were taken in then or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Those of mails that were taken in before.
    #[param(format = DateTime)]
    until: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the piece before.
    #[param(max_length = 100)]
    cursor: Option<String>,
}

/// List one's runs.
#[utoipa::path(
    get, path = "/api/runs", tag = "runs", params(RunParameters),
    responses((status = OK, description = "The runs, newest first.", body = Page<RunAnswer>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<RunParameters>,
) -> Result<Json<Page<RunAnswer>>, ApiError> {
    let request = PageParameters::new(parameters.limit, parameters.cursor).read()?;
    let filter = RunFilter {
        state: parameters.state.map(Into::into),
        mailbox: parameters.mailbox.map(MailboxId::from_uuid),
        agent: parameters.agent.map(AgentId::from_uuid),
        since: read_time("since", parameters.since.as_deref())?,
        until: read_time("until", parameters.until.as_deref())?,
    };
    let before = request.after.map(RunId::from_uuid);
    let found = api.store.search_runs(caller.user, filter, before, request.to_find()).await?;
    Ok(Json(Page::cut(found, request, |run| run.id.uuid())))
}
