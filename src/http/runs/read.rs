//! One run, with how it came about.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::steps::{CallAnswer, StepAnswer, UsageAnswer, steps};
use super::{RunAnswer, find};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::run::decide::{check_retry, may_approve, may_discard, may_edit};
use crate::store::{Reply, Run, RunId};

/// A run, with how it came about.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunDetailAnswer {
    /// What became of the mail.
    #[serde(flatten)]
    run: RunAnswer,
    /// What happened, in order.
    steps: Vec<StepAnswer>,
    /// The calls of providers, oldest first.
    calls: Vec<CallAnswer>,
    /// What they used together.
    usage: UsageAnswer,
    /// What its owner may do with it now.
    may: Vec<ActionWord>,
}

/// What its owner may do with a run.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActionWord {
    /// `retry`.
    Retry,
    /// `retry` with `resend=true`.
    Resend,
    /// `approve`.
    Approve,
    /// `edit`.
    Edit,
    /// `discard`.
    Discard,
}

/// See one run, with how it came about.
#[utoipa::path(
    get, path = "/api/runs/{id}", tag = "runs",
    params(("id" = uuid::Uuid, Path, description = "The run.")),
    responses((status = OK, description = "The run.", body = RunDetailAnswer)),
)]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<RunId>,
) -> Result<Json<RunDetailAnswer>, ApiError> {
    let run = find(&api, &caller, id).await?;
    let calls = api.store.list_calls(caller.user, id).await?;
    let reply = api.store.find_reply(caller.user, id).await?;
    Ok(Json(RunDetailAnswer {
        steps: steps(&run, &calls, reply.as_ref()),
        usage: UsageAnswer::sum(&calls),
        calls: calls.into_iter().map(Into::into).collect(),
        may: actions(&run, reply.as_ref()),
        run: run.into(),
    }))
}

fn actions(run: &Run, reply: Option<&Reply>) -> Vec<ActionWord> {
    let all = [
        (ActionWord::Retry, check_retry(run, false).is_ok()),
        (ActionWord::Resend, check_retry(run, true).is_ok()),
        (ActionWord::Approve, may_approve(run)),
        (ActionWord::Edit, may_edit(run, reply)),
        (ActionWord::Discard, may_discard(run)),
    ];
    all.into_iter().filter(|(_, may)| *may).map(|(action, _)| action).collect()
}
