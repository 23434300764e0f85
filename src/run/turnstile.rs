//! At most so many at once, for each of many: calls per AI configuration, chats per user, connections per mailbox.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Turnstiles by key; one exists only while somebody is in it or waits.
#[derive(Clone)]
pub(super) struct Turnstiles<K> {
    at_once: usize,
    open: Arc<Mutex<HashMap<K, Weak<Semaphore>>>>,
}

impl<K: Copy + Eq + Hash> Turnstiles<K> {
    pub(super) fn new(at_once: u32) -> Self {
        Self { at_once: usize::try_from(at_once).unwrap_or(1).max(1), open: Arc::default() }
    }

    /// Returns when there is room; the room is kept until the pass is dropped.
    pub(super) async fn pass(&self, key: K) -> Pass {
        let turnstile = self.find(key);
        // It is never closed, so that waiting always ends with a permit.
        let permit = Arc::clone(&turnstile).acquire_owned().await.ok();
        Pass { _turnstile: turnstile, _permit: permit }
    }

    /// Room, if there is any right now.
    pub(super) fn try_pass(&self, key: K) -> Option<Pass> {
        let turnstile = self.find(key);
        let permit = Arc::clone(&turnstile).try_acquire_owned().ok()?;
        Some(Pass { _turnstile: turnstile, _permit: Some(permit) })
    }

    fn find(&self, key: K) -> Arc<Semaphore> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turnstile) = open.get(&key).and_then(Weak::upgrade) {
            return turnstile;
        }
        open.retain(|_, turnstile| turnstile.strong_count() > 0);
        let turnstile = Arc::new(Semaphore::new(self.at_once));
        open.insert(key, Arc::downgrade(&turnstile));
        turnstile
    }
}

/// Room in a turnstile.
pub(super) struct Pass {
    _turnstile: Arc<Semaphore>,
    _permit: Option<OwnedSemaphorePermit>,
}
