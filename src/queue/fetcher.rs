//! Claims as many runs as there are free places, and sleeps exactly until there may be more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::Queue;
use super::backend::{Claimed, Places};
use crate::store::{ClaimLimits, StoreError};

/// Most runs in one claim: bounds the transaction, not the throughput.
const MOST_IN_ONE_CLAIM: usize = 256;
/// The longest sleep; whatever might have been missed is seen then.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How often a busy process looks for runs with a crash on record.
const SUSPECT_CHECK: Duration = Duration::from_secs(1);
const DATABASE_AWAY: Duration = Duration::from_secs(1);

/// A claim that has begun is never cut off, since its runs would be leased and in nobody's hand.
pub(super) async fn fetch_until(
    queue: Queue,
    places: Places,
    claimed: mpsc::Sender<Claimed>,
    stop: CancellationToken,
) {
    let mut suspects = SuspectWatch::default();
    while let Some(Some(free)) = stop.run_until_cancelled(take_places(&places.runs)).await {
        let rest = match fetch_once(&queue, &places, &claimed, free, &mut suspects).await {
            Ok(0) => Rest::UntilWork(until_next_due(&queue).await),
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "cannot claim runs; trying again");
                Rest::For(DATABASE_AWAY)
            }
        };
        if stop.run_until_cancelled(rest.take(&queue)).await.is_none() {
            return;
        }
    }
}

enum Rest {
    For(Duration),
    UntilWork(Duration),
}

impl Rest {
    async fn take(self, queue: &Queue) {
        match self {
            Self::For(duration) => tokio::time::sleep(duration).await,
            Self::UntilWork(longest) => {
                let _ = tokio::time::timeout(longest, queue.store.work_may_be_due()).await;
            }
        }
    }
}

async fn until_next_due(queue: &Queue) -> Duration {
    let due = queue.store.until_next_due().await.unwrap_or_default().unwrap_or(LONGEST_SLEEP);
    due.clamp(Duration::from_millis(1), LONGEST_SLEEP)
}

/// At least one free place, and as many more as there are.
async fn take_places(runs: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let mut free = Arc::clone(runs).acquire_owned().await.ok()?;
    let more = runs.available_permits().min(MOST_IN_ONE_CLAIM - 1);
    if let Ok(more) = Arc::clone(runs).try_acquire_many_owned(u32::try_from(more).unwrap_or(0)) {
        free.merge(more);
    }
    Some(free)
}

/// Claims once and passes on what was claimed; answers how many.
async fn fetch_once(
    queue: &Queue,
    places: &Places,
    claimed: &mpsc::Sender<Claimed>,
    mut free: OwnedSemaphorePermit,
    suspects: &mut SuspectWatch,
) -> Result<usize, StoreError> {
    let mut passed_on = 0;
    let looked = suspects.is_due();
    if looked {
        passed_on += fetch_suspect(queue, places, claimed, &mut free, suspects).await?;
    }
    if free.num_permits() > 0 {
        for claim in queue.store.claim_runs(queue.holder, limits(queue, free.num_permits())).await? {
            if let Some(place) = free.split(1) {
                let _closing = claimed.send(Claimed { claim, place, suspect: None }).await;
                passed_on += 1;
            }
        }
    }
    if passed_on == 0 && !looked {
        // Nothing else is due, so this is the time to look, before a long sleep.
        passed_on += fetch_suspect(queue, places, claimed, &mut free, suspects).await?;
    }
    Ok(passed_on)
}

/// Claims a run with a crash on record, unless this process has one in hand already.
async fn fetch_suspect(
    queue: &Queue,
    places: &Places,
    claimed: &mpsc::Sender<Claimed>,
    free: &mut OwnedSemaphorePermit,
    suspects: &mut SuspectWatch,
) -> Result<usize, StoreError> {
    let Ok(slot) = Arc::clone(&places.suspects).try_acquire_owned() else { return Ok(0) };
    let claim = queue.store.claim_suspect(queue.holder, limits(queue, 1)).await?;
    suspects.saw(claim.is_some());
    let (Some(claim), Some(place)) = (claim, free.split(1)) else { return Ok(0) };
    let _closing = claimed.send(Claimed { claim, place, suspect: Some(Arc::new(slot)) }).await;
    Ok(1)
}

fn limits(queue: &Queue, most: usize) -> ClaimLimits {
    ClaimLimits { most, per_user: queue.config.per_user, lease: queue.config.lease }
}

/// When a busy process looks for suspects: at once after one was found, seldom otherwise.
#[derive(Default)]
struct SuspectWatch {
    looked: Option<Instant>,
}

impl SuspectWatch {
    fn is_due(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= SUSPECT_CHECK)
    }

    fn saw(&mut self, found: bool) {
        self.looked = if found { None } else { Some(Instant::now()) };
    }
}
