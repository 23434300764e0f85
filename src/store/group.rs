//! What many ask a PostgreSQL server at the same time is asked together: a way to the server and back costs more than
//! a row, and a commit costs more than both.
//!
//! Whoever comes while a group is on its way belongs to the next one, so nobody waits for a timer, and whoever is alone
//! waits for nobody. A group that the server refuses is asked one by one, so that one bad row hurts no other.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::brakes::Counting;
use super::completions::Keeping;
use super::dossiers::Finding;
use super::outbox::Sending;
use super::provider_calls::Beginning;

const MOST_WAITING: usize = 1024;

/// A question or a write that others of its kind may share.
pub(super) trait Ask: Send + Sync + Sized + 'static {
    /// What one of them is told.
    type Answer: Send + 'static;

    /// The largest group.
    const MOST_TOGETHER: usize = 64;

    /// Whether it counts even when whoever asked has gone away.
    const OUTLIVES_ASKER: bool = false;

    /// One answer for each, in the order of the asks; all of them in one commit, or none.
    fn answer(
        pool: &PgPool,
        asks: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, StoreError>> + Send;
}

/// A handle to the task that asks in groups; the task ends with its last handle.
pub(super) struct Group<A: Ask> {
    waiting: mpsc::Sender<Waiting<A>>,
}

impl<A: Ask> Clone for Group<A> {
    fn clone(&self) -> Self {
        Self { waiting: self.waiting.clone() }
    }
}

struct Waiting<A: Ask> {
    ask: A,
    tell: oneshot::Sender<Result<A::Answer, StoreError>>,
}

impl<A: Ask> Group<A> {
    fn start(pool: PgPool) -> Self {
        let (waiting, asked) = mpsc::channel(MOST_WAITING);
        tokio::spawn(answer_forever(pool, asked));
        Self { waiting }
    }

    /// Asks with whoever else asks now; the answer comes after the commit.
    pub(super) async fn ask(&self, ask: A) -> Result<A::Answer, StoreError> {
        let (tell, told) = oneshot::channel();
        self.waiting.send(Waiting { ask, tell }).await.map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

async fn answer_forever<A: Ask>(pool: PgPool, mut asked: mpsc::Receiver<Waiting<A>>) {
    let mut group = Vec::with_capacity(A::MOST_TOGETHER);
    while asked.recv_many(&mut group, A::MOST_TOGETHER).await > 0 {
        // Whoever is about to ask gets to it before the group leaves.
        tokio::task::yield_now().await;
        while group.len() < A::MOST_TOGETHER
            && let Ok(another) = asked.try_recv()
        {
            group.push(another);
        }
        let wanted = group.drain(..).filter(|waiting| A::OUTLIVES_ASKER || !waiting.tell.is_closed());
        let (asks, tells): (Vec<A>, Vec<_>) = wanted.map(|waiting| (waiting.ask, waiting.tell)).unzip();
        let answers = answer_all(&pool, &asks).await;
        for (tell, answer) in tells.into_iter().zip(answers) {
            // Whoever asked may have gone away; what was written stands all the same.
            let _gone = tell.send(answer);
        }
    }
}

async fn answer_all<A: Ask>(pool: &PgPool, asks: &[A]) -> Vec<Result<A::Answer, StoreError>> {
    match answer_together(pool, asks).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) if asks.len() == 1 => vec![Err(error)],
        Err(error) if is_away(&error) => asks.iter().map(|_| Err(not_committed(&error))).collect(),
        Err(_) => answer_one_by_one(pool, asks).await,
    }
}

async fn answer_one_by_one<A: Ask>(pool: &PgPool, asks: &[A]) -> Vec<Result<A::Answer, StoreError>> {
    let mut answers = Vec::with_capacity(asks.len());
    let mut away = None;
    for ask in asks {
        let answer = match &away {
            Some(error) => Err(not_committed(error)),
            None => answer_together(pool, std::slice::from_ref(ask)).await,
        };
        let answer = answer.and_then(|answers| answers.into_iter().next().ok_or(StoreError::Panicked));
        if let Err(error) = &answer
            && is_away(error)
        {
            away = Some(StoreError::NotCommitted(error.to_string()));
        }
        answers.push(answer);
    }
    answers
}

fn not_committed(error: &StoreError) -> StoreError {
    StoreError::NotCommitted(error.to_string())
}

async fn answer_together<A: Ask>(pool: &PgPool, asks: &[A]) -> Result<Vec<A::Answer>, StoreError> {
    if asks.is_empty() {
        return Ok(Vec::new());
    }
    let answers = AssertUnwindSafe(A::answer(pool, asks)).catch_unwind().await;
    answers.unwrap_or(Err(StoreError::Panicked))
}

/// Whether it is the server that is missing, and not the group that it refuses.
fn is_away(error: &StoreError) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
    matches!(error, StoreError::Database(Io(_) | Tls(_) | PoolTimedOut | PoolClosed | WorkerCrashed))
}

/// The steps of a run that are taken together, one group of each kind at a time.
#[derive(Clone)]
pub(super) struct Groups {
    pub(super) dossiers: Group<Finding>,
    pub(super) counts: Group<Counting>,
    pub(super) calls: Group<Beginning>,
    pub(super) answers: Group<Keeping>,
    pub(super) sendings: Group<Sending>,
}

impl Groups {
    pub(super) fn start(pool: &PgPool) -> Self {
        Self {
            dossiers: Group::start(pool.clone()),
            counts: Group::start(pool.clone()),
            calls: Group::start(pool.clone()),
            answers: Group::start(pool.clone()),
            sendings: Group::start(pool.clone()),
        }
    }
}
