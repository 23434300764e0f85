//! Whose turn it is to ask a server. More steps at once would only share its processors, each with fewer runs in it: while
//! a step waits for its turn, other runs come to it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Store;

/// Hands out turns, in the order in which they were asked for.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Turns {
    /// So many at once.
    pub(super) fn new(most: u32) -> Self {
        Self(Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1))))
    }

    pub(super) async fn take(&self) -> Turn {
        // Nobody closes it, so there is always a permit.
        Turn { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

/// A step may go to the server until this is dropped.
pub struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Waits until a step of runs may go to the server; `None` for a file, whose writer takes everybody's in turn anyway.
    pub async fn take_turn(&self) -> Option<Turn> {
        match &self.pool.groups().turns {
            Some(turns) => Some(turns.take().await),
            None => None,
        }
    }
}
