//! A connection that is logged in, between two mails.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::Extension;
use lettre::transport::smtp::response::Response;
use tokio::time::timeout;

use super::error::{Phase, SmtpError, SmtpErrorKind};
use super::offer::Offer;
use super::timeouts::Timeouts;
use super::wire::Seen;
use crate::mail::Address;

/// Longest wait for the answer to a farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection on which a mail can be offered.
///
/// Dropping it closes the connection without a farewell.
pub struct Connection {
    pub(super) dialogue: AsyncSmtpConnection,
    pub(super) seen: Arc<Seen>,
    pub(super) timeouts: Timeouts,
    pub(super) served: u32,
}

impl Connection {
    /// Offers a mail: `MAIL FROM` and one `RCPT TO` (EM-149). Nothing of the mail itself is sent.
    ///
    /// # Errors
    /// Any [`SmtpError`] of the phases [`Phase::MailFrom`] and [`Phase::RcptTo`]; none of them is ambiguous.
    pub async fn offer(mut self, from: &Address, to: &Address) -> Result<Offer, SmtpError> {
        let is_ascii = from.as_str().is_ascii() && to.as_str().is_ascii();
        if !is_ascii && !self.dialogue.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(self.failed(Phase::MailFrom, SmtpErrorKind::NotOffered));
        }
        let parameter = if is_ascii { "" } else { " SMTPUTF8" };
        let mail = format!("MAIL FROM:<{}>{parameter}\r\n", self.path(Phase::MailFrom, from)?);
        let rcpt = format!("RCPT TO:<{}>\r\n", self.path(Phase::RcptTo, to)?);
        self.command(Phase::MailFrom, 2, &mail).await?;
        self.command(Phase::RcptTo, 2, &rcpt).await?;
        Ok(Offer { connection: self })
    }

    /// How many mails the server took on this connection.
    pub fn served(&self) -> u32 {
        self.served
    }

    /// Whether the connection may carry another mail; the caller's limits on number and age come on top (EM-150).
    pub fn is_reusable(&self) -> bool {
        let marks = self.seen.marks();
        !marks.closed && !marks.out_of_turn
    }

    /// The largest mail that the server says it takes, in bytes (RFC 1870).
    pub fn size_limit(&self) -> Option<u64> {
        self.seen.marks().size_limit
    }

    /// Whether a connection that waited is still good (`NOOP`, EM-150).
    ///
    /// # Errors
    /// An [`SmtpError`] of [`Phase::Reuse`]; usually [`SmtpError::is_stale`].
    pub async fn reset_check(mut self) -> Result<Self, SmtpError> {
        self.command(Phase::Reuse, 2, "NOOP\r\n").await?;
        Ok(self)
    }

    /// Takes leave; the connection is over whatever the server answers.
    pub async fn quit(mut self) {
        // Nothing depends on the answer: every mail has had its own.
        let _farewell = timeout(FAREWELL, self.dialogue.quit()).await;
    }

    /// One command whose reply must begin with `class`.
    pub(super) async fn command(
        &mut self,
        phase: Phase,
        class: u16,
        command: impl Display,
    ) -> Result<Response, SmtpError> {
        let limit = if phase == Phase::Data { self.timeouts.data } else { self.timeouts.command };
        let reply = match timeout(limit, self.dialogue.command(command)).await {
            Err(_) => return Err(self.failed(phase, SmtpErrorKind::Timeout)),
            Ok(Err(error)) => return Err(self.explain(phase, &error)),
            Ok(Ok(reply)) => reply,
        };
        if u16::from(reply.code()) / 100 == class {
            Ok(reply)
        } else {
            Err(self.failed(phase, SmtpErrorKind::Protocol))
        }
    }

    pub(super) fn failed(&self, phase: Phase, kind: SmtpErrorKind) -> SmtpError {
        SmtpError { reused: self.served > 0, ..SmtpError::new(phase, kind) }
    }

    pub(super) fn explain(&self, phase: Phase, error: &lettre::transport::smtp::Error) -> SmtpError {
        SmtpError { reused: self.served > 0, ..explain(&self.seen, phase, error) }
    }

    /// The address inside the angle brackets; what could end them is refused here once more.
    fn path<'a>(&self, phase: Phase, address: &'a Address) -> Result<&'a str, SmtpError> {
        let path = address.as_str();
        if path.contains(|letter: char| letter.is_control() || matches!(letter, '<' | '>')) {
            return Err(self.failed(phase, SmtpErrorKind::Unsendable));
        }
        Ok(path)
    }
}

/// Puts a failure of the dialogue into our words; the server's text ends here.
pub(super) fn explain(seen: &Seen, phase: Phase, error: &lettre::transport::smtp::Error) -> SmtpError {
    let marks = seen.marks();
    let reply = marks.reply.filter(|(code, _)| (400..600).contains(code));
    // The dialogue may have said its own farewell in the meantime; the error keeps the code that counts.
    if let Some(code) = error.status().map(u16::from).or(reply.map(|(code, _)| code)) {
        let enhanced = reply.and_then(|(_, enhanced)| enhanced).map(|enhanced| enhanced.to_string());
        return SmtpError { enhanced, ..SmtpError::new(phase, refusal_kind(phase, code)) };
    }
    let is_lost = !error.is_response() && !error.is_client();
    let kind = match (marks.out_of_turn, marks.closed || is_lost) {
        (true, _) | (false, false) => SmtpErrorKind::Protocol,
        (false, true) => SmtpErrorKind::Closed,
    };
    SmtpError::new(phase, kind)
}

/// What a 4yz or 5yz reply means (EM-146).
pub(super) fn refusal_kind(phase: Phase, code: u16) -> SmtpErrorKind {
    let is_syntax = (500..505).contains(&code);
    match code {
        400..500 => SmtpErrorKind::Transient(code),
        530 | 534 | 535 | 538 => SmtpErrorKind::Credentials(code),
        _ if phase == Phase::Login && !is_syntax => SmtpErrorKind::Credentials(code),
        _ => SmtpErrorKind::Permanent(code),
    }
}
