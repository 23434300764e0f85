//! How long things are kept.

use std::time::Duration;

use super::quantity::{DAY, HOUR, MINUTE};
use super::setting::{Setting, Slot};

/// Section `[retention]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Text of mails and replies; 30 days.
    pub mail_text: Duration,
    /// Runs and their outcomes, without text; 400 days.
    pub runs: Duration,
    /// How often what is too old is removed; 1 h.
    pub sweep: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { mail_text: DAY * 30, runs: DAY * 400, sweep: Duration::from_secs(3600) }
    }
}

impl Retention {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "mail_text", slot: Slot::Duration(&mut self.mail_text, HOUR..=DAY * 3_650) },
            Setting { name: "runs", slot: Slot::Duration(&mut self.runs, DAY..=DAY * 3_650) },
            Setting { name: "sweep", slot: Slot::Duration(&mut self.sweep, MINUTE..=DAY * 30) },
        ]
    }
}
