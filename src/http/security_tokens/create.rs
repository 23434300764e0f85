//! Making a token (SR-48): on the server of a front end, never in a browser.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::contents::{Contents, seconds};
use super::keys::{Given, check_keys};
use super::subject;
use crate::clock::Timestamp;
use crate::http::Api;
use crate::http::access::Purpose;
use crate::http::caller::{Authority, Caller};
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::networks::{Network, to_words};
use crate::http::texts::{Line, Secret};
use crate::store::{AgentId, AiConfigurationId, NewSecurityToken, SecurityTokenId};
use crate::vault::LONGEST_SECURITY_TOKEN;

/// How long a token is good unless it is said, in minutes.
const USUAL_MINUTES: u32 = 360;
/// Models that one token may name.
const MOST_MODELS: usize = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// A new security token; exactly one of `configId` and `apiKeys`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewSecurityTokenInput {
    /// What for, and nothing else.
    purpose: Purpose,
    /// The AI configuration whose key is used.
    #[serde(default, alias = "config_id")]
    config_id: Option<Uuid>,
    /// Keys by provider (1 to 4) that travel inside the token and are stored nowhere, for `chat.completion`. They stay
    /// valid at their providers when the token is over. One for `custom` goes to the `baseUrl` that your AI configuration
    /// says now, and nowhere once that says another one.
    #[serde(default, alias = "api_keys")]
    api_keys: Option<BTreeMap<String, Secret>>,
    /// How long it is good; shorter is better. The operator may allow more than a day.
    #[serde(default, alias = "expires_in_minutes")]
    #[schema(minimum = 1, maximum = 1440, default = 360)]
    expires_in_minutes: Option<u32>,
    /// How often it can be used; as often as one likes if left out.
    #[serde(default, alias = "max_uses")]
    #[schema(minimum = 1)]
    max_uses: Option<u32>,
    /// Must be null: prices are not known here.
    #[serde(default, alias = "max_cost_usd")]
    #[schema(value_type = Option<()>)]
    max_cost_usd: Option<f64>,
    /// The only models that may be asked, for `chat.completion`.
    #[serde(default)]
    #[schema(max_items = 20)]
    models: Vec<Line>,
    /// The only agent that it is for, for `agent.run` and `agent.preview`.
    #[serde(default, alias = "agent_id")]
    agent_id: Option<Uuid>,
    /// Networks from which alone it is good.
    #[serde(default, alias = "ip_allow")]
    #[schema(max_items = 100)]
    ip_allow: Vec<Network>,
}

/// A security token that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewSecurityTokenAnswer {
    /// Its id, to revoke it.
    id: String,
    /// The token; shown this once.
    #[schema(example = "pkst1.k1.AwMDAwMD..")]
    token: String,
    /// What for.
    #[schema(example = "chat.completion")]
    purpose: &'static str,
    /// Until when it is good. A token that is made with a platform API key does not outlast that key.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Make a security token.
