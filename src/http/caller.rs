//! Who calls, and what they may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::access::{Access, Purpose, Scope};
use super::api_keys::rights::Rights;
use super::client_address::ClientAddress;
use super::error::{ApiError, ErrorCode};
use super::security_tokens::pass::Pass;
use crate::store::{ApiKeyId, NewAuditEntry, Role, SessionId, UserId};

/// With what a caller proved who they are.
#[derive(Clone)]
pub enum Authority {
    /// A session: everything that the user may do.
    Session(SessionId),
    /// A platform API key: what it has the rights to.
    ApiKey(ApiKeyId, Arc<Rights>),
    /// A security token, by now redeemed: the one thing that it was made for, with the key that it stands for.
    SecurityToken(Arc<Pass>),
}

/// Who calls.
#[derive(Clone)]
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
        let actor = match &self.authority {
            Authority::Session(session) => format!("session:{session}"),
            Authority::ApiKey(key, _) => format!("api_key:{key}"),
            Authority::SecurityToken(pass) => format!("security_token:{}", pass.token),
        };
        let address = Some(self.address.0.to_string());
        NewAuditEntry { user: self.user, action, is_done: true, actor, subject, address }
    }

    /// The session, for what only the person may do.
    pub(super) fn session(&self) -> Result<SessionId, ApiError> {
        match self.authority {
            Authority::Session(session) => Ok(session),
            Authority::ApiKey(..) | Authority::SecurityToken(_) => Err(only_the_person()),
        }
    }

    /// What the security token of the call stands for; `None` for whoever may use everything of the user's.
    pub(super) fn pass(&self) -> Option<&Pass> {
        match &self.authority {
            Authority::SecurityToken(pass) => Some(pass),
            Authority::Session(_) | Authority::ApiKey(..) => None,
        }
    }

    /// What the platform API key of the call has the rights to; `None` for others.
    pub(super) fn rights(&self) -> Option<&Rights> {
        match &self.authority {
            Authority::ApiKey(_, rights) => Some(rights),
            Authority::Session(_) | Authority::SecurityToken(_) => None,
        }
    }

    /// Whether the caller may do what needs this.
    pub(super) fn may(&self, access: Access) -> bool {
        self.check(access).is_ok()
    }

    /// Refuses a call that goes beyond what its caller may do (SR-44).
    pub(super) fn check(&self, access: Access) -> Result<(), ApiError> {
        match (&self.authority, access) {
            (Authority::Session(_), Access::Administrator) if self.role != Role::Admin => {
                Err(forbidden("only an administrator may do this"))
            }
            (Authority::Session(_), _) | (_, Access::Public) => Ok(()),
            (Authority::ApiKey(_, rights), Access::Scope(scope)) => check_scope(rights, scope),
            (Authority::ApiKey(_, rights), Access::Purpose(purpose)) => check_purpose(rights, purpose),
            // What a token was made for has been looked at when it was redeemed.
            (Authority::SecurityToken(pass), Access::Purpose(purpose)) if pass.purpose == purpose => Ok(()),
            (Authority::ApiKey(..), _) => Err(only_the_person()),
            (Authority::SecurityToken(_), _) => Err(ApiError::invalid_security_token()),
        }
    }
}

fn check_scope(rights: &Rights, scope: Scope) -> Result<(), ApiError> {
    if rights.has(scope) {
        return Ok(());
    }
    Err(forbidden(format!("this needs a platform API key with the scope `{}`", scope.as_str())))
}

/// Whoever may make a token for it may do it as well.
fn check_purpose(rights: &Rights, purpose: Purpose) -> Result<(), ApiError> {
    if rights.has(Scope::TokensCreate) { Ok(()) } else { check_scope(rights, purpose.scope()) }
}

fn only_the_person() -> ApiError {
    forbidden("only the person may do this; sign in")
}

fn forbidden(message: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(ErrorCode::Forbidden, message)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or_else(ApiError::unauthorized)
    }
}
