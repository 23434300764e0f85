//! What apalis sees: a stream of claimed runs, and a layer that ends their leases.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Ephemeral;
use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tower::{Layer, Service};

use super::acker::Acker;
use super::outcome::{Cause, Outcome};
use super::running::{Order, Running};
use crate::config;
use crate::store::{Claim, Verdict};

/// Free places for runs, and the one place for a run with a crash on record.
#[derive(Clone)]
pub(super) struct Places {
    pub(super) runs: Arc<Semaphore>,
    pub(super) suspects: Arc<Semaphore>,
}

/// A claimed run and the places that it takes until its end is committed.
pub(super) struct Claimed {
    pub(super) claim: Claim,
    pub(super) place: OwnedSemaphorePermit,
    pub(super) suspect: Option<Arc<OwnedSemaphorePermit>>,
}

/// The places of a run, as apalis carries them along.
#[derive(Clone)]
pub(super) struct Held {
    _place: Arc<OwnedSemaphorePermit>,
    _suspect: Option<Arc<OwnedSemaphorePermit>>,
}

/// The stream of claimed runs.
pub(super) struct Backend {
    waiting: mpsc::Receiver<Claimed>,
    ack: AckLayer,
}

impl Backend {
    pub(super) fn new(
        waiting: mpsc::Receiver<Claimed>,
        acker: Acker,
        running: Running,
        config: config::Worker,
    ) -> Self {
        Self { waiting, ack: AckLayer { acker, running, config } }
    }
}

impl apalis_core::backend::Backend for Backend {
    type Task = Task<Claim>;
    type Error = io::Error;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Self::Error>>> {
        let claimed = std::task::ready!(self.waiting.poll_recv(cx));
        if claimed.is_none() {
            // The fetcher has ended and everything claimed is begun; the worker waits for it only when told so.
            // An error means that it has not even started, and then there is nothing to wait for.
            let _not_started = worker.stop();
        }
        Poll::Ready(claimed.map(|Claimed { claim, place, suspect }| {
            let held = Held { _place: Arc::new(place), _suspect: suspect };
            let id = TaskId::from_string(claim.id.to_string());
            Ok(TaskBuilder::new(claim).task_id(id).data(held).build())
        }))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Backend {
    type Args = Claim;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = AckLayer;

    fn config(&self) -> &Self::Config {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        self.ack.clone()
    }
}

/// Ends the lease of every run with what its work led to.
#[derive(Clone)]
pub(super) struct AckLayer {
    acker: Acker,
    running: Running,
    config: config::Worker,
}

impl<S> Layer<S> for AckLayer {
    type Service = AckService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AckService { inner, ack: self.clone() }
    }
}

/// See [`AckLayer`].
#[derive(Clone)]
pub(super) struct AckService<S> {
    inner: S,
    ack: AckLayer,
}

impl<S> Service<Task<Claim>> for AckService<S>
where
    S: Service<Task<Claim>, Response = Outcome>,
    S::Future: Send + 'static,
    S::Error: Into<BoxDynError>,
{
    type Response = ();
    type Error = BoxDynError;
    type Future = BoxFuture<'static, Result<(), BoxDynError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<Claim>) -> Self::Future {
        let claim = task.args;
        let held = task.data().get::<Held>().cloned();
        let orders = self.ack.running.begin(claim.lease());
        let work = AssertUnwindSafe(self.inner.call(task)).catch_unwind();
        let ack = self.ack.clone();
        // A task of its own: apalis polls all futures of a worker in one task.
        let ended = tokio::spawn(async move {
            let work =
                work.map(|done| done.unwrap_or_else(|_| Ok(panicked())).unwrap_or_else(|_| panicked()));
            ack.end(&claim, work, orders, held).await;
        });
        async move { ended.await.map_err(Into::into) }.boxed()
    }
}

fn panicked() -> Outcome {
    Outcome::Stopped(Cause::of("panicked"))
}

impl AckLayer {
    async fn end(
        &self,
        claim: &Claim,
        work: impl Future<Output = Outcome>,
        mut orders: watch::Receiver<Order>,
        held: Option<Held>,
    ) {
        let verdict = tokio::select! {
            biased;
            order = orders.wait_for(|order| *order != Order::GoOn) => match order.map(|order| *order) {
                Ok(Order::HandBack) => Some(Verdict::hand_back(claim.lease())),
                _ => None,
            },
            done = tokio::time::timeout(self.config.run_timeout, work) => {
                let outcome = done.unwrap_or(Outcome::Stopped(Cause::of("took_too_long")));
                outcome.verdict(claim, &self.config, rand::random())
            }
        };
        match verdict {
            Some(verdict) => self.acker.end(verdict, held).await,
            None => tracing::warn!(run = %claim.id, epoch = claim.lease_epoch, "lost the lease; stopped"),
        }
        self.running.end(claim.lease());
    }
}
