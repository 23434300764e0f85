//! Which folder holds sent mail.

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response};

use super::append::refusal;
use super::error::{ImapError, Step};
use super::framer::Limits;
use super::session::Session;

/// Room for some 10,000 folders.
const FOLDERS: Limits = Limits { line: 64 * 1024, literal: 0, total: 1024 * 1024 };

/// Names of the folder where no server says which it is, in lower case and modified UTF-7 (EM-100).
const SENT_NAMES: [&str; 14] = [
    "sent",
    "sent mail",
    "sent items",
    "sent messages",
    "gesendet",
    "gesendete objekte",
    "gesendete elemente",
    "&aok-l&aok-ments envoy&aok-s",
    "envoy&aok-s",
    "enviados",
    "elementos enviados",
    "posta inviata",
    "verzonden items",
    "skickat",
];

impl Session {
    /// The folder for sent mail: what the server says (SPECIAL-USE, RFC 6154), else the first with a usual name.
    ///
    /// The name is in the server's own form, ready for the other calls. A server that does not list has none.
    ///
    /// # Errors
    /// Any [`ImapError`] but [`ImapError::Refused`].
    pub async fn sent_folder(mut self) -> Result<(Self, Option<String>), ImapError> {
        let says_use = self.capabilities.special_use && self.capabilities.list_extended;
        let command = if says_use { "LIST \"\" \"*\" RETURN (SPECIAL-USE)" } else { "LIST \"\" \"*\"" };
        let (mut marked, mut named) = (None, None);
        self.wire.allow(FOLDERS);
        let collect = |answer: &Response<'_>| {
            let Some((name, is_marked)) = candidate(answer) else { return };
            let slot = if is_marked { &mut marked } else { &mut named };
            slot.get_or_insert(name);
        };
        let listed = self.wire.bounded_command(Step::List, command, collect).await;
        let folder = marked.or(named);
        Ok((self, refusal(listed)?.ok().and(folder)))
    }
}

/// A folder that may be the one, and whether the server says so.
fn candidate(answer: &Response<'_>) -> Option<(String, bool)> {
    let Response::MailboxData(MailboxDatum::List(entry)) = answer else { return None };
    // A backslash is an escape in a quoted name and itself in a literal; the parser does not tell which it was.
    if entry.name_attributes.contains(&NameAttribute::NoSelect) || entry.name.contains('\\') {
        return None;
    }
    let is_marked = entry.name_attributes.contains(&NameAttribute::Sent);
    let last = entry.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let last = last.and_then(|delimiter| entry.name.rsplit(delimiter).next()).unwrap_or(&entry.name);
    let is_named = SENT_NAMES.contains(&last.to_ascii_lowercase().as_str());
    (is_marked || is_named).then(|| (entry.name.clone().into_owned(), is_marked))
}
