//! Accounts: signing up and in, sessions, passwords.

pub(super) mod departure;
pub(super) mod export;
pub(super) mod invites;
pub(super) mod me;
pub(super) mod password;
pub(super) mod refresh;
pub(super) mod reset;
pub(super) mod sessions;
pub(super) mod sign_in;
pub(super) mod sign_up;

use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::access_token::AccessToken;
use super::client_address::ClientAddress;
use super::error::{ApiError, ErrorCode};
use super::secret_token::{self, SecretToken};
use crate::store::{Allowance, NewAuditEntry, NewSession, SessionId, UserId};

/// In what time attempts to sign in are counted (SR-36).
const SIGN_IN_WINDOW: Duration = Duration::from_secs(15 * 60);
/// In what time rarer attempts are counted (SR-36).
const HOUR: Duration = Duration::from_secs(3600);

/// What somebody who signed in calls with.
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    /// For `Authorization: Bearer`; a JWT.
    token: String,
    /// How to send it.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long it is good, in seconds.
    expires_in: u64,
    /// For `POST /api/auth/refresh`, once.
    refresh_token: String,
}

/// A session that is about to begin, and what its owner gets.
struct Beginning {
    session: NewSession,
    tokens: Tokens,
}

impl Beginning {
    fn new(api: &Api, user: UserId, address: ClientAddress) -> Result<Self, ApiError> {
        let refresh = SecretToken::new()?;
        let clock = api.store.clock();
        let session = NewSession {
            id: SessionId::new(clock),
            user,
            address: address.0.to_string(),
            refresh_hash: refresh.hash,
            expires_at: clock.now().plus(api.config.http.session_life),
        };
        let tokens = tokens(api, AccessToken { user, session: session.id }, refresh.text)?;
        Ok(Self { session, tokens })
    }

    /// An entry of the audit log about it.
    fn entry(&self, action: &'static str) -> NewAuditEntry {
        NewAuditEntry {
            user: self.session.user,
            action,
            is_done: true,
            actor: format!("session:{}", self.session.id),
            subject: None,
            address: Some(self.session.address.clone()),
        }
    }
}

fn tokens(api: &Api, access: AccessToken, refresh_token: String) -> Result<Tokens, ApiError> {
    let (now, life) = (api.store.clock().now(), api.config.http.access_token_life);
    let token = access.sign(&api.vault, now, now.plus(life)).ok_or_else(ApiError::internal)?;
    Ok(Tokens { token, token_type: "Bearer", expires_in: life.as_secs(), refresh_token })
}

/// Counts a try at something that may only be tried so often.
async fn count(api: &Api, what: &str, who: &str, tries: u32, window: Duration) -> Result<(), ApiError> {
    let allowance = Allowance { name: counted(what, who), tries, window };
    match api.store.count_attempt(allowance).await? {
        None => Ok(()),
        Some(wait) => Err(ApiError::too_many(wait)),
    }
}

/// The name of a count; it does not say who is counted.
fn counted(what: &str, who: &str) -> String {
    format!("{what}:{}", secret_token::hash(who))
}

/// The account's hash, if this is its password; an account that does not exist has none, and takes as long (SR-37). What
/// is written then asks whether the account still has this hash.
async fn verify_password(
    api: &Api,
    password: SecretString,
    hash: Option<String>,
) -> Result<Option<String>, ApiError> {
    let is_right = api.passwords.check(password, hash.clone()).await?;
    Ok(hash.filter(|_| is_right))
}

/// Another password was set, or the same one hashed anew, since this one was verified.
fn changed_meanwhile() -> ApiError {
    let message = "the account has just been changed by another call; try again";
    ApiError::new(ErrorCode::Unavailable, message).after(Duration::from_secs(1))
}
