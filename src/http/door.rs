//! Before every handler: who it is, whether they come too often, and whether they may.

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::access::Access;
use super::access_token::AccessToken;
use super::caller::{Authority, Caller};
use super::client_address::ClientAddress;
use super::credentials::{self, Credential, Shown};
use super::error::ApiError;
use super::security_tokens::redeem::{self, Wish};
use super::throttle::Counted;
use super::uses::{Used, note_use};
use super::{Api, api_keys};

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
    let id = id_in_path(&mut request).await;
    let wish = Wish { access, id, model: shown.model.as_deref(), address };
    let Some(caller) = find_caller(&api, &shown, &wish).await? else {
        api.throttle.take(address.into(), now)?;
        return Err(shown.refusal());
    };
    api.throttle.take(Counted::User(caller.user), now)?;
    caller.check(access)?;
    if !note(&api, &caller).await? {
        return Err(shown.refusal());
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

async fn find_caller(api: &Arc<Api>, shown: &Shown, wish: &Wish<'_>) -> Result<Option<Caller>, ApiError> {
    match &shown.credential {
        Some(Credential::AccessToken(token)) => find_by_session(api, wish.address, token).await,
        Some(Credential::ApiKey(key)) => api_keys::identify::find_caller(api, wish.address, key).await,
        Some(Credential::SecurityToken(token)) => redeem::find_caller(api, token, wish).await,
        None => Ok(None),
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

/// Notes the use of what is counted. Answers whether it could be used (once more).
async fn note(api: &Arc<Api>, caller: &Caller) -> Result<bool, ApiError> {
    match &caller.authority {
        Authority::Session(_) => Ok(true),
        Authority::ApiKey(key, _) => {
            note_use(api, Used::ApiKey(*key), caller.address);
            Ok(true)
        }
        Authority::SecurityToken(pass) => redeem::spend(api, caller, pass).await,
    }
}

/// What a purpose is about, where a path names it.
async fn id_in_path(request: &mut Request) -> Option<uuid::Uuid> {
    let parameters = request.extract_parts::<RawPathParams>().await.ok()?;
    let (_, id) = parameters.iter().find(|(name, _)| *name == "id")?;
    id.parse().ok()
}
