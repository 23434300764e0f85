//! Messages: the mails that came in, as far as they are kept.

pub(super) mod list;
pub(super) mod raw;
pub(super) mod read;

use serde::Serialize;
use utoipa::ToSchema;

use crate::mail::{self, Limits};
use crate::store::MessageHead;

/// A mail that came in.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageAnswer {
    /// Its id, which is also that of its run.
    id: String,
    /// The mailbox that it came to.
    mailbox_id: String,
    /// Its thread: the conversation with one correspondent that it belongs to.
    thread_id: String,
    /// The person outside, in comparable form.
    correspondent: String,
    /// Its sender; null where it has none, or is not kept any more.
    from: Option<String>,
    /// Its subject; null where it is not kept any more.
    subject: Option<String>,
    /// Its size on the mail server, in bytes.
    bytes: i64,
    /// Whether only its beginning was taken in.
    truncated: bool,
    /// Whether it is kept; old mail is removed.
    is_kept: bool,
    /// When it was taken in.
    #[schema(format = DateTime)]
    received_at: String,
}

impl From<MessageHead> for MessageAnswer {
    fn from(head: MessageHead) -> Self {
        let mail = head.head.as_deref().map(|raw| mail::read(raw, &Limits::default()));
        let from = mail.as_ref().and_then(|mail| mail.from.first());
        Self {
            id: head.id.to_string(),
            mailbox_id: head.mailbox_id.to_string(),
            thread_id: head.thread_id.to_string(),
            correspondent: head.correspondent,
            from: from.map(|from| from.address.as_str().to_owned()),
            is_kept: mail.is_some(),
            subject: mail.map(|mail| mail.subject),
            bytes: head.bytes,
            truncated: head.truncated,
            received_at: head.received_at.to_string(),
        }
    }
}
