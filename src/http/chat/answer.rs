//! The answer to a chat as it goes out: one JSON document, or events that end with `[DONE]`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use futures::stream::unfold;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

use crate::http::error::ApiError;
use crate::run::{ChatError, ChatPiece};

/// How OpenAI ends a stream.
const DONE: &str = "[DONE]";
/// Proxies close connections on which nothing happens; models think for longer.
const STILL_THERE: Duration = Duration::from_secs(15);
/// Tells proxies to pass on what comes at once.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

type Answer = Receiver<Result<ChatPiece, ChatError>>;

/// The answer in one piece.
pub(super) async fn whole(mut answer: Answer) -> Result<Response, ApiError> {
    match answer.recv().await {
        Some(Ok(ChatPiece::Words(words))) => Ok(Json(words).into_response()),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(ChatPiece::End)) | None => Err(ApiError::internal()),
    }
}

/// The answer piece by piece. What goes wrong before the first one is an ordinary refusal.
pub(super) async fn stream(mut answer: Answer) -> Result<Response, ApiError> {
    let first = match answer.recv().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(error.into()),
        None => return Err(ApiError::internal()),
    };
    let keep_alive = KeepAlive::new().interval(STILL_THERE);
    let mut response = Sse::new(events(first, answer)).keep_alive(keep_alive).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    Ok(response)
}

/// What is still to be told.
enum Rest {
    From(ChatPiece, Answer),
    Of(Answer),
    Nothing,
}

fn events(first: ChatPiece, answer: Answer) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(Rest::From(first, answer), async |rest| {
        let (piece, answer) = match rest {
            Rest::From(first, answer) => (Some(Ok(first)), answer),
            Rest::Of(mut answer) => (answer.recv().await, answer),
            Rest::Nothing => return None,
        };
        Some(match piece {
            Some(Ok(ChatPiece::Words(words))) => (event(&words), Rest::Of(answer)),
            Some(Ok(ChatPiece::End)) => (Ok(Event::default().data(DONE)), Rest::Nothing),
            Some(Err(error)) => (event(&ApiError::from(error).into_body()), Rest::Nothing),
            None => (event(&ApiError::internal().into_body()), Rest::Nothing),
        })
    })
}

/// JSON has no line end outside its texts, and none inside that is not written as `\n`.
fn event(data: &impl Serialize) -> Result<Event, Infallible> {
    Ok(Event::default().data(serde_json::to_string(data).unwrap_or_default()))
}
