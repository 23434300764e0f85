//! So many calls per minute and caller, counted in this process: a brake for runaway programs, not a lock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::client_address::ClientAddress;
use super::error::ApiError;
use crate::clock::Timestamp;
use crate::store::UserId;

/// Callers that are remembered at once.
const MOST_CALLERS: usize = 50_000;

/// Who is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// A signed-in user, wherever they are.
    User(UserId),
    /// Whoever is at this address, or in this network.
    Address(IpAddr),
}

impl From<ClientAddress> for Counted {
    fn from(address: ClientAddress) -> Self {
        Self::Address(address.counted())
    }
}

/// What is left of somebody's minute.
struct Bucket {
    calls: f64,
    filled_at: Timestamp,
}

/// The buckets, each refilled all the time.
pub(super) struct Throttle {
    per_minute: u32,
    buckets: Mutex<HashMap<Counted, Bucket>>,
}

impl Throttle {
    /// 0 for no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute, buckets: Mutex::default() }
    }

    /// Takes one call out of a caller's minute.
    pub(super) fn take(&self, counted: Counted, now: Timestamp) -> Result<(), ApiError> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let most = f64::from(self.per_minute);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_CALLERS && !buckets.contains_key(&counted) {
            buckets.retain(|_, bucket| bucket.refilled(most, now) < most);
            if buckets.len() >= MOST_CALLERS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(counted).or_insert(Bucket { calls: most, filled_at: now });
        bucket.calls = bucket.refilled(most, now);
        bucket.filled_at = now;
        if bucket.calls < 1.0 {
            return Err(ApiError::too_many(Duration::from_secs_f64((1.0 - bucket.calls) * 60.0 / most)));
        }
        bucket.calls -= 1.0;
        Ok(())
    }
}

impl Bucket {
    fn refilled(&self, most: f64, now: Timestamp) -> f64 {
        let passed = now.since(self.filled_at).as_secs_f64();
        (self.calls + passed * most / 60.0).min(most)
    }
}
