//! What can go wrong with a hand-over, and where.

use std::fmt;

use crate::net::NetError;

/// Where in the dialogue a failure happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Look-up, TCP, TLS.
    Connect,
    /// The first reply of the server.
    Greeting,
    /// `EHLO`.
    Hello,
    /// `STARTTLS` and its handshake.
    StartTls,
    /// `AUTH`.
    Login,
    /// Asking whether a connection that waited is still good (`NOOP`, `RSET`).
    Reuse,
    /// `MAIL FROM`.
    MailFrom,
    /// `RCPT TO`.
    RcptTo,
    /// `DATA`.
    Data,
    /// The mail, before its final dot.
    Body,
    /// From the final dot on.
    AfterDot,
}

impl Phase {
    /// A stable word for rows and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Hello => "hello",
            Self::StartTls => "starttls",
            Self::Login => "login",
            Self::Reuse => "reuse",
            Self::MailFrom => "mail_from",
            Self::RcptTo => "rcpt_to",
            Self::Data => "data",
            Self::Body => "body",
            Self::AfterDot => "after_dot",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened; codes are SMTP reply codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpErrorKind {
    /// A 4yz reply: the same may succeed later (EM-146).
    #[error("the server said not now ({0})")]
    Transient(u16),
    /// A 5yz reply: the same will fail again.
    #[error("the server refused ({0})")]
    Permanent(u16),
    /// The login is not accepted or missing; only a person can change that (EM-146).
    #[error("the server did not accept the login ({0})")]
    Credentials(u16),
    /// The phase was not over before its deadline.
    #[error("the server did not answer in time")]
    Timeout,
    /// The connection ended.
    #[error("the connection was lost")]
    Closed,
    /// There was no connection.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The server does not offer what is needed: STARTTLS, a way to log in, SMTPUTF8, 8BITMIME.
    #[error("the server does not offer what is needed")]
    NotOffered,
    /// What the server sent is not SMTP.
    #[error("the server sent something that is not SMTP")]
    Protocol,
    /// The mail is larger than the server takes (RFC 1870, EM-157); it was not sent.
    #[error("the mail is larger than the server takes")]
    TooLarge,
    /// A user name, password or address with characters that would end a command; nothing was sent.
    #[error("a value cannot be sent to a mail server")]
    Unsendable,
}

/// An enhanced status code (RFC 3463), such as `5.7.60`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enhanced {
    /// 2, 4 or 5.
    pub class: u8,
    /// 0 to 999.
    pub subject: u16,
    /// 0 to 999.
    pub detail: u16,
}

impl Enhanced {
    /// The code at the beginning of a reply's text; `None` if there is none.
    pub fn leading(text: &str) -> Option<Self> {
        let mut parts = text.split_ascii_whitespace().next()?.splitn(3, '.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let class = class.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        Some(Self { class, subject: up_to_three_digits(subject)?, detail: up_to_three_digits(detail)? })
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

fn up_to_three_digits(text: &str) -> Option<u16> {
    let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// A failed step; the connection is gone in every case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase}: {kind}")]
pub struct SmtpError {
    /// Where it happened.
    pub phase: Phase,
    /// What happened.
    pub kind: SmtpErrorKind,
    /// The enhanced status code of the reply in its written form, such as `5.7.60` (RFC 3463).
    pub enhanced: Option<String>,
    /// Whether the connection had carried a mail before.
    pub reused: bool,
}

impl SmtpError {
    pub(super) fn new(phase: Phase, kind: SmtpErrorKind) -> Self {
        Self { phase, kind, enhanced: None, reused: false }
    }

    /// Whether the server may have taken the mail: the final dot left, and no reply was read (EM-144).
    pub fn is_ambiguous(&self) -> bool {
        self.phase == Phase::AfterDot && self.reply_code().is_none()
    }

    /// The reply code, if the server gave one.
    pub fn reply_code(&self) -> Option<u16> {
        match self.kind {
            SmtpErrorKind::Transient(code)
            | SmtpErrorKind::Permanent(code)
            | SmtpErrorKind::Credentials(code) => Some(code),
            _ => None,
        }
    }

    /// Whether a connection that waited had gone stale: open a new one at once, this was no attempt (EM-148).
    pub fn is_stale(&self) -> bool {
        let is_gone = matches!(
            self.kind,
            SmtpErrorKind::Closed | SmtpErrorKind::Timeout | SmtpErrorKind::Transient(421)
        );
        let was_waiting = self.phase == Phase::Reuse || (self.reused && self.phase == Phase::MailFrom);
        was_waiting && is_gone
    }

    /// Whether the owner has to give a new password or token.
    pub fn is_credential(&self) -> bool {
        matches!(self.kind, SmtpErrorKind::Credentials(_))
    }

    /// Whether the same hand-over may be tried again later. Never for an ambiguous one: ask
    /// [`SmtpError::is_ambiguous`] first.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            SmtpErrorKind::Transient(_) | SmtpErrorKind::Timeout => !self.is_ambiguous(),
            SmtpErrorKind::Closed | SmtpErrorKind::Protocol => !self.is_ambiguous(),
            SmtpErrorKind::Net(error) => error.is_transient(),
            _ => false,
        }
    }
}
