//! When keys and tokens were last used, and how often: counted here and written at most once a minute each (SR-42), so
//! that a call waits for no write. A process that ends forgets at most the uses of its last minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Api;
use super::client_address::ClientAddress;
use crate::clock::Timestamp;
use crate::store::{ApiKeyId, SecurityTokenId, StoreError};

/// Time between two writes about one credential.
const PAUSE: Duration = Duration::from_secs(60);
/// Credentials that are remembered at once.
const MOST: usize = 10_000;

/// What was used.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Used {
    /// A platform API key.
    ApiKey(ApiKeyId),
    /// A security token.
    SecurityToken(SecurityTokenId),
}

impl Used {
    /// What the audit log calls it.
    pub(super) fn subject(self) -> String {
        match self {
            Self::ApiKey(key) => format!("api_key:{key}"),
            Self::SecurityToken(token) => format!("security_token:{token}"),
        }
    }
}

/// Uses that are not written yet.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashMap<Used, Tally>>);

struct Tally {
    uses: i64,
    last: (Timestamp, ClientAddress),
    written_at: Option<Timestamp>,
}

impl Uses {
    fn tallies(&self) -> MutexGuard<'_, HashMap<Used, Tally>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a use. The first one since the last write answers how long to wait with the next one.
    fn count(&self, used: Used, now: Timestamp, address: ClientAddress) -> Option<Duration> {
        let mut tallies = self.tallies();
        if tallies.len() >= MOST {
            let is_news = |at: Timestamp| now.since(at) < PAUSE;
            tallies.retain(|_, tally| tally.uses > 0 || tally.written_at.is_some_and(is_news));
        }
        let fresh = Tally { uses: 0, last: (now, address), written_at: None };
        let tally = tallies.entry(used).or_insert(fresh);
        tally.uses += 1;
        tally.last = (now, address);
        let written_at = tally.written_at;
        (tally.uses == 1).then(|| written_at.map_or(Duration::ZERO, |at| at.plus(PAUSE).since(now)))
    }

    /// What is to be written now.
    fn take(&self, used: Used, now: Timestamp) -> Option<(i64, (Timestamp, ClientAddress))> {
        let mut tallies = self.tallies();
        let tally = tallies.get_mut(&used)?;
        tally.written_at = Some(now);
        Some((std::mem::take(&mut tally.uses), tally.last))
    }
}

/// Notes a use, beside the call.
pub(super) fn note_use(api: &Arc<Api>, used: Used, address: ClientAddress) {
    let Some(wait) = api.uses.count(used, api.store.clock().now(), address) else { return };
    let api = Arc::clone(api);
    tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        if let Err(error) = write(&api, used).await {
            tracing::warn!(%error, "cannot note the use of a credential");
        }
    });
}

async fn write(api: &Api, used: Used) -> Result<(), StoreError> {
    let Some((uses, (at, address))) = api.uses.take(used, api.store.clock().now()) else { return Ok(()) };
    let last = (at, address.0.to_string());
    match used {
        Used::ApiKey(key) => api.store.note_api_key_uses(key, uses, last).await,
        Used::SecurityToken(token) => api.store.note_security_token_uses(token, uses, last).await,
    }
}
