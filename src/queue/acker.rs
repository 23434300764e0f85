//! Writes what became of runs: all that waits goes into one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use super::backend::Held;
use crate::store::{Store, Ticket, Verdict};

const MOST_IN_ONE_COMMIT: usize = 512;
const DATABASE_AWAY: Duration = Duration::from_secs(1);

/// The line to the acker; it ends with its last handle.
#[derive(Clone)]
pub(super) struct Acker {
    verdicts: mpsc::Sender<Ending>,
    endings: Endings,
}

/// A verdict, the places that are free once it is written, and whom to tell then.
struct Ending {
    verdict: Verdict,
    held: Option<Held>,
    committed: oneshot::Sender<()>,
}

/// How many verdicts wait for a commit, which will free the places of their runs.
#[derive(Clone, Default)]
pub(super) struct Endings(Arc<Counter>);

#[derive(Default)]
struct Counter {
    waiting: AtomicUsize,
    committed: Notify,
}

impl Endings {
    /// Waits for the next commit, after which its places are free; answers `false` at once where nobody waits for one.
    pub(super) async fn await_commit(&self) -> bool {
        let committed = self.0.committed.notified();
        tokio::pin!(committed);
        // Before the look, so that a commit in between is heard.
        committed.as_mut().enable();
        if self.0.waiting.load(Ordering::Acquire) == 0 {
            return false;
        }
        committed.await;
        true
    }

    fn add(&self) {
        self.0.waiting.fetch_add(1, Ordering::AcqRel);
    }

    fn remove(&self, number: usize) {
        self.0.waiting.fetch_sub(number, Ordering::AcqRel);
        self.0.committed.notify_waiters();
    }
}

impl Acker {
    /// Returns once the verdict is committed, or is known to come too late.
    pub(super) async fn end(&self, verdict: Verdict, held: Option<Held>) {
        let (committed, done) = oneshot::channel();
        self.endings.add();
        if self.verdicts.send(Ending { verdict, held, committed }).await.is_ok() {
            let _ = done.await;
        } else {
            self.endings.remove(1);
        }
    }
}

pub(super) fn start(helpers: &mut JoinSet<()>, store: Store, endings: Endings) -> Acker {
    let (verdicts, waiting) = mpsc::channel(MOST_IN_ONE_COMMIT);
    helpers.spawn(write_forever(store, waiting, endings.clone()));
    Acker { verdicts, endings }
}

async fn write_forever(store: Store, mut waiting: mpsc::Receiver<Ending>, endings: Endings) {
    let mut batch = Vec::with_capacity(MOST_IN_ONE_COMMIT);
    while waiting.recv_many(&mut batch, MOST_IN_ONE_COMMIT).await > 0 {
        let ticket = store.take_ends_ticket().await;
        // What has ended at the same moment comes along.
        tokio::task::yield_now().await;
        while batch.len() < MOST_IN_ONE_COMMIT
            && let Ok(ending) = waiting.try_recv()
        {
            batch.push(ending);
        }
        write(&store, ticket, batch.iter().map(|ending| ending.verdict.clone()).collect()).await;
        let left = batch.len();
        for Ending { held, committed, .. } in batch.drain(..) {
            drop(held);
            let _ = committed.send(());
        }
        endings.remove(left);
        // A place is free, perhaps for a user who was at the cap.
        store.wake_queue();
    }
}

/// Until it is written: the lease may run out meanwhile, and then the write is refused by its epoch.
async fn write(store: &Store, mut ticket: Option<Ticket>, verdicts: Vec<Verdict>) {
    let asked = verdicts.len();
    loop {
        match store.end_leases(verdicts.clone()).await {
            Ok(ended) if ended.len() < asked => {
                tracing::warn!(late = asked - ended.len(), "verdicts came after the lease was lost");
                return;
            }
            Ok(_) => return,
            Err(error) => {
                tracing::error!(%error, "cannot write what became of runs; trying again");
                drop(ticket);
                tokio::time::sleep(DATABASE_AWAY).await;
                ticket = store.take_ends_ticket().await;
            }
        }
    }
}
