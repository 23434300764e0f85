//! Whether a token is good for a call. The order of the checks is that of SR-50: form, key, seal, time, user and maker,
//! purpose, AI configuration, then model, agent and address; the one atomic use comes last, when nothing else can refuse
//! the call at the door.

use std::sync::Arc;

use uuid::Uuid;

use super::contents::Contents;
use super::keys::carried;
use super::pass::{Means, Pass};
use crate::clock::Timestamp;
use crate::http::Api;
use crate::http::access::{Access, Purpose, Scope};
use crate::http::caller::{Authority, Caller};
use crate::http::client_address::ClientAddress;
use crate::http::error::ApiError;
use crate::http::networks;
use crate::http::refusals::{Refused, note_refusal};
use crate::http::uses::{Used, note_use};
use crate::store::{AgentId, AiConfigurationId, ShownSecurityToken, UserId};

/// What a call wants.
pub(in crate::http) struct Wish<'c> {
    /// What its route needs.
    pub(in crate::http) access: Access,
    /// The id in its path.
    pub(in crate::http) id: Option<Uuid>,
    /// The model in its body.
    pub(in crate::http) model: Option<&'c str>,
    /// From where it comes.
    pub(in crate::http) address: ClientAddress,
}

/// Whoever may call with it; `None` for everything that is no good token here and now.
pub(in crate::http) async fn find_caller(
    api: &Arc<Api>,
    token: &str,
    wish: &Wish<'_>,
) -> Result<Option<Caller>, ApiError> {
    let Some(contents) = Contents::open(&api.vault, token) else { return Ok(None) };
    let user = UserId::from_uuid(contents.tid);
    let Some(stored) = api.store.find_shown_security_token(user, &contents.jti_hash()).await? else {
        return Ok(None);
    };
    let credential = Used::SecurityToken(stored.id);
    if let Err(action) = check(&contents, &stored, wish, api.store.clock().now()) {
        note_refusal(api, Refused { user, credential, action, address: wish.address });
        return Ok(None);
    }
    let (role, address) = (stored.role, wish.address);
    Ok(pass(&contents, &stored).map(|pass| {
        let authority = Authority::SecurityToken(Arc::new(pass));
        Caller { user, role, authority, address }
    }))
}

/// Uses a token once. Answers whether it could be used: another call may have been faster.
pub(in crate::http) async fn spend(api: &Arc<Api>, caller: &Caller, pass: &Pass) -> Result<bool, ApiError> {
    if pass.is_counted {
        return Ok(api.store.use_security_token(pass.token, caller.address.0.to_string()).await?);
    }
    note_use(api, Used::SecurityToken(pass.token), caller.address);
    Ok(true)
}

/// Or what the audit log calls the reason.
fn check(
    contents: &Contents,
    stored: &ShownSecurityToken,
    wish: &Wish<'_>,
    now: Timestamp,
) -> Result<(), &'static str> {
    let Access::Purpose(purpose) = wish.access else { return Err("security_token_used_otherwise") };
    let checks = [
        (contents.is_good_at(now) && now < stored.expires_at, "security_token_used_expired"),
        (stored.revoked_at.is_none(), "security_token_used_revoked"),
        (has_maker(stored, now), "security_token_used_without_its_key"),
        (contents.pur == purpose.as_str(), "security_token_used_otherwise"),
        (has_configuration(contents, stored, purpose, wish), "security_token_used_otherwise"),
        (may_ask(contents, purpose, wish), "security_token_used_for_another_model"),
        (may_be(contents, purpose, wish), "security_token_used_for_another_agent"),
        (is_admitted(contents, wish.address), "security_token_used_elsewhere"),
        (stored.max_uses.is_none_or(|most| stored.uses < most), "security_token_used_up"),
    ];
    checks.into_iter().find(|(is_good, _)| !is_good).map_or(Ok(()), |(_, reason)| Err(reason))
}

/// Whoever made it can still make some.
fn has_maker(stored: &ShownSecurityToken, now: Timestamp) -> bool {
    let is_good = stored.maker_revoked_at.is_none() && stored.maker_expires_at.is_none_or(|end| now < end);
    let may_make = stored.maker_scopes.0.iter().any(|scope| scope == Scope::TokensCreate.as_str());
    stored.maker.is_none() || (is_good && may_make)
}

/// The row goes with its AI configuration, so that one that is there has it still.
fn has_configuration(
    contents: &Contents,
    stored: &ShownSecurityToken,
    purpose: Purpose,
    wish: &Wish<'_>,
) -> bool {
    let is_same = stored.ai_configuration_id.map(AiConfigurationId::uuid) == contents.cfg;
    is_same && (purpose != Purpose::ConfigVerify || wish.id == contents.cfg)
}

fn may_ask(contents: &Contents, purpose: Purpose, wish: &Wish<'_>) -> bool {
    let is_listed = |model| contents.mdl.iter().any(|listed| listed == model);
    purpose != Purpose::ChatCompletion || contents.mdl.is_empty() || wish.model.is_some_and(is_listed)
}

fn may_be(contents: &Contents, purpose: Purpose, wish: &Wish<'_>) -> bool {
    let names_agent = matches!(purpose, Purpose::AgentRun | Purpose::AgentPreview);
    !names_agent || contents.agt.is_none() || wish.id == contents.agt
}

fn is_admitted(contents: &Contents, ClientAddress(address): ClientAddress) -> bool {
    let Some(allowed) = networks::from_words(&contents.ip) else { return false };
    allowed.is_empty() || allowed.iter().any(|network| network.contains(&address))
}

fn pass(contents: &Contents, stored: &ShownSecurityToken) -> Option<Pass> {
    let means = match contents.cfg {
        Some(id) => Means::Configuration(AiConfigurationId::from_uuid(id)),
        None => Means::Keys(carried(contents)),
    };
    Some(Pass {
        token: stored.id,
        purpose: Purpose::parse(&contents.pur)?,
        means,
        models: contents.mdl.clone(),
        agent: contents.agt.map(AgentId::from_uuid),
        is_counted: stored.max_uses.is_some(),
    })
}
