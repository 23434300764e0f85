//! Whether there is a header at all: files of bare words are read as body.

use super::fields;
use super::limits::Limits;

/// One of these makes a header of lines that look like fields; `Hello: ..` or `https://..` alone do not.
const TELLING: [&str; 16] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "reply-to",
    "sender",
    "cc",
    "in-reply-to",
    "references",
];

/// Whether `raw` begins with a header block; without one it is the text of a mail and nothing else.
pub fn has_header_block(raw: &[u8]) -> bool {
    let unix_lines = fields::with_line_feeds(raw);
    let (fields, _) = fields::split(unix_lines.as_deref().unwrap_or(raw), &Limits::default());
    // So many fields are no words, whatever the first of them are.
    fields.is_cut() || TELLING.iter().any(|name| fields.has(name))
}
