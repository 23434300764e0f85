//! How long a mail server may take.

use std::time::Duration;

use crate::config;

/// The deadlines of the phases (RFC 5321 section 4.5.3.2, EM-145).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Look-up, TCP and TLS together.
    pub connect: Duration,
    /// Greeting, `EHLO`, login, `MAIL`, `RCPT`; in the body a standstill, or less than 8 KiB per second beyond it.
    pub command: Duration,
    /// The answer to `DATA`.
    pub data: Duration,
    /// The answer to the final dot.
    pub finish: Duration,
}

impl From<&config::Smtp> for Timeouts {
    fn from(smtp: &config::Smtp) -> Self {
        Self {
            connect: smtp.connect_timeout,
            command: smtp.command_timeout,
            data: smtp.data_timeout,
            finish: smtp.final_timeout,
        }
    }
}
