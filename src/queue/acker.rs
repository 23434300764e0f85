//! Writes what became of runs: all that waits goes into one commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use super::backend::Held;
use crate::store::{Store, StoreError, Ticket, UserId, Verdict};

const MOST_IN_ONE_COMMIT: usize = 512;
const BEFORE_ANOTHER_TRY: Duration = Duration::from_secs(1);

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
    let (mut apart, turn) = (JoinSet::new(), Arc::default());
    while waiting.recv_many(&mut batch, MOST_IN_ONE_COMMIT).await > 0 {
        let ticket = store.take_ends_ticket().await;
        // What has ended at the same moment comes along.
        tokio::task::yield_now().await;
        while batch.len() < MOST_IN_ONE_COMMIT
            && let Ok(ending) = waiting.try_recv()
        {
            batch.push(ending);
        }
        if write(&store, ticket, &batch).await.is_ok() {
            finish(&store, &endings, &mut batch);
            continue;
        }
        // It may be one user's rows that nobody gets at: the others' endings do not wait for them.
        for of_user in by_user(batch.drain(..)) {
            apart.spawn(write_apart(store.clone(), of_user, endings.clone(), Arc::clone(&turn)));
        }
        while apart.try_join_next().is_some() {}
    }
    while apart.join_next().await.is_some() {}
}

/// Until it is written, or refused.
async fn write(store: &Store, mut ticket: Option<Ticket>, batch: &[Ending]) -> Result<(), StoreError> {
    loop {
        match write_once(store, batch).await {
            Err(error) if error.is_away() => drop(ticket),
            written => return written,
        }
        tokio::time::sleep(BEFORE_ANOTHER_TRY).await;
        ticket = store.take_ends_ticket().await;
    }
}

fn by_user(endings: impl Iterator<Item = Ending>) -> impl Iterator<Item = Vec<Ending>> {
    let mut of_users: HashMap<UserId, Vec<Ending>> = HashMap::new();
    for ending in endings {
        of_users.entry(ending.verdict.lease.user).or_default().push(ending);
    }
    of_users.into_values()
}

/// Until it is written; without a ticket, which would keep the others' endings, and with one connection for all who wait.
async fn write_apart(store: Store, mut batch: Vec<Ending>, endings: Endings, turn: Arc<Mutex<()>>) {
    loop {
        let ours = turn.lock().await;
        if write_once(&store, &batch).await.is_ok() {
            return finish(&store, &endings, &mut batch);
        }
        drop(ours);
        tokio::time::sleep(BEFORE_ANOTHER_TRY).await;
    }
}

/// Frees the places, and tells whoever waits.
fn finish(store: &Store, endings: &Endings, batch: &mut Vec<Ending>) {
    let left = batch.len();
    for Ending { held, committed, .. } in batch.drain(..) {
        drop(held);
        let _ = committed.send(());
    }
    endings.remove(left);
    // A place is free, perhaps for a user who was at the cap.
    store.wake_queue();
}

/// The lease may have run out meanwhile; then the write is refused by its epoch.
async fn write_once(store: &Store, batch: &[Ending]) -> Result<(), StoreError> {
    let verdicts: Vec<Verdict> = batch.iter().map(|ending| ending.verdict.clone()).collect();
    let ended = store
        .end_leases(verdicts)
        .await
        .inspect_err(|error| tracing::error!(%error, "cannot write what became of runs; trying again"))?;
    if ended.len() < batch.len() {
        tracing::warn!(late = batch.len() - ended.len(), "verdicts came after the lease was lost");
    }
    Ok(())
}
