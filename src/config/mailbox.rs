//! How mailboxes are watched.

use std::time::Duration;

use super::quantity::{DAY, GIB, HOUR, KIB, MINUTE, SECOND};
use super::setting::{Setting, Slot};

/// Section `[mailbox]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// How often to look where the server has no IDLE; 60 s.
    pub poll: Duration,
    /// How long one IDLE lasts before it is renewed; 5 min, at most 29 min (RFC 2177 section 3).
    pub idle_renew: Duration,
    /// How often to look although IDLE said nothing; 10 min.
    pub full_check: Duration,
    /// Limit for dialling, TLS and the greeting; 30 s.
    pub connect_timeout: Duration,
    /// Limit for one IMAP command; 60 s.
    pub command_timeout: Duration,
    /// Limit for the answer to DONE; 15 s.
    pub done_timeout: Duration,
    /// Mails taken in at once; 50.
    pub fetch_batch: usize,
    /// Largest mail that is read whole, in bytes; 25 MiB.
    pub max_message_bytes: usize,
    /// Mail that this process holds in memory while taking it in, in bytes; 128 MiB. One owner holds a quarter of it at
    /// most, or one mail that is larger.
    pub bytes_in_hand: usize,
    /// Wait before the first reconnect; 1 s.
    pub reconnect_first: Duration,
    /// The longest wait between reconnects; 15 min.
    pub reconnect_longest: Duration,
    /// Refused logins in a row before the mailbox waits for its owner; 3.
    pub login_failures: u32,
    /// How long a mail server may be away before the owner is told; 1 h.
    pub away_notice: Duration,
    /// How long a process holds a mailbox without a sign of life; 60 s, at least 3 s.
    pub lease: Duration,
    /// How soon a change of a mailbox row is seen; 2 s.
    pub refresh: Duration,
    /// Connections begun per second by this process; 20.
    pub connects_per_second: u32,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(60),
            idle_renew: Duration::from_secs(5 * 60),
            full_check: Duration::from_secs(10 * 60),
            connect_timeout: Duration::from_secs(30),
            command_timeout: Duration::from_secs(60),
            done_timeout: Duration::from_secs(15),
            fetch_batch: 50,
            max_message_bytes: 25 * 1024 * 1024,
            bytes_in_hand: 128 * 1024 * 1024,
            reconnect_first: Duration::from_secs(1),
            reconnect_longest: Duration::from_secs(15 * 60),
            login_failures: 3,
            away_notice: Duration::from_secs(3600),
            lease: Duration::from_secs(60),
            refresh: Duration::from_secs(2),
            connects_per_second: 20,
        }
    }
}

impl Mailbox {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "poll", slot: Slot::Duration(&mut self.poll, SECOND..=DAY) },
            Setting { name: "idle_renew", slot: Slot::Duration(&mut self.idle_renew, SECOND..=MINUTE * 29) },
            Setting { name: "full_check", slot: Slot::Duration(&mut self.full_check, SECOND..=DAY) },
            Setting {
                name: "connect_timeout",
                slot: Slot::Duration(&mut self.connect_timeout, SECOND..=HOUR),
            },
            Setting {
                name: "command_timeout",
                slot: Slot::Duration(&mut self.command_timeout, SECOND..=HOUR),
            },
            Setting { name: "done_timeout", slot: Slot::Duration(&mut self.done_timeout, SECOND..=HOUR) },
            Setting { name: "fetch_batch", slot: Slot::Amount(&mut self.fetch_batch, 1..=1_000) },
            Setting {
                name: "max_message_bytes",
                slot: Slot::Size(&mut self.max_message_bytes, 64 * KIB..=GIB),
            },
            Setting { name: "bytes_in_hand", slot: Slot::Size(&mut self.bytes_in_hand, 64 * KIB..=64 * GIB) },
            Setting {
                name: "reconnect_first",
                slot: Slot::Duration(&mut self.reconnect_first, Duration::from_millis(10)..=DAY),
            },
            Setting {
                name: "reconnect_longest",
                slot: Slot::Duration(&mut self.reconnect_longest, SECOND..=DAY),
            },
            Setting { name: "login_failures", slot: Slot::Count(&mut self.login_failures, 1..=100) },
            Setting { name: "away_notice", slot: Slot::Duration(&mut self.away_notice, SECOND..=DAY) },
            Setting { name: "lease", slot: Slot::Duration(&mut self.lease, SECOND * 3..=HOUR) },
            Setting {
                name: "refresh",
                slot: Slot::Duration(&mut self.refresh, Duration::from_millis(10)..=HOUR),
            },
            Setting {
                name: "connects_per_second",
                slot: Slot::Count(&mut self.connects_per_second, 1..=10_000),
            },
        ]
    }
}
