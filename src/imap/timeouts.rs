//! How long a mail server may take.

use std::time::Duration;

use crate::config;

/// The deadlines of a session (EM-88).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Look-up, TCP and TLS together.
    pub connect: Duration,
    /// One command until its tagged answer; every 8 KiB that arrive add a second.
    pub command: Duration,
    /// The answer to `DONE`, which ends an `IDLE`.
    pub done: Duration,
}

impl From<&config::Mailbox> for Timeouts {
    fn from(mailbox: &config::Mailbox) -> Self {
        Self {
            connect: mailbox.connect_timeout,
            command: mailbox.command_timeout,
            done: mailbox.done_timeout,
        }
    }
}
