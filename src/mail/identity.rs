//! When two copies are one mail (EM-72, EM-77).

use sha2::{Digest, Sha256};

use super::fields;
use super::limits::Limits;
use super::read::Mail;

/// Fields that the sender wrote and no relay or folder changes. Trace fields (`Received`, `Delivered-To`,
/// `Return-Path`, `Authentication-Results`, ...) differ between copies and therefore are not among them.
const SENDERS_FIELDS: [&str; 4] = ["from", "date", "subject", "content-type"];

/// What stays the same when a mail is seen again: in another folder, through another alias, or after the server
/// counted its UIDs anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// 64 hex digits; the same for the same mail, on every machine and version.
    pub key: String,
}

/// The identity of `mail`, which was read from `raw`.
///
/// The Message-ID alone is not enough (ids are not unique, EM-72) and may be missing, so the content counts as well.
/// Line ends and trailing empty lines do not: servers change them.
pub fn identity(raw: &[u8], mail: &Mail) -> Identity {
    let unix_lines = fields::with_line_feeds(raw);
    let (fields, body) = fields::split(unix_lines.as_deref().unwrap_or(raw), &Limits::default());
    let mut hash = Sha256::new();
    hash.update(b"postkey/identity/v1\0");
    hash.update(mail.message_id.as_ref().map_or("", |id| id.as_str()));
    for name in SENDERS_FIELDS {
        hash.update(b"\0");
        for word in fields.all(name).flat_map(str::split_whitespace) {
            hash.update(word);
            hash.update(b" ");
        }
    }
    hash.update(b"\0");
    add_lines(&mut hash, body);
    Identity { key: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect() }
}

fn add_lines(hash: &mut Sha256, body: &[u8]) {
    let mut line_ends = 0_u64;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            hash.update(line_ends.to_be_bytes());
            hash.update(line);
            line_ends = 0;
        }
        line_ends = line_ends.saturating_add(1);
    }
}
