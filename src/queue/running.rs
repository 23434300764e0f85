//! What this process has in hand, so that it can be told to let go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::store::{Lease, RunId};

/// Whether work on a run may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    GoOn,
    /// The lease belongs to somebody else: stop, write nothing.
    LeaseLost,
    /// The process ends: stop, give the run back.
    HandBack,
}

/// The runs in hand and the line to each.
#[derive(Clone, Default)]
pub(super) struct Running {
    runs: Arc<Mutex<InHand>>,
}

type InHand = HashMap<RunId, (Lease, watch::Sender<Order>)>;

impl Running {
    pub(super) fn begin(&self, lease: Lease) -> watch::Receiver<Order> {
        let (order, orders) = watch::channel(Order::GoOn);
        self.lock().insert(lease.run, (lease, order));
        orders
    }

    /// Forgets a run, unless it has been claimed anew in the meantime.
    pub(super) fn end(&self, lease: Lease) {
        let mut runs = self.lock();
        if runs.get(&lease.run).is_some_and(|(held, _)| *held == lease) {
            runs.remove(&lease.run);
        }
    }

    pub(super) fn leases(&self) -> Vec<Lease> {
        self.lock().values().map(|(lease, _)| *lease).collect()
    }

    pub(super) fn lose(&self, lease: Lease) {
        if let Some((held, order)) = self.lock().get(&lease.run)
            && *held == lease
        {
            order.send_replace(Order::LeaseLost);
        }
    }

    pub(super) fn hand_back_all(&self) {
        for (_, order) in self.lock().values() {
            order.send_replace(Order::HandBack);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, InHand> {
        // Every critical section leaves the map whole, so a poisoned lock is still good.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
