//! One way to read all mails, timed turn by turn.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::mails::Mails;

pub struct Pass {
    name: &'static str,
    read: fn(&[u8]),
    turns: Vec<Duration>,
}

impl Pass {
    pub fn new(name: &'static str, read: fn(&[u8])) -> Self {
        Self { name, read, turns: Vec::new() }
    }

    /// Reads every mail once.
    pub fn take_turn(&mut self, mails: &Mails) {
        let started = processor_time();
        for mail in &mails.mails {
            (self.read)(mail);
        }
        self.turns.push(processor_time().saturating_sub(started));
    }

    /// Seconds for all mails.
    pub fn median(&self) -> f64 {
        let mut sorted = self.turns.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).map(Duration::as_secs_f64).unwrap_or_default()
    }

    /// How many times as long as `bare` seconds it takes.
    pub fn times(&self, bare: f64) -> f64 {
        self.median() / bare
    }

    pub fn row(&self, mails: &Mails, bare: f64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let (count, bytes) = (mails.count() as f64, mails.bytes() as f64);
        let (per_second, per_byte) = (count / self.median(), self.median() * 1e9 / bytes);
        format!("| {} | {per_second:.0} | {per_byte:.1} | {:.2} |", self.name, self.times(bare))
    }
}

/// What this thread has used; waiting for a busy machine does not count.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
