//! The one writer of a SQLite file: what waits together is committed together.
//!
//! With `synchronous=FULL` a commit costs a flush of the disk, and each statement a way to SQLite's thread and back. The
//! writer takes whatever is waiting, the steps of runs in groups, runs each piece in a savepoint of its own, commits
//! once, and only then answers: nobody hears "stored" before the disk has it, and no piece of work waits for a timer.
//! Replies that are about to be handed over come first, in a commit of their own: their mail servers wait for it.
//! Work runs here to its end even if whoever asked has gone away, so a cancelled handler leaves no half transaction.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{Executor, SqliteConnection};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::answers_kept::Keeping;
use super::calls_begun::Beginning;
use super::group::{Answers, Ask, Place, Tell, ToWrite, Waiting, answer, still_wanted};
use super::outbox::{self, Sending};
use super::pool::Tx;

const MOST_WAITING: usize = 1024;
const MOST_JOBS: usize = 128;

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
    pub(super) fn start(connection: SqliteConnection, asked: ToWrite) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(MOST_WAITING);
        let runtime = Builder::new_current_thread().build().map_err(sqlx::Error::Io)?;
        let inbox = Inbox { jobs: waiting, asked };
        let write = move || runtime.block_on(write_forever(Tx::Sqlite(connection), inbox));
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

/// Everything that waits for the writer.
struct Inbox {
    jobs: mpsc::Receiver<Job>,
    asked: ToWrite,
}

/// What is written next: the sendings alone, and then the rest with those that could not be.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    calls: Vec<Waiting<Beginning>>,
    answers: Vec<Waiting<Keeping>>,
    sendings: Vec<Waiting<Sending>>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.calls.is_empty() && self.answers.is_empty() && self.sendings.is_empty()
    }
}

impl Inbox {
    /// Waits until there is something; `None` once nobody can ask any more.
    async fn next(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        let ToWrite { calls, answers, sendings } = &mut self.asked;
        tokio::select! {
            Some(job) = self.jobs.recv() => batch.jobs.push(job),
            Some(call) = calls.recv() => batch.calls.push(call),
            Some(answer) = answers.recv() => batch.answers.push(answer),
            Some(sending) = sendings.recv() => batch.sendings.push(sending),
            else => return None,
        }
        fill(&mut batch.sendings, sendings, Sending::MOST_TOGETHER);
        Some(batch)
    }

    /// Takes along what else is waiting, but for sendings.
    fn fill(&mut self, batch: &mut Batch) {
        fill(&mut batch.jobs, &mut self.jobs, MOST_JOBS);
        fill(&mut batch.calls, &mut self.asked.calls, Beginning::MOST_TOGETHER);
        fill(&mut batch.answers, &mut self.asked.answers, Keeping::MOST_TOGETHER);
    }
}

fn fill<T>(batch: &mut Vec<T>, waiting: &mut mpsc::Receiver<T>, most: usize) {
    while batch.len() < most
        && let Ok(one) = waiting.try_recv()
    {
        batch.push(one);
    }
}

async fn take_both(
    tx: &mut Tx,
    calls: &[Beginning],
    kept: &[Keeping],
) -> Result<(Answers<Beginning>, Answers<Keeping>), StoreError> {
    Ok((answer(tx, calls).await?, answer(tx, kept).await?))
}

fn tell<T: Send + 'static>(
    tells: Vec<Tell<T>>,
    all: impl Iterator<Item = Result<T, StoreError>>,
    answers: &mut Vec<Answer>,
) {
    for (tell, answer) in tells.into_iter().zip(all) {
        answers.push(Box::new(move |commit| {
            // Whoever asked may have gone away; what is committed stands all the same.
            let _gone = tell.send(commit.and(answer));
        }));
    }
}

async fn write_forever(tx: Tx, mut inbox: Inbox) {
    let mut commit = Commit { tx, has_work: false };
    while let Some(mut batch) = inbox.next().await {
        batch.sendings = commit.send_off(batch.sendings).await;
        inbox.fill(&mut batch);
        if !batch.is_empty() {
            commit.make(batch).await;
        }
    }
}

/// The writer's transaction: each piece of work has the savepoint to itself.
pub(super) struct Commit {
    tx: Tx,
    /// Whether a piece that is to be kept has used the savepoint.
    has_work: bool,
}

