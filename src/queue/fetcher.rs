//! Claims as many runs as there are free places, and sleeps exactly until there may be more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use super::Queue;
use super::acker::Endings;
use super::backend::{Claimed, Places};
use crate::store::{ClaimLimits, StoreError};

/// Most runs in one claim: bounds the transaction, not the throughput.
const MOST_IN_ONE_CLAIM: usize = 256;
/// With fewer free places than this part of all, those are waited for that are about to be freed.
const FEW: usize = 4;
/// Work that comes within this time after an empty claim is claimed before anything else is looked at.
const MOMENT: Duration = Duration::from_millis(2);
/// The longest sleep; whatever might have been missed is seen then.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How often a busy process looks for runs with a crash on record.
const SUSPECT_CHECK: Duration = Duration::from_secs(1);
const DATABASE_AWAY: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Fetcher {
    queue: Queue,
    places: Places,
    endings: Endings,
    claimed: mpsc::Sender<Claimed>,
    suspects_seen: Option<Instant>,
}

/// What one look at the table led to.
enum Fetched {
    Some,
    None,
}

/// How long to wait before the next look.
enum Rest {
    None,
    /// Perhaps more is coming; only then is it worth looking further.
    Moment,
    /// Everything has been looked at, not before this time.
    UntilDue(Instant),
    DatabaseAway,
}

impl Fetcher {
    pub(super) fn new(
        queue: Queue,
        places: Places,
        endings: Endings,
        claimed: mpsc::Sender<Claimed>,
    ) -> Self {
        Self { queue, places, endings, claimed, suspects_seen: None }
    }

    /// A claim that has begun is not cut off, since its runs would be leased and in nobody's hand; where a server does not
    /// answer, the keeper gives them back.
    pub(super) async fn fetch_until(mut self, stop: CancellationToken) {
        let mut quiet = false;
        while let Some(Some(free)) = stop.run_until_cancelled(self.take_place()).await {
            let looked = Instant::now();
            let rest = match self.fetch_once(free, quiet).await {
                Ok(Fetched::Some) => Rest::None,
                Ok(Fetched::None) if quiet => Rest::UntilDue(looked),
                Ok(Fetched::None) => Rest::Moment,
                Err(error) => {
                    tracing::warn!(%error, "cannot claim runs; trying again");
                    Rest::DatabaseAway
                }
            };
            match stop.run_until_cancelled(self.rest(rest)).await {
                Some(was_quiet) => quiet = was_quiet,
                None => return,
            }
        }
    }

    /// A free place. A busy process waits for those that are about to be freed, as long as runs end one upon another, or
    /// its claims would become ever smaller.
    async fn take_place(&self) -> Option<OwnedSemaphorePermit> {
        let runs = &self.places.runs;
        let free = Arc::clone(runs).acquire_owned().await.ok()?;
        let enough = (self.queue.config.concurrency / FEW).min(MOST_IN_ONE_CLAIM);
        while 1 + runs.available_permits() < enough {
            if !self.endings.await_commit().await {
                break;
            }
        }
        Some(free)
    }

    /// Takes all other free places along.
    fn take_more(&self, free: &mut OwnedSemaphorePermit) {
        let runs = &self.places.runs;
        let more = runs.available_permits().min(MOST_IN_ONE_CLAIM - 1);
        if let Ok(more) = Arc::clone(runs).try_acquire_many_owned(u32::try_from(more).unwrap_or(0)) {
            free.merge(more);
        }
    }

    /// Claims once and passes on what was claimed; looks for suspects as well in a quiet moment, and now and then.
    async fn fetch_once(
        &mut self,
        mut free: OwnedSemaphorePermit,
        quiet: bool,
    ) -> Result<Fetched, StoreError> {
        let mut fetched = Fetched::None;
        if quiet || self.suspects_seen.is_none_or(|seen| seen.elapsed() >= SUSPECT_CHECK) {
            fetched = self.fetch_suspect(&mut free).await?;
        }
        let _ticket = self.queue.store.take_ticket().await;
        self.take_more(&mut free);
        let most = free.num_permits();
        if most > 0 {
            for claim in self.queue.store.claim_runs(self.queue.holder, self.limits(most)).await? {
                if let Some(place) = free.split(1) {
                    let _closing = self.claimed.send(Claimed { claim, place, suspect: None }).await;
                    fetched = Fetched::Some;
                }
            }
        }
        Ok(fetched)
    }

    /// Claims a run with a crash on record, unless this process has one in hand already.
    async fn fetch_suspect(&mut self, free: &mut OwnedSemaphorePermit) -> Result<Fetched, StoreError> {
        let Ok(slot) = Arc::clone(&self.places.suspects).try_acquire_owned() else {
            return Ok(Fetched::None);
        };
        let claim = self.queue.store.claim_suspect(self.queue.holder, self.limits(1)).await?;
        // Where there was one, there may be more: the next look is at once.
        self.suspects_seen = if claim.is_some() { None } else { Some(Instant::now()) };
        let (Some(claim), Some(place)) = (claim, free.split(1)) else { return Ok(Fetched::None) };
        let _closing = self.claimed.send(Claimed { claim, place, suspect: Some(Arc::new(slot)) }).await;
        Ok(Fetched::Some)
    }

    /// Answers whether it is quiet: a moment has passed without new work.
    async fn rest(&self, rest: Rest) -> bool {
        let work = self.queue.store.work_may_be_due();
        match rest {
            Rest::None => false,
            Rest::Moment => tokio::time::timeout(MOMENT, work).await.is_err(),
            Rest::UntilDue(looked) => {
                // A run that has become due since would be missed until something else happens.
                let due = self.queue.store.until_next_due(looked.elapsed()).await.unwrap_or_default();
                let longest = due.unwrap_or(LONGEST_SLEEP).clamp(Duration::from_millis(1), LONGEST_SLEEP);
                tokio::time::timeout(longest, work).await.is_err()
            }
            Rest::DatabaseAway => {
                tokio::time::sleep(DATABASE_AWAY).await;
                false
            }
        }
    }

    fn limits(&self, most: usize) -> ClaimLimits {
        ClaimLimits { most, per_user: self.queue.config.per_user, lease: self.queue.config.lease }
    }
}
