//! How long things are kept.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

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