impl Commit {
    /// Commits replies that are about to be handed over, and nothing else; gives back all of them if that fails.
    async fn send_off(&mut self, sendings: Vec<Waiting<Sending>>) -> Vec<Waiting<Sending>> {
        let (asks, tells) = still_wanted(sendings);
        if asks.is_empty() {
            return Vec::new();
        }
        let begun = AssertUnwindSafe(outbox::begin_alone(&mut self.tx, &asks)).catch_unwind().await;
        match begun.unwrap_or(Err(StoreError::Panicked)) {
            Ok(begun) => {
                for (tell, has_begun) in tells.into_iter().zip(begun) {
                    // Whoever asked may have gone away; what is committed stands all the same.
                    let _gone = tell.send(Ok(has_begun));
                }
                Vec::new()
            }
            Err(error) => {
                tracing::warn!(%error, "cannot note together which replies are handed over; trying one by one");
                // There may be no transaction to end.
                let _ = self.run("ROLLBACK").await;
                asks.into_iter().zip(tells).map(|(ask, tell)| Waiting { ask, tell }).collect()
            }
        }
    }

    /// Commits all of it, and then tells everybody.
    async fn make(&mut self, batch: Batch) {
        let mut answers = Vec::new();
        let outcome = self.write(batch, &mut answers).await;
        if let Err(error) = &outcome {
            tracing::error!(%error, "a commit failed; whoever waits for it hears of it");
            // A transaction that may still be open would swallow the next group.
            let _ = self.run("ROLLBACK").await;
        }
        for answer in answers {
            answer(outcome.clone().map_err(StoreError::NotCommitted));
        }
    }

    async fn write(&mut self, batch: Batch, answers: &mut Vec<Answer>) -> Result<(), String> {
        self.has_work = false;
        self.run("BEGIN IMMEDIATE; SAVEPOINT work").await?;
        for job in batch.jobs {
            let done = job(self.begin_piece().await?).await;
            answers.push(done.answer);
            if !done.keep {
                self.undo_piece().await?;
            }
        }
        self.take_steps(batch.calls, batch.answers, answers).await?;
        let (sendings, of_sendings) = still_wanted(batch.sendings);
        self.answer_all(sendings, of_sendings, answers).await?;
        self.run("RELEASE work; COMMIT").await
    }

    /// The steps of runs are one piece of work, and one for each kind only where something is refused.
    async fn take_steps(
        &mut self,
        calls: Vec<Waiting<Beginning>>,
        kept: Vec<Waiting<Keeping>>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), String> {
        let (calls, of_calls) = still_wanted(calls);
        let (kept, of_kept) = still_wanted(kept);
        if calls.is_empty() && kept.is_empty() {
            return Ok(());
        }
        if let Ok((calls, kept)) = take_both(self.begin_piece().await?, &calls, &kept).await {
            tell(of_calls, calls.into_iter().map(Ok), answers);
            tell(of_kept, kept.into_iter().map(Ok), answers);
            return Ok(());
        }
        self.undo_piece().await?;
        self.answer_all(calls, of_calls, answers).await?;
        self.answer_all(kept, of_kept, answers).await
    }

    async fn answer_all<A: Ask>(
        &mut self,
        asks: Vec<A>,
        tells: Vec<Tell<A::Answer>>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), String> {
        let all = Place::Writer(self).answer_all(&asks, None).await;
        let lost = all.iter().find_map(|answer| match answer {
            Err(StoreError::NotCommitted(why)) => Some(why.clone()),
            _ => None,
        });
        tell(tells, all.into_iter(), answers);
        lost.map_or(Ok(()), Err)
    }

    /// Where the next piece is to be written. Every statement is a trip to SQLite's thread, so savepoints change in one.
    pub(super) async fn begin_piece(&mut self) -> Result<&mut Tx, String> {
        if self.has_work {
            self.run("RELEASE work; SAVEPOINT work").await?;
        }
        self.has_work = true;
        Ok(&mut self.tx)
    }

    /// As if the last piece had never been.
    pub(super) async fn undo_piece(&mut self) -> Result<(), String> {
        self.has_work = false;
        self.run("ROLLBACK TO work").await
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), String> {
        match &mut self.tx {
            Tx::Sqlite(connection) => {
                connection.execute(statement).await.map(drop).map_err(|error| error.to_string())
            }
            Tx::Server(_) => Ok(()),
        }
    }
}
