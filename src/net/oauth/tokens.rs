//! From credentials to a login: the token that is there, or the one request that fetches it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::ready;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::cache::{Cache, Fingerprint, Flight, State};
use super::error::OAuthError;
use super::refresh::refresh;
use super::{Credentials, Grant};
use crate::clock::Clock;
use crate::net::error::NetError;
use crate::net::http::HttpClients;
use crate::net::login::Login;

/// Accounts whose tokens are kept.
const MOST_ACCOUNTS: usize = 10_000;

/// Turns credentials into logins; one per process, cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
}

struct Shared {
    clients: HttpClients,
    clock: Clock,
    /// Never locked across a request.
    cache: Mutex<Cache>,
}

impl Tokens {
    /// Fetches through these clients and reads the time from this clock. Keeps the tokens of 10,000 accounts;
    /// beyond that, those that were not used for the longest time go.
    pub fn new(clients: HttpClients, clock: Clock) -> Self {
        Self::with_room(clients, clock, MOST_ACCOUNTS)
    }

    /// As [`Tokens::new`], with room for another number of accounts, at least one.
    pub fn with_room(clients: HttpClients, clock: Clock, accounts: usize) -> Self {
        let cache = Mutex::new(Cache::with_room(accounts));
        Self { shared: Arc::new(Shared { clients, clock, cache }) }
    }

    /// What to log in with now: the password as it is, or an access token that is valid for another 60 s if
    /// the server grants any that long. Of all logins of an account that need a new token, one fetches it and
    /// the others share what comes of it. A caller that goes away does not stop the fetch, since the answer may
    /// hold the only valid refresh token.
    ///
    /// # Errors
    /// [`OAuthError`] if an access token is needed and cannot be fetched.
    pub async fn login(&self, account: Uuid, credentials: Credentials) -> Result<Login, OAuthError> {
        let grant = match credentials {
            Credentials::Password { username, password } => {
                return Ok(Login::Password { username, password });
            }
            Credentials::Refresh(grant) => grant,
        };
        let username = grant.username.clone();
        let flight = self.find_or_fetch(account, grant);
        Ok(Login::Xoauth2 { username, access_token: flight.await? })
    }

    /// After the server refused the token: the next login fetches a fresh one.
    pub fn forget(&self, account: Uuid) {
        self.shared.cache().forget(account);
    }

    fn find_or_fetch(&self, account: Uuid, grant: Grant) -> Flight {
        let fingerprint = fingerprint(&grant);
        let mut cache = self.shared.cache();
        let entry = cache.entry(account, fingerprint);
        match &entry.state {
            State::Held(access) if access.is_usable_at(self.shared.clock.now()) => {
                return ready(Ok(access.token.clone())).boxed().shared();
            }
            // One that ended and is still here never reached the cache: its task was stopped.
            State::Fetching(flight) if flight.peek().is_none() => return flight.clone(),
            State::Empty | State::Held(_) | State::Fetching(_) => {}
        }
        let refresh_token = entry.refresh_token.clone().unwrap_or_else(|| grant.refresh_token.clone());
        let flight = self.fetch(account, fingerprint, Grant { refresh_token, ..grant });
        entry.state = State::Fetching(flight.clone());
        flight
    }

    /// Starts the request; the cache is locked, so that it cannot end before it is noted.
    fn fetch(&self, account: Uuid, fingerprint: Fingerprint, grant: Grant) -> Flight {
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            let asked_at = shared.clock.now();
            let outcome = refresh(&shared.clients, &grant).await;
            shared.cache().settle(account, fingerprint, asked_at, outcome)
        });
        task.map(|ended| ended.unwrap_or(Err(OAuthError::Net(NetError::Closed)))).boxed().shared()
    }
}

impl Shared {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells grants apart, so that changed credentials are never served with the tokens of the former ones.
fn fingerprint(grant: &Grant) -> Fingerprint {
    let secret = grant.client_secret.as_ref().map(SecretString::expose_secret);
    let fields = [
        grant.username.as_str(),
        grant.client_id.as_str(),
        grant.token_url.as_str(),
        grant.refresh_token.expose_secret(),
        secret.unwrap_or_default(),
    ];
    let mut hash = Sha256::new_with_prefix([u8::from(secret.is_some())]);
    for field in fields {
        // The length keeps two fields from passing for two others with the border elsewhere.
        hash.update(field.len().to_le_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}
