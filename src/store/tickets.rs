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
    fn new(most: u32) -> Self {
        Self(Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1))))
    }

    pub(super) async fn take(&self) -> Ticket {
        // Nobody closes it, so there is always a permit.
        Ticket { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

/// A server's tickets, by what they are for.
#[derive(Clone)]
pub(super) struct ServerTickets {
    /// Steps of runs, and looks at their replies.
    pub(super) steps: Tickets,
    /// The heaviest writes and the ends of runs: while one of them is on its way, others gather.
    pub(super) writes: Tickets,
    /// Mails that are taken in. They wait for other connections, and for whoever holds a mailbox: no run is to wait behind
    /// them.
    arrivals: Tickets,
}

impl ServerTickets {
    /// For steps and writes so many at once together.
    pub(super) fn new(at_once: u32) -> Self {
        Self {
            steps: Tickets::new(at_once.saturating_sub(1).max(1)),
            writes: Tickets::new(1),
            arrivals: Tickets::new(at_once),
        }
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
        self.take(|tickets| &tickets.steps).await
    }

    /// The same for the ends of runs.
    pub async fn take_ends_ticket(&self) -> Option<Ticket> {
        self.take(|tickets| &tickets.writes).await
    }

    /// The same for mails that are taken in.
    pub(super) async fn take_arrivals_ticket(&self) -> Option<Ticket> {
        self.take(|tickets| &tickets.arrivals).await
    }

    async fn take(&self, pick: fn(&ServerTickets) -> &Tickets) -> Option<Ticket> {
        match &self.pool.groups().tickets {
            Some(tickets) => Some(pick(tickets).take().await),
            None => None,
        }
    }
}
