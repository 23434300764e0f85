//! Who calls and what they may do: every route says what it needs, and the call is let in before its handler runs.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::Api;
use super::access_token::AccessToken;
use super::client_address::ClientAddress;
use super::error::{ApiError, ErrorCode};
use super::throttle::Counted;
use crate::store::{NewAuditEntry, Role, SessionId, UserId};

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A right that other credentials than a session can have as well.
    Scope(Scope),
    /// A session: what only the person may do.
    Session,
    /// A session of an administrator.
    Administrator,
}

/// A right (SR-44).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// See AI configurations, keys masked.
    ConfigsRead,
    /// Change AI configurations.
    ConfigsWrite,
    /// See agents and mailboxes.
    AgentsRead,
    /// Change agents and mailboxes.
    AgentsWrite,
    /// Read mail.
    MailRead,
    /// See runs.
    RunsRead,
    /// Decide about runs.
    RunsWrite,
    /// See what was used.
    UsageRead,
    /// Take everything along.
    ExportRead,
}

impl Scope {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigsRead => "configs:read",
            Self::ConfigsWrite => "configs:write",
            Self::AgentsRead => "agents:read",
            Self::AgentsWrite => "agents:write",
            Self::MailRead => "mail:read",
            Self::RunsRead => "runs:read",
            Self::RunsWrite => "runs:write",
            Self::UsageRead => "usage:read",
            Self::ExportRead => "export:read",
        }
    }
}

/// With what a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A session: everything that the user may do.
    Session(SessionId),
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The user in whose name.
    pub user: UserId,
    /// What the user is to this installation.
    pub role: Role,
    /// With what it was proved.
    pub authority: Authority,
    /// From where.
    pub address: ClientAddress,
}

impl Caller {
    /// An entry of the caller's audit log; `subject` is `<kind>:<id>`.
    pub(super) fn entry(&self, action: &'static str, subject: Option<String>) -> NewAuditEntry {
        let Authority::Session(session) = self.authority;
        NewAuditEntry {
            user: self.user,
            action,
            is_done: true,
            actor: format!("session:{session}"),
            subject,
            address: Some(self.address.0.to_string()),
        }
    }

    /// The session, for what only the person may do.
    pub(super) fn session(&self) -> SessionId {
        let Authority::Session(session) = self.authority;
        session
    }

    /// Whether the caller may do what needs this.
    pub(super) fn may(&self, access: Access) -> bool {
        let Authority::Session(_) = self.authority;
        match access {
            Access::Public | Access::Session | Access::Scope(_) => true,
            Access::Administrator => self.role == Role::Admin,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().copied().ok_or_else(ApiError::unauthorized)
    }
}

/// Before every handler: who it is, whether they may, and whether they come too often.
pub(super) async fn let_in(
    State((api, access)): State<(Arc<Api>, Access)>,
    address: ClientAddress,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let now = api.store.clock().now();
    if access == Access::Public {
        api.throttle.take(address.into(), now)?;
        return Ok(next.run(request).await);
    }
    let Some(caller) = find_caller(&api, address, request.headers()).await? else {
        api.throttle.take(address.into(), now)?;
        return Err(ApiError::unauthorized());
    };
    api.throttle.take(Counted::User(caller.user), now)?;
    if !caller.may(access) {
        return Err(ApiError::new(ErrorCode::Forbidden, "only an administrator may do this"));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// A session ends at once for every token of it (SR-32).
async fn find_caller(
    api: &Api,
    address: ClientAddress,
    headers: &HeaderMap,
) -> Result<Option<Caller>, ApiError> {
    let Some(token) = bearer(headers) else { return Ok(None) };
    let Some(token) = AccessToken::verify(token, &api.vault, api.store.clock().now()) else {
        return Ok(None);
    };
    let principal = api.store.find_principal(token.user, token.session).await?;
    Ok(principal.map(|principal| Caller {
        user: principal.id,
        role: principal.role,
        authority: Authority::Session(token.session),
        address,
    }))
}

/// The token, if exactly one was sent (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (only, None) = (sent.next()?, sent.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
