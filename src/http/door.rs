//! Before every handler: who it is, whether they come too often, and whether they may.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Api;
use super::access::Access;
use super::access_token::AccessToken;
use super::caller::{Authority, Caller};
use super::client_address::ClientAddress;
use super::credentials::{self, Credential, Shown};
use super::error::ApiError;
use super::throttle::Counted;

/// Around every handler.
pub(super) async fn let_in(
    State((api, access)): State<(Arc<Api>, Access)>,
    address: ClientAddress,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let now = api.store.clock().now();
    if access == Access::Public {
        api.throttle.take(address.into(), now)?;
        return Ok(next.run(request).await);
    }
    let (shown, mut request) = credentials::read(&api, access, request).await?;
    let Some(caller) = find_caller(&api, address, &shown).await? else {
        api.throttle.take(address.into(), now)?;
        return Err(shown.refusal());
    };
    api.throttle.take(Counted::User(caller.user), now)?;
    caller.check(access)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

async fn find_caller(api: &Api, address: ClientAddress, shown: &Shown) -> Result<Option<Caller>, ApiError> {
    match &shown.credential {
        Some(Credential::AccessToken(token)) => find_by_session(api, address, token).await,
        _ => Ok(None),
    }
}

/// A session ends at once for every token of it (SR-32).
async fn find_by_session(api: &Api, address: ClientAddress, token: &str) -> Result<Option<Caller>, ApiError> {
    let Some(token) = AccessToken::verify(token, &api.vault, api.store.clock().now()) else {
        return Ok(None);
    };
    let principal = api.store.find_principal(token.user, token.session).await?;
    let authority = Authority::Session(token.session);
    Ok(principal.map(|principal| Caller { user: principal.id, role: principal.role, authority, address }))
}
