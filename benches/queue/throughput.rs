//! Runs per second on a backlog, from the first claim to the last commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use postkey::config;
use postkey::queue::{Outcome, Queue};
use postkey::store::{Holder, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::backlog::{Backlog, add_users};
use super::database::{Database, Kind};
use super::table::{Aim, Table};
use super::{Failure, PER_USER};

const ROUNDS: usize = 3;

pub fn worker(concurrency: usize) -> config::Worker {
    config::Worker { concurrency, per_user: PER_USER, ..config::Worker::default() }
}

pub async fn measure(database: &Database, table: &mut Table) -> Result<(), Failure> {
    let store = database.open().await?;
    add_users(&store).await?;
    let mut backlog = Backlog::begin(database).await?;
    let mut all = 0;
    for (concurrency, runs) in [(100, 30_000), (10, 10_000), (1, 2_000)] {
        let mut figures = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            backlog.add(runs, &store).await?;
            backlog.settle().await?;
            figures.push(work_off(&store, concurrency, runs).await?);
            all += runs;
            backlog.check_replied(all).await?;
        }
        let aim = match (database.kind, concurrency) {
            (Kind::Postgres, 100) => Aim::AtLeast(13_000.0),
            (Kind::Sqlite, 100) => Aim::AtLeast(8_500.0),
            _ => Aim::None,
        };
        let what = format!("{runs} empty runs, {concurrency} at once");
        table.tell(database.kind.word(), &what, &figures, "runs/s", aim);
    }
    Ok(())
}

/// Answers runs per second.
async fn work_off(store: &Store, concurrency: usize, runs: i64) -> Result<f64, Failure> {
    let (left, done) = (Arc::new(AtomicI64::new(runs)), Arc::new(Notify::new()));
    let stop = CancellationToken::new();
    let queue = Queue::new(store.clone(), Holder::new(store.clock()), worker(concurrency));
    let (counter, last) = (Arc::clone(&left), Arc::clone(&done));
    let began = Instant::now();
    let work = queue.run(
        move |_| {
            if counter.fetch_sub(1, Ordering::Relaxed) == 1 {
                last.notify_one();
            }
            std::future::ready(Outcome::Replied)
        },
        stop.clone(),
    );
    let work = tokio::spawn(work);
    done.notified().await;
    stop.cancel();
    work.await??;
    Ok(runs as f64 / began.elapsed().as_secs_f64())
}
