//! Writes what became of runs: all that waits goes into one commit.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::store::{Store, Verdict};

const MOST_IN_ONE_COMMIT: usize = 512;
const DATABASE_AWAY: Duration = Duration::from_secs(1);

/// The line to the acker; it ends with its last handle.
#[derive(Clone)]
pub(super) struct Acker {
    verdicts: mpsc::Sender<(Verdict, oneshot::Sender<()>)>,
}

impl Acker {
    /// Returns once the verdict is committed, or is known to come too late.
    pub(super) async fn end(&self, verdict: Verdict) {
        let (committed, done) = oneshot::channel();
        if self.verdicts.send((verdict, committed)).await.is_ok() {
            let _ = done.await;
        }
    }
}

pub(super) fn start(helpers: &TaskTracker, store: Store) -> Acker {
    let (verdicts, waiting) = mpsc::channel(MOST_IN_ONE_COMMIT);
    helpers.spawn(write_forever(store, waiting));
    Acker { verdicts }
}

async fn write_forever(store: Store, mut waiting: mpsc::Receiver<(Verdict, oneshot::Sender<()>)>) {
    let mut batch = Vec::with_capacity(MOST_IN_ONE_COMMIT);
    while waiting.recv_many(&mut batch, MOST_IN_ONE_COMMIT).await > 0 {
        let (verdicts, committed): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        write(&store, verdicts).await;
        for done in committed {
            let _ = done.send(());
        }
        // A place is free, perhaps for a user who was at the cap.
        store.wake_queue();
    }
}

/// Until it is written: the lease may run out meanwhile, and then the write is refused by its epoch.
async fn write(store: &Store, verdicts: Vec<Verdict>) {
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
                tokio::time::sleep(DATABASE_AWAY).await;
            }
        }
    }
}
