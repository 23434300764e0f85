//! How runs are worked off.

use std::time::Duration;

use super::quantity::{DAY, HOUR, SECOND};
use super::setting::{Setting, Slot};

/// Section `[worker]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Runs at once in this process; 100.
    pub concurrency: usize,
    /// Runs at once of one user; 4.
    pub per_user: u32,
    /// How long a claim holds without a sign of life; 60 s, at least 3 s.
    pub lease: Duration,
    /// How often to look for what other processes have stored, where the database does not announce it; 250 ms.
    pub idle_tick: Duration,
    /// How long a stop waits for runs at work; 25 s.
    pub shutdown_grace: Duration,
    /// How long one attempt may take; 15 min.
    pub run_timeout: Duration,
    /// Attempts of a run before it fails; 5.
    pub max_attempts: u32,
    /// Wait after the first failed attempt; 30 s.
    pub retry_first: Duration,
    /// Factor from one wait to the next; 4.
    pub retry_factor: u32,
    /// The longest wait between attempts; 6 h.
    pub retry_longest: Duration,
    /// Crashes of a process on a run before the run is quarantined; 3.
    pub max_crashes: u32,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            concurrency: 100,
            per_user: 4,
            lease: Duration::from_secs(60),
            idle_tick: Duration::from_millis(250),
            shutdown_grace: Duration::from_secs(25),
            run_timeout: Duration::from_secs(15 * 60),
            max_attempts: 5,
            retry_first: Duration::from_secs(30),
            retry_factor: 4,
            retry_longest: Duration::from_secs(6 * 3600),
            max_crashes: 3,
        }
    }
}

impl Worker {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "concurrency", slot: Slot::Amount(&mut self.concurrency, 1..=10_000) },
            Setting { name: "per_user", slot: Slot::Count(&mut self.per_user, 1..=10_000) },
            Setting { name: "lease", slot: Slot::Duration(&mut self.lease, SECOND * 3..=HOUR) },
            Setting {
                name: "idle_tick",
                slot: Slot::Duration(&mut self.idle_tick, Duration::from_millis(10)..=SECOND * 60),
            },
            Setting { name: "shutdown_grace", slot: Slot::Duration(&mut self.shutdown_grace, SECOND..=HOUR) },
            Setting { name: "run_timeout", slot: Slot::Duration(&mut self.run_timeout, SECOND..=DAY) },
            Setting { name: "max_attempts", slot: Slot::Count(&mut self.max_attempts, 1..=100) },
            Setting { name: "retry_first", slot: Slot::Duration(&mut self.retry_first, SECOND..=DAY) },
            Setting { name: "retry_factor", slot: Slot::Count(&mut self.retry_factor, 1..=100) },
            Setting {
                name: "retry_longest",
                slot: Slot::Duration(&mut self.retry_longest, SECOND..=DAY * 7),
            },
            Setting { name: "max_crashes", slot: Slot::Count(&mut self.max_crashes, 1..=100) },
        ]
    }
}
