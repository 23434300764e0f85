//! Who may ask a server now. More steps at once would only share its processors, each with fewer runs in it: while a step
//! waits for its ticket, other runs come to it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Store;

/// Hands out tickets, in the order in which they were asked for.
#[derive(Clone)]
pub(super) struct Tickets(Arc<Semaphore>);

impl Tickets {
    /// So many at once.
    pub(super) fn new(most: u32) -> Self {
        Self(Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1))))
    }

    pub(super) async fn take(&self) -> Ticket {
        // Nobody closes it, so there is always a permit.
        Ticket { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

/// A step may go to the server until this is dropped.
pub struct Ticket {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Waits until a step of runs may go to the server; `None` for a file, whose writer takes everybody's in turn anyway.
    pub async fn take_ticket(&self) -> Option<Ticket> {
        match &self.pool.groups().tickets {
            Some(tickets) => Some(tickets.take().await),
            None => None,
        }
    }
}
