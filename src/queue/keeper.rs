//! Renews this process's leases, lets go of lost ones, and takes back those of dead processes.

use std::collections::HashSet;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::Queue;
use crate::store::{Lease, NewNotice, RunId, StoreError, UserId, Verdict};

pub(super) async fn keep_forever(queue: Queue, drained: CancellationToken) {
    let tick = queue.config.lease / 3;
    let mut renewed = Instant::now();
    let mut strays = HashSet::new();
    loop {
        match renew(&queue).await {
            Ok(kept) => {
                renewed = Instant::now();
                if let Err(error) = tidy(&queue, &mut strays, kept).await {
                    tracing::warn!(%error, "cannot take back what nobody works on");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot renew leases");
                if renewed.elapsed() > queue.config.lease {
                    // Somebody else may have taken over; fencing would refuse our writes anyway.
                    queue.running.leases().into_iter().for_each(|lease| queue.running.lose(lease));
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(tick) => {}
            () = drained.cancelled() => return,
        }
    }
}

/// What this process had in hand before it asked, and what it holds since.
struct Kept {
    in_hand: Vec<Lease>,
    held: HashSet<Lease>,
}

async fn renew(queue: &Queue) -> Result<Kept, StoreError> {
    // What is begun after this list cannot be missing from the answer for want of a lease.
    let in_hand = queue.running.leases();
    let held: HashSet<Lease> =
        queue.store.renew_leases(queue.holder, queue.config.lease).await?.into_iter().collect();
    for lease in &in_hand {
        if !held.contains(lease) {
            queue.running.lose(*lease);
        }
    }
    Ok(Kept { in_hand, held })
}

async fn tidy(queue: &Queue, strays: &mut HashSet<Lease>, kept: Kept) -> Result<(), StoreError> {
    give_back_strays(queue, strays, kept).await?;
    queue.store.reap_leases(queue.config.max_crashes, false, quarantined).await
}

/// Leases in our name that nobody here works on: the answer to a claim was lost with its connection, or the work
/// was stopped while the database was away. Renewing would keep them from everybody for ever. One that is a stray
/// for the second time is not just on its way to its worker.
async fn give_back_strays(
    queue: &Queue,
    strays: &mut HashSet<Lease>,
    Kept { in_hand, held }: Kept,
) -> Result<(), StoreError> {
    let known: HashSet<Lease> = in_hand.into_iter().chain(queue.running.leases()).collect();
    let found: HashSet<Lease> = held.difference(&known).copied().collect();
    let lasting: Vec<Verdict> = found.intersection(strays).copied().map(Verdict::hand_back).collect();
    *strays = found;
    if lasting.is_empty() {
        return Ok(());
    }
    tracing::warn!(runs = lasting.len(), "gave back runs that nobody worked on");
    queue.store.end_leases(lasting).await.map(drop)
}

/// Takes back all leases, and tells owners of what was put aside.
pub(super) async fn take_back_all(queue: &Queue) -> Result<(), StoreError> {
    queue.store.reap_leases(queue.config.max_crashes, true, quarantined).await
}

/// What the owner is told of a mail that has been put aside.
fn quarantined(run: RunId, user: UserId, crashes: u32) -> NewNotice {
    NewNotice {
        user,
        cause: format!("run:{run}"),
        kind: "quarantined",
        sentence: format!(
            "A mail stopped the service {crashes} times and was put aside unanswered: \
             look at it and, if it should be answered, run `postkey runs retry {run}`."
        ),
    }
}
