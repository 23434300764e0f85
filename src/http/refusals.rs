//! Why a genuine key or token was refused: only its owner learns that, from the audit log (SR-47).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Api;
use super::client_address::ClientAddress;
use super::uses::Used;
use crate::clock::Timestamp;
use crate::store::{NewAuditEntry, UserId};

/// Time between two entries about one credential, so that nobody fills an owner's log.
const PAUSE: Duration = Duration::from_secs(60);
/// Credentials that are remembered at once.
const MOST: usize = 10_000;

/// A genuine key or token that was refused.
pub(super) struct Refused {
    pub(super) user: UserId,
    pub(super) credential: Used,
    /// Why, as the audit log calls it.
    pub(super) action: &'static str,
    pub(super) address: ClientAddress,
}

/// Which reasons were noted lately.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<(Used, &'static str), Timestamp>>);

impl Refusals {
    fn is_news(&self, refused: &Refused, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &Timestamp| now.since(*at) < PAUSE;
        if noted.len() >= MOST {
            noted.retain(|_, at| is_recent(at));
        }
        let key = (refused.credential, refused.action);
        if noted.len() >= MOST || noted.get(&key).is_some_and(is_recent) {
            return false;
        }
        noted.insert(key, now);
        true
    }
}

/// Notes a refusal, beside the answer: that must tell nothing, not even by the time it takes.
pub(super) fn note_refusal(api: &Arc<Api>, refused: Refused) {
    if !api.refusals.is_news(&refused, api.store.clock().now()) {
        return;
    }
    let api = Arc::clone(api);
    tokio::spawn(async move {
        let subject = refused.credential.subject();
        let entry = NewAuditEntry {
            user: refused.user,
            action: refused.action,
            is_done: false,
            actor: subject.clone(),
            subject: Some(subject),
            address: Some(refused.address.0.to_string()),
        };
        if let Err(error) = api.store.add_audit_entry(entry).await {
            tracing::warn!(%error, "cannot note a refused credential");
        }
    });
}
