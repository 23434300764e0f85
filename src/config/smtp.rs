//! How replies are handed over.

use std::time::Duration;

use super::quantity::{DAY, HOUR, SECOND};
use super::setting::{Choice, Setting, Slot};

/// Section `[smtp]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// Limit for dialling, TLS and the greeting; 30 s.
    pub connect_timeout: Duration,
    /// Limit for one command (RFC 5321 section 4.5.3.2); 5 min.
    pub command_timeout: Duration,
    /// Limit for the answer to DATA (RFC 5321 section 4.5.3.2.4); 2 min.
    pub data_timeout: Duration,
    /// Limit for the answer to the final dot (RFC 5321 section 4.5.3.2.6); 10 min.
    pub final_timeout: Duration,
    /// Connections at once per account; 4.
    pub connections_per_account: u32,
    /// Mails on one connection before it is closed; 50.
    pub messages_per_connection: u32,
    /// How long an unused connection is kept; 60 s.
    pub idle: Duration,
    /// Mails per minute and account, 0 for no limit; 30.
    pub messages_per_minute: u32,
    /// Whether a copy goes to the Sent folder; `auto`.
    pub sent_copy: SentCopy,
    /// Whether an ambiguous send is looked up in the Sent folder; false.
    pub verify_ambiguous: bool,
    /// First wait after the server said "later" (EM-147); it grows with the age of the run; 5 min.
    pub retry_first: Duration,
    /// How long after its mail a reply may still be sent; 24 h.
    pub reply_deadline: Duration,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            command_timeout: Duration::from_secs(5 * 60),
            data_timeout: Duration::from_secs(2 * 60),
            final_timeout: Duration::from_secs(10 * 60),
            connections_per_account: 4,
            messages_per_connection: 50,
            idle: Duration::from_secs(60),
            messages_per_minute: 30,
            sent_copy: SentCopy::Auto,
            verify_ambiguous: false,
            retry_first: Duration::from_secs(5 * 60),
            reply_deadline: Duration::from_secs(24 * 3600),
        }
    }
}

/// Whether we put a copy of a reply into the Sent folder ourselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentCopy {
    /// Unless the provider is known to do it itself.
    #[default]
    Auto,
    /// For every reply.
    Always,
    /// For no reply.
    Never,
}

impl Smtp {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting {
                name: "connect_timeout",
                slot: Slot::Duration(&mut self.connect_timeout, SECOND..=HOUR),
            },
            Setting {
                name: "command_timeout",
                slot: Slot::Duration(&mut self.command_timeout, SECOND..=HOUR),
            },
            Setting { name: "data_timeout", slot: Slot::Duration(&mut self.data_timeout, SECOND..=HOUR) },
            Setting { name: "final_timeout", slot: Slot::Duration(&mut self.final_timeout, SECOND..=HOUR) },
            Setting {
                name: "connections_per_account",
                slot: Slot::Count(&mut self.connections_per_account, 1..=100),
            },
            Setting {
                name: "messages_per_connection",
                slot: Slot::Count(&mut self.messages_per_connection, 1..=10_000),
            },
            Setting { name: "idle", slot: Slot::Duration(&mut self.idle, SECOND..=HOUR) },
            Setting {
                name: "messages_per_minute",
                slot: Slot::Count(&mut self.messages_per_minute, 0..=100_000),
            },
            Setting { name: "sent_copy", slot: Slot::Choice(&mut self.sent_copy) },
            Setting { name: "verify_ambiguous", slot: Slot::Flag(&mut self.verify_ambiguous) },
            Setting { name: "retry_first", slot: Slot::Duration(&mut self.retry_first, SECOND..=HOUR) },
            Setting {
                name: "reply_deadline",
                slot: Slot::Duration(&mut self.reply_deadline, SECOND..=DAY * 30),
            },
        ]
    }
}

impl SentCopy {
    /// Its word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl Choice for SentCopy {
    fn words(&self) -> &'static [&'static str] {
        &["auto", "always", "never"]
    }

    fn word(&self) -> &'static str {
        self.as_str()
    }

    fn choose(&mut self, word: &str) -> bool {
        let all = [Self::Auto, Self::Always, Self::Never];
        let found = all.into_iter().find(|choice| choice.as_str() == word);
        *self = found.unwrap_or(*self);
        found.is_some()
    }
}
