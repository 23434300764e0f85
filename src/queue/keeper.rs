//! Renews this process's leases, lets go of lost ones, and takes back those of dead processes.

use std::collections::HashSet;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::Queue;
use crate::store::{NewNotice, RunId, StoreError, UserId};

pub(super) async fn keep_forever(queue: Queue, drained: CancellationToken) {
    let tick = queue.config.lease / 3;
    let mut renewed = Instant::now();
    loop {
        match keep_once(&queue).await {
            Ok(()) => renewed = Instant::now(),
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

async fn keep_once(queue: &Queue) -> Result<(), StoreError> {
    // What is begun after this list cannot be missing from the answer for want of a lease.
    let in_hand = queue.running.leases();
    let held: HashSet<(RunId, i64)> =
        queue.store.renew_leases(queue.holder, queue.config.lease).await?.into_iter().collect();
    for lease in in_hand {
        if !held.contains(&(lease.run, lease.epoch)) {
            queue.running.lose(lease);
        }
    }
    for (run, user) in queue.store.reap_leases(queue.config.max_crashes, false).await? {
        tell_quarantined(queue, run, user).await?;
    }
    Ok(())
}

/// Tells the owner that a mail has been put aside.
pub(super) async fn tell_quarantined(queue: &Queue, run: RunId, user: UserId) -> Result<(), StoreError> {
    let notice = NewNotice {
        user,
        cause: format!("run:{run}"),
        kind: "quarantined",
        sentence: format!(
            "A mail stopped the service {} times and was put aside unanswered: \
             look at it and, if it should be answered, run `postkey runs retry {run}`.",
            queue.config.max_crashes
        ),
    };
    queue.store.give_notice(notice).await.map(drop)
}
