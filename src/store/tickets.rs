//! Who may ask a server now. More at once would only share its processors: while a step of runs waits for its ticket, other
//! runs come to it.

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

/// Whoever has it may go to the server until it is dropped.
pub struct Ticket {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Waits until a step of runs, or a look at their replies, may go to the server; `None` for a file, whose writer takes
    /// everybody's in turn anyway.
    pub async fn take_ticket(&self) -> Option<Ticket> {
        take(self.pool.groups().tickets.as_ref()).await
    }

    /// The same for the ends of runs.
    pub async fn take_ends_ticket(&self) -> Option<Ticket> {
        take(self.pool.groups().of_writes.as_ref()).await
    }

    /// The same for mails that are taken in.
    pub(super) async fn take_arrivals_ticket(&self) -> Option<Ticket> {
        take(self.pool.groups().of_arrivals.as_ref()).await
    }
}

async fn take(tickets: Option<&Tickets>) -> Option<Ticket> {
    match tickets {
        Some(tickets) => Some(tickets.take().await),
        None => None,
    }
}
