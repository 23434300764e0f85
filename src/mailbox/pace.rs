//! How often this process may connect: a host that comes back must not meet all its mailboxes in one second
//! (EM-89).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// Hands out turns, evenly spaced.
#[derive(Clone)]
pub(super) struct Pace {
    every: Duration,
    next: Arc<Mutex<Instant>>,
}

impl Pace {
    pub(super) fn new(per_second: u32) -> Self {
        let every = Duration::from_secs(1) / per_second.max(1);
        Self { every, next: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Returns when it is the caller's turn.
    pub(super) async fn turn(&self) {
        let turn = {
            let mut next = self.next.lock().await;
            let turn = (*next).max(Instant::now());
            *next = turn + self.every;
            turn
        };
        tokio::time::sleep_until(turn).await;
    }
}

/// How long to wait after failures in a row: doubling from `first` to `longest`, spread by `luck` in 0..1 (EM-89).
pub(super) fn back_off(failures: u32, first: Duration, longest: Duration, luck: f64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(20)));
    doubled.min(longest).mul_f64(0.5 + luck / 2.0)
}
