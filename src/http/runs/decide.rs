//! What a run's owner decides: a row says so, and a worker carries it out. Nothing is sent from here.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{RunAnswer, find};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::{Id, Input, Parameters};
use crate::http::texts::Text;
use crate::run::decide::{RetryRefusal, check_retry, may_approve, may_discard, may_edit};
use crate::store::{Decided, Decision, Run, RunId};

/// How to try again.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RetryParameters {
    /// True is the owner's word that the reply is to go out: a draft, a late one, one that a rule holds back, or once
    /// more one of which nobody knows whether it went out (it may then arrive twice).
    #[serde(default)]
    #[param(default = false)]
    resend: bool,
}

/// Other words for a reply.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EditInput {
    /// What the reply is to say, in markdown. Recipient, subject, signature and who answers are added as always.
    text: Text<16_000>,
}

/// Try a run again.
#[utoipa::path(
    post, path = "/api/runs/{id}/retry", tag = "runs",
    params(("id" = uuid::Uuid, Path, description = "The run."), RetryParameters),
    responses(
        (status = OK, description = "It is queued again.", body = RunAnswer),
        (status = CONFLICT, description = "It cannot be tried again, or not so.", body = ErrorBody),
    ),
)]
pub(crate) async fn retry(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<RunId>,
    Parameters(RetryParameters { resend }): Parameters<RetryParameters>,
) -> Result<Json<RunAnswer>, ApiError> {
    let run = find(&api, &caller, id).await?;
    check_retry(&run, resend).map_err(tell_refusal)?;
    let action = if resend { "run_resent" } else { "run_retried" };
    decide(&api, &caller, run, Decision::Retry(resend), action).await
}

/// Approve the reply of a held run: it goes out.
#[utoipa::path(
    post, path = "/api/runs/{id}/approve", tag = "runs",
    params(("id" = uuid::Uuid, Path, description = "The run.")),
    responses(
        (status = OK, description = "It is queued, to be sent.", body = RunAnswer),
        (status = CONFLICT, description = "It does not wait for an approval.", body = ErrorBody),
    ),
)]
pub(crate) async fn approve(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<RunId>,
) -> Result<Json<RunAnswer>, ApiError> {
    let run = find(&api, &caller, id).await?;
    if !may_approve(&run) {
        return Err(wrong_state(
            "this run does not wait for an approval; `may` of the run says what it waits for",
        ));
    }
    decide(&api, &caller, run, Decision::Retry(true), "run_approved").await
}

/// Put other words into the reply of a held run, and approve it: it goes out.
#[utoipa::path(
    post, path = "/api/runs/{id}/edit", tag = "runs", request_body = EditInput,
    params(("id" = uuid::Uuid, Path, description = "The run.")),
    responses(
        (status = OK, description = "It is queued, to be written anew and sent.", body = RunAnswer),
        (
            status = CONFLICT, body = ErrorBody,
            description = "It is not held, has no words yet, or an attempt to send it was made.",
        ),
    ),
)]
pub(crate) async fn edit(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<RunId>,
    Input(input): Input<EditInput>,
) -> Result<Json<RunAnswer>, ApiError> {
    let run = find(&api, &caller, id).await?;
    let reply = api.store.find_reply(caller.user, id).await?;
    if !may_edit(&run, reply.as_ref()) {
        return Err(wrong_state(
            "only the reply of a held run can be edited, once it has words and before anybody tried to send it",
        ));
    }
    decide(&api, &caller, run, Decision::Edit(input.text.0), "run_edited").await
}

/// Put an end to a held run: it is not answered.
#[utoipa::path(
    post, path = "/api/runs/{id}/discard", tag = "runs",
    params(("id" = uuid::Uuid, Path, description = "The run.")),
    responses(
        (status = OK, description = "It is not answered.", body = RunAnswer),
        (status = CONFLICT, description = "It is not held.", body = ErrorBody),
    ),
)]
pub(crate) async fn discard(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<RunId>,
) -> Result<Json<RunAnswer>, ApiError> {
    let run = find(&api, &caller, id).await?;
    if !may_discard(&run) {
        return Err(wrong_state("only a held run can be discarded"));
    }
    decide(&api, &caller, run, Decision::Discard, "run_discarded").await
}

async fn decide(
    api: &Api,
    caller: &Caller,
    run: Run,
    decision: Decision,
    action: &'static str,
) -> Result<Json<RunAnswer>, ApiError> {
    let entry = caller.entry(action, Some(format!("run:{}", run.id)));
    match api.store.decide_run(&run, decision, entry).await? {
        Decided::Done => Ok(Json(find(api, caller, run.id).await?.into())),
        Decided::MovedOn => Err(wrong_state("the run has just moved on; look at it again")),
        Decided::NoWords => Err(wrong_state("the run has no words yet that could be replaced")),
        Decided::Attempted => {
            Err(wrong_state("an attempt to send the reply was made; its words stay as they are"))
        }
    }
}

fn wrong_state(message: &'static str) -> ApiError {
    ApiError::new(ErrorCode::WrongState, message)
}

fn tell_refusal(refusal: RetryRefusal) -> ApiError {
    wrong_state(match refusal {
        RetryRefusal::Replied => "the mail has been replied to; a second reply is never sent",
        RetryRefusal::Queued => "the run is queued already",
        RetryRefusal::Running => "the run is being worked on; wait until it ends",
        RetryRefusal::NeedsWord => {
            "the run goes on only by your word: approve it, or retry it with `resend=true`"
        }
        RetryRefusal::NeedsNoWord => "your word overcomes nothing here; retry it without `resend`",
    })
}
