//! The operator's own way to send mail: for letters of the service itself, such as links to reset a password.

use std::time::Duration;

use secrecy::SecretString;

use super::error::ConfigError;
use super::quantity::{DAY, SECOND};
use super::setting::{Choice, Setting, Slot, not_empty};

/// Section `[operator_mail]`; absent if no host is written.
#[derive(Clone)]
pub struct OperatorMail {
    /// The mail server's name.
    pub host: String,
    /// Its port; 465.
    pub port: u32,
    /// How TLS begins; `tls`.
    pub security: MailSecurity,
    /// The account's name at the server; unset for a server that wants none.
    pub username: Option<String>,
    /// The account's password; the file holds only `env:NAME` or `file:PATH`.
    pub password: Option<SecretString>,
    /// The address that letters come from.
    pub from: String,
    /// How long a notice waits before it is mailed; 1 min.
    pub notice_delay: Duration,
}

/// How TLS begins on a connection to a mail server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailSecurity {
    /// With the first byte.
    #[default]
    Tls,
    /// After `STARTTLS`, which is then required.
    StartTls,
    /// Never; only for servers in `network.private_endpoints`.
    None,
}

/// The section while it is read.
pub(super) struct Draft {
    host: Option<String>,
    port: u32,
    security: MailSecurity,
    username: Option<String>,
    password: Option<SecretString>,
    from: Option<String>,
    notice_delay: Duration,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            host: None,
            port: 465,
            security: MailSecurity::Tls,
            username: None,
            password: None,
            from: None,
            notice_delay: Duration::from_secs(60),
        }
    }
}

impl Draft {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "host", slot: Slot::MaybeText(&mut self.host, not_empty) },
            Setting { name: "port", slot: Slot::Count(&mut self.port, 1..=65_535) },
            Setting { name: "security", slot: Slot::Choice(&mut self.security) },
            Setting { name: "username", slot: Slot::MaybeText(&mut self.username, not_empty) },
            Setting { name: "password", slot: Slot::ReferredSecret(&mut self.password) },
            Setting { name: "from", slot: Slot::MaybeText(&mut self.from, address) },
            Setting { name: "notice_delay", slot: Slot::Duration(&mut self.notice_delay, SECOND..=DAY) },
        ]
    }

    /// The section when it is complete, nothing when nothing was written.
    pub(super) fn finish(self) -> Result<Option<OperatorMail>, ConfigError> {
        let Self { host, port, security, username, password, from, notice_delay } = self;
        let wrong = |problem: &str| Err(ConfigError::new("operator_mail", problem));
        match (host, from) {
            (None, None) if username.is_none() && password.is_none() => Ok(None),
            (Some(_), Some(_)) if username.is_some() != password.is_some() => {
                wrong("has a username without a password, or the reverse; set both or none")
            }
            (Some(host), Some(from)) => {
                Ok(Some(OperatorMail { host, port, security, username, password, from, notice_delay }))
            }
            _ => wrong("is incomplete; set host and from, or remove the whole section"),
        }
    }
}

impl From<OperatorMail> for Draft {
    fn from(mail: OperatorMail) -> Self {
        let OperatorMail { host, port, security, username, password, from, notice_delay } = mail;
        Self { host: Some(host), port, security, username, password, from: Some(from), notice_delay }
    }
}

impl Choice for MailSecurity {
    fn words(&self) -> &'static [&'static str] {
        &["tls", "starttls", "none"]
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }

    fn choose(&mut self, word: &str) -> bool {
        let all = [Self::Tls, Self::StartTls, Self::None];
        let found = all.into_iter().find(|choice| choice.word() == word);
        *self = found.unwrap_or(*self);
        found.is_some()
    }
}

fn address(text: &str) -> Result<(), String> {
    let parts = text.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    match parts {
        Some((_, domain)) if is_plain && !domain.contains('@') => Ok(()),
        _ => Err("must be a mail address, such as \"postkey@example.org\"".to_owned()),
    }
}
