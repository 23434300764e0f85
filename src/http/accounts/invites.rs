//! Invitations: who may sign up where not everybody may (SR-39).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::{Id, Input, Parameters};
use crate::http::pages::{Page, PageParameters};
use crate::http::secret_token::SecretToken;
use crate::http::texts::Email;
use crate::store::{Invite, InviteId, NewInvite};

/// A new invitation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InviteInput {
    /// The only address that may use it; anybody who has it if left out.
    #[serde(default)]
    email: Option<Email>,
}

/// An invitation that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewInviteAnswer {
    /// Its id.
    id: String,
    /// What the invited person signs up with; shown this once.
    token: String,
    /// Until when it is good.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// An invitation.
#[derive(Serialize, ToSchema)]
pub(crate) struct InviteAnswer {
    /// Its id.
    id: String,
    /// The only address that may use it.
    email: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when it is good.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was used.
    #[schema(format = DateTime)]
    used_at: Option<String>,
}

impl From<Invite> for InviteAnswer {
    fn from(invite: Invite) -> Self {
        Self {
            id: invite.id.to_string(),
            email: invite.email,
            created_at: invite.created_at.to_string(),
            expires_at: invite.expires_at.to_string(),
            used_at: invite.used_at.map(|time| time.to_string()),
        }
    }
}

/// Invite somebody.
#[utoipa::path(
    post, path = "/api/invites", tag = "accounts", request_body = InviteInput,
    responses((status = CREATED, description = "The invitation; its token is shown this once.", body = NewInviteAnswer)),
)]
pub(crate) async fn invite(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<InviteInput>,
) -> Result<(StatusCode, Json<NewInviteAnswer>), ApiError> {
    let clock = api.store.clock();
    let token = SecretToken::new()?;
    let new = NewInvite {
        id: InviteId::new(clock),
        hash: token.hash,
        email: input.email.map(|email| email.0),
        expires_at: clock.now().plus(api.config.http.invite_life),
    };
    let answer =
        NewInviteAnswer { id: new.id.to_string(), token: token.text, expires_at: new.expires_at.to_string() };
    let entry = caller.entry("invited", subject(new.id));
    api.store.add_invite(new, entry).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// List the invitations that one has made.
#[utoipa::path(
    get, path = "/api/invites", tag = "accounts", params(PageParameters),
    responses((status = OK, description = "The invitations, newest first.", body = Page<InviteAnswer>)),
)]
pub(crate) async fn list_invites(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<InviteAnswer>>, ApiError> {
    let request = parameters.read()?;
    let after = request.after.map(InviteId::from_uuid);
    let found = api.store.list_invites(caller.user, after, request.to_find()).await?;
    Ok(Json(Page::cut(found, request, |invite| invite.id.uuid())))
}

/// Take an invitation back.
#[utoipa::path(
    delete, path = "/api/invites/{id}", tag = "accounts",
    params(("id" = uuid::Uuid, Path, description = "The invitation.")),
    responses((status = NO_CONTENT, description = "It is good for nothing.")),
)]
pub(crate) async fn take_back_invite(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<InviteId>,
) -> Result<StatusCode, ApiError> {
    let was_there = api.store.delete_invite(id, caller.entry("invite_taken_back", subject(id))).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}

fn subject(id: InviteId) -> Option<String> {
    Some(format!("invite:{id}"))
}
