//! Which mailboxes this process watches: leased in the database, one watcher task each (EM-104).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::pace::Pace;
use super::{Watching, watcher};
use crate::store::{MailboxId, StoreError, WatchedMailbox};

/// Mailboxes leased at once; the rest follows at the next look, and other processes get their share.
const MOST_AT_ONCE: u32 = 250;

/// Watches until `stop`, then lets the watchers end and gives up the leases.
pub async fn watch_until(watching: Watching, stop: CancellationToken) {
    let mut watchers = Watchers::new(watching.clone());
    let mut renewed = Instant::now();
    loop {
        let is_due = renewed.elapsed() >= watching.config.lease / 3;
        let Some(looked) = stop.run_until_cancelled(watchers.look(is_due)).await else { break };
        match looked {
            Ok(()) if is_due => renewed = Instant::now(),
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot see which mailboxes to watch");
                if renewed.elapsed() > watching.config.lease {
                    watchers.stop_all();
                }
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(watching.config.refresh)).await.is_none() {
            break;
        }
    }
    watchers.stop_all();
    watchers.tasks.close();
    watchers.tasks.wait().await;
    if let Err(error) = watching.store.release_mailboxes(Some(watching.holder)).await {
        tracing::warn!(%error, "mailboxes stay leased until their leases end");
    }
}

struct Watchers {
    watching: Watching,
    pace: Pace,
    tasks: TaskTracker,
    at_work: HashMap<MailboxId, Watcher>,
}

struct Watcher {
    mailbox: WatchedMailbox,
    stop: CancellationToken,
    file: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Watchers {
    fn new(watching: Watching) -> Self {
        let pace = Pace::new(watching.config.connects_per_second);
        Self { watching, pace, tasks: TaskTracker::new(), at_work: HashMap::new() }
    }

    /// Compares what should be watched with what is.
    async fn look(&mut self, renew: bool) -> Result<(), StoreError> {
        let (store, holder) = (self.watching.store.clone(), self.watching.holder);
        let lease = self.watching.config.lease;
        store.lease_mailboxes(holder, lease, MOST_AT_ONCE).await?;
        let held = if renew {
            store.renew_mailboxes(holder, lease).await?
        } else {
            store.list_watched_mailboxes(holder).await?
        };
        let wanted: HashSet<MailboxId> = held.iter().map(|mailbox| mailbox.id).collect();
        self.at_work.retain(|id, watcher| wanted.contains(id) || watcher.is_stopped_now());
        for mailbox in held {
            self.start(mailbox);
        }
        for mailbox in store.list_mailboxes_to_file(holder).await? {
            if let Some(watcher) = self.at_work.get(&mailbox) {
                watcher.file.notify_one();
            }
        }
        Ok(())
    }

    /// Starts a watcher, or starts it afresh where the settings or the lease are others, or where it has died.
    fn start(&mut self, mailbox: WatchedMailbox) {
        if let Some(watcher) = self.at_work.get(&mailbox.id) {
            if watcher.mailbox.updated_at == mailbox.updated_at
                && watcher.mailbox.lease_epoch == mailbox.lease_epoch
                && !watcher.task.is_finished()
            {
                return;
            }
            watcher.stop.cancel();
        }
        let (stop, file) = (CancellationToken::new(), Arc::new(Notify::new()));
        let task = self.tasks.spawn(watcher::watch_until(
            self.watching.clone(),
            mailbox,
            self.pace.clone(),
            Arc::clone(&file),
            stop.clone(),
        ));
        self.at_work.insert(mailbox.id, Watcher { mailbox, stop, file, task });
    }

    fn stop_all(&mut self) {
        self.at_work.retain(|_, watcher| watcher.is_stopped_now());
    }
}

impl Watcher {
    /// Stops it, and says `false` so that it is dropped from a list.
    fn is_stopped_now(&self) -> bool {
        self.stop.cancel();
        false
    }
}
