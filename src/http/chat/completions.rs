//! Chat completions, as OpenAI's client libraries ask for them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::{stream, whole};
use super::means::find_key;
use super::question::ChatInput;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::input::Input;
use crate::run::ChatRequest;

/// Chat with a model.
///
/// Question and answer have OpenAI's shape, so its client libraries can be pointed at `/api/v1`. It is answered with the
/// owner's default AI configuration, with the one whose model is named, or with what a security token stands for; never
/// on the operator's account. A key in `X-User-Api-Key` is used for this call alone, and stored nowhere;
/// `X-User-Provider` says whose it is (`openai` unless it is said), and `X-User-Base-Url` where a `custom` one is.
///
/// What goes wrong once a streamed answer has begun is told as an event `{"error":{"code","message","details"}}`, which
/// is the last one then. Nothing of what is said is kept here. Of OpenAI's fields those are passed on that are listed;
/// others are refused by name.
#[utoipa::path(
    post, path = "/api/v1/chat/completions", tag = "chat", request_body = ChatInput,
    params(
        ("X-User-Api-Key" = Option<String>, Header, description = "A provider key for this call alone."),
        ("X-User-Provider" = Option<String>, Header, description = "Whose key it is, or which of those in a security \
            token: `openai`, `openrouter`, `gemini` or `custom`."),
        ("X-User-Base-Url" = Option<String>, Header, description = "Where a `custom` provider is."),
    ),
    responses(
        (
            status = OK, description = "The answer; pieces of it if `stream` is true.",
            content((Object = "application/json"), (String = "text/event-stream")),
        ),
        (status = BAD_REQUEST, description = "The body is not JSON, a header is not what it must be, or there is \
            more than one credential.", body = ErrorBody),
        (status = PAYMENT_REQUIRED, description = "The key's money or quota is used up.", body = ErrorBody),
        (status = UNPROCESSABLE_ENTITY, description = "A field is unknown, missing, or has a value that it cannot \
            have; there is no key; or the provider refuses the key or the question, or does not answer as it should \
            (`provider_failed`). Then `x-should-retry` says whether to try again: with `false` it may have charged \
            all the same.", body = ErrorBody),
        (status = TOO_MANY_REQUESTS, description = "Too many calls or chats at once, or the provider wants the key \
            to rest or has too much to do; `Retry-After` says when to come back.", body = ErrorBody),
    ),
)]
pub(crate) async fn complete(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    Input(input): Input<ChatInput>,
) -> Result<Response, ApiError> {
    let asked = input.check()?;
    let key = find_key(&api, &caller, &headers, asked.model.as_deref()).await?;
    let answer = api.scribe.chat(ChatRequest {
        user: caller.user,
        key,
        model: asked.model,
        max_output_tokens: asked.max_output_tokens,
        is_streamed: asked.is_streamed,
        tells_usage: asked.tells_usage,
        question: asked.question,
    });
    if asked.is_streamed { stream(answer).await } else { whole(answer).await }
}
