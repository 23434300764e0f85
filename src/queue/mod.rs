//! The work order: an apalis `Backend` over the `runs` table.
//!
//! apalis runs the worker; which run is next, for how long, and what becomes of it are rows. Three tasks stand
//! behind the backend and do not depend on its being polled: the [`fetcher`](self) claims as many runs as there
//! are free places, the keeper renews leases and takes back those of dead processes, the acker writes what became
//! of runs, many in one commit. A place is free again only after that commit.

mod acker;
mod backend;
mod fetcher;
mod keeper;
mod outcome;
mod running;

use std::sync::Arc;
use std::time::Duration;

use apalis_core::error::WorkerError;
use apalis_core::worker::builder::WorkerBuilder;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::acker::Endings;
use self::backend::{Backend, Places};
use self::fetcher::Fetcher;
use self::running::Running;
use crate::config;
use crate::store::{Claim, Holder, Store, StoreError};

pub use self::outcome::{Cause, Outcome, is_spent};

/// What does the work of a claimed run. It may be dropped at any await: when the lease is lost, at the shutdown's
/// deadline, or when it takes longer than a run may.
pub trait Handle: Fn(Claim) -> Self::Future + Clone + Send + Sync + 'static {
    /// The work.
    type Future: Future<Output = Outcome> + Send + 'static;
}
impl<F, W> Handle for F
where
    F: Fn(Claim) -> W + Clone + Send + Sync + 'static,
    W: Future<Output = Outcome> + Send + 'static,
{
    type Future = W;
}

/// Why the queue ended otherwise than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The database did not answer at the start.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The worker ended by itself.
    #[error("the worker ended: {0}")]
    Worker(String),
    /// A task that the worker depends on ended by itself, which only a fault of the program explains.
    #[error("a task of the queue has died; start the service again")]
    Helper,
}

/// The queue of one process.
#[derive(Clone)]
pub struct Queue {
    store: Store,
    holder: Holder,
    config: config::Worker,
    running: Running,
}

impl Queue {
    /// A queue that claims in the name of `holder`.
    pub fn new(store: Store, holder: Holder, config: config::Worker) -> Self {
        Self { store, holder, config, running: Running::default() }
    }

    /// Takes back the leases of all processes: for the start of the only process of a SQLite file, whose
    /// predecessors are dead.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn take_back_all(&self) -> Result<(), QueueError> {
        Ok(keeper::take_back_all(self).await?)
    }

    /// Works until `stop`, then takes nothing new, gives running work `shutdown_grace` to end, and hands back
    /// what has not (SR-80).
    ///
    /// # Errors
    /// Where the worker ends without having been told to.
    pub async fn run(self, handle: impl Handle, stop: CancellationToken) -> Result<(), QueueError> {
        let (claimed, waiting) = tokio::sync::mpsc::channel(self.config.concurrency);
        let places = Places {
            runs: Arc::new(Semaphore::new(self.config.concurrency)),
            suspects: Arc::new(Semaphore::new(1)),
        };
        let mut helpers = JoinSet::new();
        let drained = CancellationToken::new();
        let endings = Endings::default();
        let acker = acker::start(&mut helpers, self.store.clone(), endings.clone());
        let fetcher = Fetcher::new(self.clone(), places, endings, claimed);
        helpers.spawn(keeper::keep_forever(self.clone(), drained.clone()));
        helpers.spawn(watch_other_processes(self.store.clone(), self.config.idle_tick, drained.clone()));
        helpers.spawn(fetcher.fetch_until(stop.clone()));

        let backend = Backend::new(waiting, acker, self.running.clone(), self.config.clone());
        let worker = WorkerBuilder::new(format!("postkey-{}", self.holder.uuid()))
            .backend(backend)
            // Boxed at once: the work on a run is a large value, and it passes through many hands.
            .build(move |claim: Claim| handle(claim).map(Ok::<Outcome, std::io::Error>).boxed())
            .run()
            .boxed();
        let ended = self.drive(worker, &mut helpers, stop).await;
        drained.cancel();
        // Verdicts that a database does not take within this time are left to the leases' end.
        let _ = tokio::time::timeout(HAND_BACK, async { while helpers.join_next().await.is_some() {} }).await;
        ended
    }

    async fn drive(
        &self,
        mut worker: BoxFuture<'static, Result<(), WorkerError>>,
        helpers: &mut JoinSet<()>,
        stop: CancellationToken,
    ) -> Result<(), QueueError> {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            ended = &mut worker => return ended.map_err(|error| QueueError::Worker(error.to_string())),
            // The fetcher ends with `stop`, and may be the first to hear of it.
            _ = helpers.join_next() => {
                if !stop.is_cancelled() {
                    return Err(QueueError::Helper);
                }
            }
        }
        if tokio::time::timeout(self.config.shutdown_grace, &mut worker).await.is_err() {
            tracing::warn!(runs = self.running.len(), "handing back runs that did not end in time");
            self.running.hand_back_all();
            // Handing back is one commit; a database that is away must not keep the process alive.
            let _ = tokio::time::timeout(HAND_BACK, worker).await;
        }
        Ok(())
    }
}

const HAND_BACK: Duration = Duration::from_secs(2);

async fn watch_other_processes(store: Store, tick: Duration, drained: CancellationToken) {
    tokio::select! {
        () = store.watch_other_processes(tick) => {}
        () = drained.cancelled() => {}
    }
}
