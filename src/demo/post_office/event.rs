//! What the post office tells those who watch it.

use std::sync::Arc;

use crate::clock::Timestamp;

/// Something happened; the mail is shared, not copied.
#[derive(Clone, Debug)]
pub enum Event {
    /// A mail came into an INBOX.
    MailArrived {
        /// The account's address.
        address: Arc<str>,
        /// Its UID in INBOX.
        uid: u32,
        /// As it lies in the folder (delivery by SMTP adds its trace headers).
        bytes: Arc<[u8]>,
        /// When.
        at: Timestamp,
    },
    /// The SMTP server took responsibility for a mail; told just before its 250 is written.
    MailAccepted {
        /// Who sent it to whom.
        envelope: Arc<Envelope>,
        /// Exactly as the client submitted it, dots unstuffed.
        bytes: Arc<[u8]>,
        /// When.
        at: Timestamp,
    },
}

/// The SMTP envelope (RFC 5321 section 2.3.1): what counts for delivery, whatever the headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `MAIL FROM`; `None` is the null return path of a bounce.
    pub from: Option<String>,
    /// `RCPT TO`, in order.
    pub to: Vec<String>,
    /// The account that logged in to send it.
    pub submitted_by: Option<String>,
}
