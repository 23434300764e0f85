//! How many mails a mailbox has sent within the last minute (EM-156).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::MailboxId;

const MINUTE: Duration = Duration::from_secs(60);

/// Times of hand-over by mailbox, for this process.
pub(super) struct Meter {
    per_minute: usize,
    sent: Mutex<HashMap<MailboxId, VecDeque<Timestamp>>>,
}

impl Meter {
    /// With 0 nothing is metered.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: usize::try_from(per_minute).unwrap_or(usize::MAX), sent: Mutex::default() }
    }

    /// Counts one mail now, or says in how long there is room for it.
    pub(super) fn count(&self, mailbox: MailboxId, now: Timestamp) -> Result<(), Duration> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < MINUTE));
        let times = sent.entry(mailbox).or_default();
        while times.front().is_some_and(|first| now.since(*first) >= MINUTE) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= self.per_minute => Err(MINUTE.saturating_sub(now.since(*first))),
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}
