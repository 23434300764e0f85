//! From the call that stores a mail to the start of its handler, at a steady rate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use postkey::mail::authentication::Authentication;
use postkey::queue::{Outcome, Queue};
use postkey::store::{Accepted, Arrival, Claim, Holder, MailboxLease, RunId, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::backlog::add_users;
use super::database::{Database, Kind};
use super::table::{Aim, Table, percentile};
use super::throughput::worker;

const PER_SECOND: u32 = 200;
const SECONDS: u32 = 15;
const CONCURRENCY: usize = 100;
/// How long a run may wait for its handler before the measurement is given up.
const LONGEST: Duration = Duration::from_secs(30);

pub async fn measure(database: &Database, table: &mut Table) -> Result<(), Failure> {
    let store = database.open().await?;
    let mailboxes = add_users(&store).await?;
    let most = match database.kind {
        Kind::Sqlite => 10.0,
        Kind::Postgres => 5.0,
    };
    tell(table, database, "same process", most, steadily(&store, &store, &mailboxes).await?);
    if database.kind == Kind::Postgres {
        // A store of its own wakes the queue by NOTIFY only, as another process would.
        let other = database.open().await?;
        tell(table, database, "heard by NOTIFY", most, steadily(&store, &other, &mailboxes).await?);
    }
    Ok(())
}

fn tell(table: &mut Table, database: &Database, how: &str, most: f64, mut delays: Vec<f64>) {
    delays.sort_by(f64::total_cmp);
    let what = |point: &str| format!("mail to handler, {PER_SECOND}/s for {SECONDS} s, {how}: {point}");
    let word = database.kind.word();
    table.tell(word, &what("p50"), &[percentile(&delays, 0.5)], "ms", Aim::None);
    table.tell(word, &what("p99"), &[percentile(&delays, 0.99)], "ms", Aim::AtMost(most));
}

type Starts = Arc<Mutex<HashMap<RunId, Instant>>>;

/// Answers the delays in milliseconds.
async fn steadily(queue: &Store, intake: &Store, mailboxes: &[MailboxLease]) -> Result<Vec<f64>, Failure> {
    let starts: Starts = Arc::default();
    let stop = CancellationToken::new();
    let noted = Arc::clone(&starts);
    let work = Queue::new(queue.clone(), Holder::new(queue.clock()), worker(CONCURRENCY)).run(
        move |claim: Claim| {
            noted.lock().unwrap_or_else(PoisonError::into_inner).insert(claim.id, Instant::now());
            std::future::ready(Outcome::Replied)
        },
        stop.clone(),
    );
    let work = tokio::spawn(work);
    for mailbox in mailboxes.iter().take(CONCURRENCY) {
        wait_for(&starts, take_in(intake.clone(), *mailbox).await?.0).await?; // the connections are open then
    }

    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut calls = Vec::new();
    for mailbox in mailboxes.iter().cycle().take((PER_SECOND * SECONDS) as usize) {
        ticks.tick().await;
        calls.push(tokio::spawn(take_in(intake.clone(), *mailbox)));
    }
    let mut stored = Vec::with_capacity(calls.len());
    for call in calls {
        stored.push(call.await??);
    }
    for (run, _) in &stored {
        wait_for(&starts, *run).await?;
    }
    stop.cancel();
    work.await??;
    let starts = starts.lock().unwrap_or_else(PoisonError::into_inner);
    let delay = |(run, called): &(RunId, Instant)| {
        starts.get(run).map(|start| start.saturating_duration_since(*called).as_secs_f64() * 1000.0)
    };
    let delays: Option<Vec<f64>> = stored.iter().map(delay).collect();
    delays.ok_or_else(|| "a run has never been started".into())
}

/// Until the handler of the run has begun.
async fn wait_for(starts: &Starts, run: RunId) -> Result<(), Failure> {
    let begun = async {
        while !starts.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&run) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LONGEST, begun).await.map_err(|_elapsed| "a run has never been started".into())
}

/// One mail in a transaction of its own, and when that was begun.
async fn take_in(store: Store, mailbox: MailboxLease) -> Result<(RunId, Instant), StoreError> {
    let arrival = Arrival {
        identity: uuid::Uuid::from_bytes(rand::random()).to_string(),
        rfc_message_id: None,
        signed_thread: None,
        answers: Vec::new(),
        correspondent: "someone@else.test".into(),
        uid_validity: 1,
        uid: 1,
        internal_date: None,
        is_answered: false,
        bytes: 4,
        raw: b"mail".to_vec(),
        truncated: false,
        authentication: Authentication::Unknown,
    };
    let called = Instant::now();
    let accepted = store.accept_messages(mailbox, vec![arrival], None).await?;
    match accepted.first() {
        Some(Accepted::New(run) | Accepted::Known(run)) => Ok((*run, called)),
        None => Err(StoreError::Closed),
    }
}