///
/// It is sent as `X-Security-Token`, as the field `security_token`, or as the bearer. It is over at its end, when it is
/// revoked or used up, when the password changes, and when the AI configuration, the agent or the platform API key is
/// gone that it hangs on. It is shown this once, also where the call carries an `Idempotency-Key`.
#[utoipa::path(
    post, path = "/api/v1/security-tokens", tag = "security-tokens", request_body = NewSecurityTokenInput,
    responses(
        (status = CREATED, description = "The token; it is shown this once.", body = NewSecurityTokenAnswer),
        (status = CONFLICT, description = "As many are good as may be.", body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<NewSecurityTokenInput>,
) -> Result<(StatusCode, Json<NewSecurityTokenAnswer>), ApiError> {
    check_fit(&input)?;
    check_own(&api, &caller, &input).await?;
    let now = api.store.clock().now();
    let expires_at = find_end(&api, &caller, input.expires_in_minutes, now)?;
    let max_uses = check_uses(input.max_uses)?;
    let contents = contents(&api, &caller, &input, (now, expires_at)).await?;
    let token = contents.seal(&api.vault)?;
    if token.len() > LONGEST_SECURITY_TOKEN {
        let problem =
            format!("make a token of more than {LONGEST_SECURITY_TOKEN} bytes; give fewer or shorter ones");
        return Err(ApiError::field("apiKeys", &problem));
    }
    let new = NewSecurityToken {
        id: SecurityTokenId::new(api.store.clock()),
        jti_hash: contents.jti_hash(),
        api_key: maker(&caller),
        purpose: input.purpose.as_str(),
        ai_configuration: input.config_id.map(AiConfigurationId::from_uuid),
        agent: input.agent_id.map(AgentId::from_uuid),
        expires_at,
        max_uses,
    };
    let id = new.id;
    let most = api.config.http.security_tokens_per_user;
    if !api.store.add_security_token(new, most, caller.entry("security_token_made", subject(id))).await? {
        return Err(too_many(most));
    }
    let (purpose, expires_at) = (input.purpose.as_str(), expires_at.to_string());
    Ok((StatusCode::CREATED, Json(NewSecurityTokenAnswer { id: id.to_string(), token, purpose, expires_at })))
}

/// What does not go together.
fn check_fit(input: &NewSecurityTokenInput) -> Result<(), ApiError> {
    if input.config_id.is_some() == input.api_keys.is_some() {
        return Err(ApiError::field("configId", "or `apiKeys` must be given, and not both"));
    }
    if input.max_cost_usd.is_some() {
        return Err(ApiError::field(
            "maxCostUsd",
            "must be null: prices are not known here; limit `maxUses`",
        ));
    }
    let is_chat = input.purpose == Purpose::ChatCompletion;
    if !is_chat && input.api_keys.is_some() {
        return Err(ApiError::field("apiKeys", "must be left out: only `chat.completion` takes keys along"));
    }
    let has_agent = matches!(input.purpose, Purpose::AgentRun | Purpose::AgentPreview);
    if !has_agent && input.agent_id.is_some() {
        return Err(ApiError::field("agentId", "must be left out: no agent is part of this purpose"));
    }
    if input.models.len() > MOST_MODELS || (!is_chat && !input.models.is_empty()) {
        let problem = format!("must be at most {MOST_MODELS} models, and only for `chat.completion`");
        return Err(ApiError::field("models", &problem));
    }
    Ok(())
}

/// What is somebody else's is as unknown as what is nobody's.
async fn check_own(api: &Api, caller: &Caller, input: &NewSecurityTokenInput) -> Result<(), ApiError> {
    if let Some(id) = input.config_id.map(AiConfigurationId::from_uuid)
        && api.store.find_ai_configuration(caller.user, Some(id)).await?.is_none()
    {
        return Err(ApiError::field("configId", "must be one of your own AI configurations"));
    }
    if let Some(id) = input.agent_id.map(AgentId::from_uuid)
        && api.store.find_agent(caller.user, id).await?.is_none()
    {
        return Err(ApiError::field("agentId", "must be one of your own agents"));
    }
    Ok(())
}

/// A token does not outlast the key that it is made with (SR-44).
fn find_end(api: &Api, caller: &Caller, minutes: Option<u32>, now: Timestamp) -> Result<Timestamp, ApiError> {
    let longest = api.config.http.security_token_life;
    let usual = (USUAL_MINUTES * MINUTE).min(longest);
    let life = minutes.map_or(usual, |minutes| minutes * MINUTE);
    if life < MINUTE || life > longest {
        let problem = format!("must be a whole number from 1 to {}", longest.as_secs() / MINUTE.as_secs());
        return Err(ApiError::field("expiresInMinutes", &problem));
    }
    // Whole seconds, as inside the token.
    let end = Timestamp::from_millis(seconds(now.plus(life)).saturating_mul(1000));
    let makers_end = caller.rights().and_then(|rights| rights.expires_at);
    Ok(makers_end.map_or(end, |makers_end| makers_end.min(end)))
}

fn check_uses(max_uses: Option<u32>) -> Result<Option<i64>, ApiError> {
    if max_uses == Some(0) {
        return Err(ApiError::field("maxUses", "must be a whole number from 1"));
    }
    Ok(max_uses.map(i64::from))
}

async fn contents(
    api: &Api,
    caller: &Caller,
    input: &NewSecurityTokenInput,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<Contents, ApiError> {
    let Given { keys, base_urls } = match &input.api_keys {
        Some(given) => check_keys(api, caller, given).await?,
        None => Given::default(),
    };
    Ok(Contents {
        jti: Contents::new_name()?,
        tid: caller.user.uuid(),
        uid: Some(caller.user.uuid()),
        iat: seconds(now),
        nbf: None,
        exp: seconds(expires_at),
        pur: input.purpose.as_str().to_owned(),
        cfg: input.config_id,
        keys,
        url: base_urls,
        mdl: input.models.iter().map(|model| model.0.clone()).collect(),
        agt: input.agent_id,
        ip: to_words("ipAllow", &input.ip_allow)?.0,
    })
}

fn maker(caller: &Caller) -> Option<crate::store::ApiKeyId> {
    match caller.authority {
        Authority::ApiKey(key, _) => Some(key),
        Authority::Session(_) | Authority::SecurityToken(_) => None,
    }
}

fn too_many(most: u32) -> ApiError {
    let message = format!("{most} of your tokens are good, and no more may be; revoke some, or let them end");
    ApiError::new(ErrorCode::LimitReached, message)
}
