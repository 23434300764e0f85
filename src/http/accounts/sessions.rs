//! Where one is signed in, and signing out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::http::pages::Page;
use crate::store::{Session, SessionId};

/// A place where one is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionAnswer {
    /// Its id.
    id: String,
    /// From which address it was begun.
    address: String,
    /// When it was begun.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends unless it is refreshed.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Whether it is the one of this call.
    is_current: bool,
}

/// Sign out.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "accounts",
    responses((status = NO_CONTENT, description = "The session is over; its tokens are good for nothing.")),
)]
pub(crate) async fn sign_out(State(api): State<Arc<Api>>, caller: Caller) -> Result<StatusCode, ApiError> {
    end(&api, &caller, caller.session()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the places where one is signed in.
#[utoipa::path(
    get, path = "/api/auth/sessions", tag = "accounts",
    responses((status = OK, description = "The sessions, newest first.", body = Page<SessionAnswer>)),
)]
pub(crate) async fn list_sessions(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<Page<SessionAnswer>>, ApiError> {
    let current = caller.session()?;
    let sessions = api.store.list_sessions(caller.user).await?;
    let items = sessions.into_iter().map(|session| answer(session, current)).collect();
    Ok(Json(Page::whole(items)))
}

/// Sign out somewhere else.
#[utoipa::path(
    delete, path = "/api/auth/sessions/{id}", tag = "accounts",
    params(("id" = uuid::Uuid, Path, description = "The session.")),
    responses((status = NO_CONTENT, description = "That session is over.")),
)]
pub(crate) async fn end_session(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(session): Id<SessionId>,
) -> Result<StatusCode, ApiError> {
    if end(&api, &caller, session).await? { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}

async fn end(api: &Api, caller: &Caller, session: SessionId) -> Result<bool, ApiError> {
    let entry = caller.entry("signed_out", Some(format!("session:{session}")));
    Ok(api.store.end_session(session, entry).await?)
}

fn answer(session: Session, current: SessionId) -> SessionAnswer {
    SessionAnswer {
        id: session.id.to_string(),
        address: session.address,
        created_at: session.created_at.to_string(),
        expires_at: session.expires_at.to_string(),
        is_current: session.id == current,
    }
}
