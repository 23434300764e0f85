//! How much mail this process holds in memory while taking it in, over all mailboxes, and how much of it one owner's
//! slow mail servers may keep from the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::UserId;

const KIB: usize = 1024;
/// The share of one owner is all of it divided by this.
const SHARES: u32 = 4;

/// A budget of bytes. What is taken is what may be read: a server that says less than it sends is cut off.
#[derive(Clone)]
pub struct Room {
    permits: Arc<Semaphore>,
    all: u32,
    /// One exists only while somebody has something of it or waits.
    shares: Arc<Mutex<HashMap<UserId, Weak<Semaphore>>>>,
}

/// Bytes that are taken until this is dropped.
pub(super) struct Taken {
    _permits: Option<OwnedSemaphorePermit>,
    _of_share: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes / KIB).unwrap_or(u32::MAX).max(1);
        Self { permits: Arc::new(semaphore(all)), all, shares: Arc::default() }
    }

    /// Waits until there is room; what is larger than all of it waits for all of it. What is larger than the owner's share
    /// waits until the owner has nothing else.
    pub(super) async fn take(&self, user: UserId, bytes: usize) -> Taken {
        let wanted = u32::try_from(bytes / KIB).unwrap_or(u32::MAX).clamp(1, self.all);
        // First the share, so that whoever waits for it stands in nobody else's way.
        let of_share = self.share(user).acquire_many_owned(wanted.min(self.largest_share())).await.ok();
        let permits = Arc::clone(&self.permits).acquire_many_owned(wanted).await.ok();
        Taken { _permits: permits, _of_share: of_share }
    }

    fn share(&self, user: UserId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&user).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(semaphore(self.largest_share()));
        shares.insert(user, Arc::downgrade(&share));
        share
    }

    fn largest_share(&self) -> u32 {
        (self.all / SHARES).max(1)
    }
}

fn semaphore(permits: u32) -> Semaphore {
    Semaphore::new(usize::try_from(permits).unwrap_or(Semaphore::MAX_PERMITS))
}
