//! The one writer of a SQLite file: what waits together is committed together.
//!
//! With `synchronous=FULL` a commit costs a flush of the disk. The writer takes whatever work is waiting, runs
//! each piece in a savepoint of its own, commits once, and only then answers: nobody hears "stored" before the
//! disk has it, and no piece of work waits for a timer. Work runs here to its end even if whoever asked has gone
//! away, so a cancelled handler leaves no half transaction.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{Executor, SqliteConnection};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::pool::Tx;

const MOST_WAITING: usize = 1024;
const MOST_IN_ONE_COMMIT: usize = 128;

/// A piece of work inside a transaction.
pub(super) trait Work<T>:
    for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static
{
}
impl<T, F> Work<T> for F where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static
{
}

/// What is told to whoever asked, once the fate of the commit is known.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Done> + Send>;

struct Done {
    keep: bool,
    answer: Answer,
}

/// A handle to the writer's thread, which ends with its last handle.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// On a thread of its own: each statement is a trip to SQLite's thread and back, and one after the other they would
    /// wait behind everybody else's tasks.
    pub(super) fn start(connection: SqliteConnection) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(MOST_WAITING);
        let runtime = Builder::new_current_thread().build().map_err(sqlx::Error::Io)?;
        let write = move || runtime.block_on(write_forever(Tx::Sqlite(connection), waiting));
        let thread = std::thread::Builder::new().name("sqlite-writer".to_owned());
        thread.spawn(write).map_err(sqlx::Error::Io)?;
        Ok(Self { jobs })
    }

    /// Runs `work` in a transaction; the answer comes after the commit.
    pub(super) async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |tx| async move { finish(work, tx, tell).await }.boxed());
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

async fn finish<T: Send + 'static>(
    work: impl Work<T>,
    tx: &mut Tx,
    tell: oneshot::Sender<Result<T, StoreError>>,
) -> Done {
    let result = AssertUnwindSafe(async { work(tx).await }).catch_unwind().await;
    let result = result.unwrap_or(Err(StoreError::Panicked));
    Done {
        keep: result.is_ok(),
        answer: Box::new(move |commit| {
            // Whoever asked may have gone away; the work stands all the same.
            let _gone = tell.send(commit.and(result));
        }),
    }
}

async fn write_forever(mut tx: Tx, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(MOST_IN_ONE_COMMIT);
    while waiting.recv_many(&mut jobs, MOST_IN_ONE_COMMIT).await > 0 {
        let mut answers = Vec::with_capacity(jobs.len());
        let outcome = commit_together(&mut tx, &mut jobs, &mut answers).await;
        if outcome.is_err() {
            // A transaction that may still be open would swallow the next group.
            let _ = run(&mut tx, "ROLLBACK").await;
        }
        let outcome = outcome.map_err(|error| error.to_string());
        for answer in answers {
            answer(outcome.clone().map_err(StoreError::NotCommitted));
        }
        jobs.clear();
    }
}

/// Every statement is a trip to SQLite's thread, so they travel together, and a lone job needs no savepoint.
async fn commit_together(
    tx: &mut Tx,
    jobs: &mut Vec<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), sqlx::Error> {
    if jobs.len() == 1 {
        return commit_alone(tx, jobs, answers).await;
    }
    run(tx, "BEGIN IMMEDIATE; SAVEPOINT work").await?;
    for job in jobs.drain(..) {
        let done = job(tx).await;
        answers.push(done.answer);
        if !done.keep {
            run(tx, "ROLLBACK TO work").await?;
        }
        run(tx, "RELEASE work; SAVEPOINT work").await?;
    }
    run(tx, "RELEASE work; COMMIT").await
}

async fn commit_alone(
    tx: &mut Tx,
    jobs: &mut Vec<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), sqlx::Error> {
    run(tx, "BEGIN IMMEDIATE").await?;
    let mut keep = true;
    for job in jobs.drain(..) {
        let done = job(tx).await;
        answers.push(done.answer);
        keep &= done.keep;
    }
    run(tx, if keep { "COMMIT" } else { "ROLLBACK" }).await
}

async fn run(tx: &mut Tx, statement: &'static str) -> Result<(), sqlx::Error> {
    match tx {
        Tx::Sqlite(connection) => connection.execute(statement).await.map(drop),
        Tx::Postgres(_) | Tx::Single(_) => Ok(()),
    }
}
