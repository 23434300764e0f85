//! How replies are handed over.

use std::time::Duration;

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
