//! How much mail this process holds in memory while taking it in, over all mailboxes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: usize = 1024;

/// A budget of bytes. What is taken is what may be read: a server that says less than it sends is cut off.
#[derive(Clone)]
pub struct Room {
    permits: Arc<Semaphore>,
    all: u32,
}

/// Bytes that are taken until this is dropped.
pub(super) struct Taken {
    _permits: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes / KIB).unwrap_or(u32::MAX).max(1);
        let permits = Arc::new(Semaphore::new(usize::try_from(all).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { permits, all }
    }

    /// Waits until there is room; what is larger than all of it waits for all of it.
    pub(super) async fn take(&self, bytes: usize) -> Taken {
        let wanted = u32::try_from(bytes / KIB).unwrap_or(u32::MAX).clamp(1, self.all);
        Taken { _permits: Arc::clone(&self.permits).acquire_many_owned(wanted).await.ok() }
    }
}
