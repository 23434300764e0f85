//! A letter of the service itself to one of its users: plain text that a program wrote and nobody answers.

use lettre::message::header::ContentType;

use super::reply::{ComposeError, date, field, mailbox, part};
use super::{Address, RfcMessageId};
use crate::clock::Timestamp;

/// Everything that a letter is made of.
pub struct Letter<'a> {
    /// The operator's address.
    pub from: &'a Address,
    /// The user's.
    pub to: &'a Address,
    /// Our own words.
    pub subject: &'static str,
    /// The text.
    pub text: &'a str,
    /// Made by [`super::own_message_id`].
    pub message_id: &'a RfcMessageId,
    /// Stands in `Date`.
    pub date: Timestamp,
}

impl Letter<'_> {
    /// The whole mail with CRLF line ends, ASCII only. It says that it is automatic (RFC 3834 section 5), so that no
    /// robot answers it.
    ///
    /// # Errors
    /// Where one of the addresses cannot stand in a header.
    pub fn compose(&self) -> Result<Vec<u8>, ComposeError> {
        let message = lettre::Message::builder()
            .from(mailbox(self.from, Some("Postkey")).ok_or(ComposeError::From)?)
            .to(mailbox(self.to, None).ok_or(ComposeError::To)?)
            .date(date(self.date))
            .message_id(Some(self.message_id.bracketed()))
            .subject(self.subject)
            .raw_header(field("Auto-Submitted", "auto-generated"))
            .raw_header(field("X-Auto-Response-Suppress", "All"))
            .singlepart(part(ContentType::TEXT_PLAIN, self.text));
        Ok(message.map_err(|_| ComposeError::Builder)?.formatted())
    }
}
