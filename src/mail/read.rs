//! One mail as a value: everything that later steps ask about, read once, from any bytes (EM-106).

use std::fmt;

use mail_parser::parsers::MessageStream;
use sha2::{Digest, Sha256};

use super::address::{Address, Named};
use super::attachments::{self, Attachment};
use super::bounce::{self, Bounce};
use super::calendar;
use super::fields::{self, Fields};
use super::limits::Limits;
use super::message_id::RfcMessageId;
use super::structure::{self, Leaf, Structure};
use super::visible::{self, VisibleText};
use super::{clean, content_type, encoded_words, smime, transfer};
use crate::clock::Timestamp;

/// What a mail says. `Debug` shows sizes only.
///
/// Of single-use fields that come several times the first counts, and of `Date` the last (EM-129).
#[derive(Clone, Default)]
pub struct Mail {
    /// The addresses of `From` that can be read.
    pub from: Vec<Named>,
    /// `Sender`.
    pub sender: Option<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// Where hosts say they delivered it, the most telling field first (EM-62). A sender can forge all of them (EM-63).
    pub delivered_to: Vec<Address>,
    /// Decoded, one clean line; may be empty.
    pub subject: String,
    /// `Message-ID`.
    pub message_id: Option<RfcMessageId>,
    /// `In-Reply-To`.
    pub in_reply_to: Vec<RfcMessageId>,
    /// `References`, oldest first as a rule.
    pub references: Vec<RfcMessageId>,
    /// `Date`, which is the sender's claim.
    pub date: Option<Timestamp>,
    /// The words.
    pub text: VisibleText,
    /// The files, attached mails included.
    pub attachments: Vec<Attachment>,
    /// What it says about a mail that was not delivered, when it is a bounce.
    pub bounce: Option<Bounce>,
    /// What was found or cut on the way.
    pub flags: Flags,
    /// SHA-256 of the new words, white space and case folded: equal texts have equal hashes (EM-28).
    pub content_hash: [u8; 32],
    /// What the gate asks besides.
    pub signals: Signals,
}

/// What happened while reading; none of them is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The mail was bigger than [`Limits::message_bytes`].
    pub is_message_cut: bool,
    /// Header fields were beyond the caps.
    pub are_headers_cut: bool,
    /// Parts were beyond the caps.
    pub are_parts_cut: bool,
    /// The text was beyond the cap.
    pub is_text_cut: bool,
    /// Text that a reader would not see was left out.
    pub has_hidden_text: bool,
    /// How many characters of it, white space apart.
    pub hidden_chars: usize,
    /// How many characters that are drawn as nothing were left out (EM-117).
    pub invisible_chars: usize,
    /// The words are encrypted: nothing here can read them (EM-127).
    pub is_encrypted: bool,
}

/// The header fields and the kinds of the parts: what [`super::gate`] judges by.
#[derive(Clone, Default)]
pub struct Signals {
    pub(super) fields: Fields,
    pub(super) root_kind: String,
    pub(super) leaf_kinds: Vec<String>,
    /// The Message-IDs of the mails that are attached or returned (EM-14).
    pub(super) returned_ids: Vec<RfcMessageId>,
    /// The `METHOD` of a calendar that is the body, in capitals (EM-21).
    pub(super) calendar_method: Option<String>,
}

/// Reads `raw`; total, linear, and bounded by `limits` before anything is parsed.
pub fn read(raw: &[u8], limits: &Limits) -> Mail {
    let kept = raw.get(..limits.message_bytes).unwrap_or(raw);
    let unix_lines = fields::with_line_feeds(kept);
    let (fields, body) = fields::split(unix_lines.as_deref().unwrap_or(kept), limits);
    let signed = signed_content(&fields, body);
    let inner = signed.as_deref().map(|bytes| fields::split(bytes, limits));
    let structure = match &inner {
        Some((fields, body)) => structure::walk(fields, body, limits),
        None => structure::walk(&fields, body, limits),
    };
    let subject = clean::line(&decode_words(fields.first("subject").unwrap_or("")));
    let mut found = visible::find(&structure.leaves, is_forward(&subject), limits);
    let flags = Flags {
        is_message_cut: kept.len() < raw.len(),
        are_headers_cut: fields.is_cut(),
        are_parts_cut: structure.is_cut,
        is_text_cut: found.is_cut,
        hidden_chars: found.hidden_chars,
        invisible_chars: found.invisible_chars,
        has_hidden_text: found.hidden_chars > 0,
        is_encrypted: note_encrypted(&structure, &mut found.text),
    };
    let header = Header { fields: &fields, most: limits.addresses };
    Mail {
        from: header.named("from"),
        sender: header.addresses("sender").into_iter().next(),
        reply_to: header.addresses("reply-to"),
        to: header.addresses("to"),
        cc: header.addresses("cc"),
        delivered_to: header.delivered_to(),
        subject,
        message_id: header.message_id(),
        in_reply_to: RfcMessageId::extract_all(fields.first("in-reply-to").unwrap_or("")),
        references: RfcMessageId::extract_all(fields.first("references").unwrap_or("")),
        date: fields.last("date").and_then(date),
        bounce: bounce::find(&fields, &structure, &found.text.visible),
        content_hash: hash_words(&found.text.visible),
        text: found.text,
        attachments: attachments::list(&structure.leaves, limits),
        flags,
        signals: signals(fields, structure.root_kind, &structure.leaves),
    }
}

impl Mail {
    /// How many hosts passed the mail on: its `Received` fields (EM-18).
    pub fn hops(&self) -> usize {
        self.signals.fields.all("received").count()
    }

    /// The mails that this one names, the most telling first (EM-14, EM-69, EM-151).
    pub fn named_ids(&self) -> impl Iterator<Item = &RfcMessageId> {
        let about = self.bounce.iter().flat_map(|bounce| &bounce.about);
        let own = self.in_reply_to.iter().chain(self.references.iter().rev());
        about.chain(&self.signals.returned_ids).chain(own)
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("from", &self.from.len())
            .field("text", &self.text)
            .field("attachments", &self.attachments.len())
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

/// The header block, asked for values of their types.
struct Header<'a> {
    fields: &'a Fields,
    most: usize,
}

impl Header<'_> {
    fn named(&self, name: &str) -> Vec<Named> {
        self.fields.first(name).map(|value| address_list(value, self.most)).unwrap_or_default()
    }

    fn addresses(&self, name: &str) -> Vec<Address> {
        self.named(name).into_iter().map(|named| named.address).collect()
    }

    /// Topmost field of each kind, in the order of trust of EM-62.
    fn delivered_to(&self) -> Vec<Address> {
        let order = [
            "delivered-to",
            "x-original-to",
            "envelope-to",
            "x-envelope-to",
            "x-delivered-to",
            "x-gm-original-to",
            "apparently-to",
        ];
        order.into_iter().flat_map(|name| self.addresses(name)).collect()
    }

    fn message_id(&self) -> Option<RfcMessageId> {
        let value = self.fields.first("message-id")?;
        RfcMessageId::extract_all(value).into_iter().next().or_else(|| RfcMessageId::parse(value))
    }
}

/// The usable addresses of a list, groups flattened; never one taken from a display name (EM-132).
pub(super) fn address_list(value: &str, most: usize) -> Vec<Named> {
    let line = fields::one_line(value);
    let Some(parsed) = MessageStream::new(line.as_bytes()).parse_address().into_address() else {
        return Vec::new();
    };
    let usable = parsed.iter().filter_map(|one| {
        let address = Address::parse(&encoded_words::unmarked(one.address()?))?;
        Some(Named { name: one.name().map(clean::line).filter(|name| !name.is_empty()), address })
    });
    usable.take(most).collect()
}

/// Whether a return path is `<>`, `< >`, `<<>>` or nothing at all (EM-1).
pub(super) fn is_null_path(path: &str) -> bool {
    path.chars().all(|c| c.is_whitespace() || c == '<' || c == '>')
}

/// Decodes the encoded words of an unstructured field (RFC 2047).
pub(super) fn decode_words(value: &str) -> String {
    let line = fields::one_line(value);
    let decoded = MessageStream::new(line.as_bytes()).parse_unstructured();
    decoded.into_text().map(|text| encoded_words::unmarked(&text)).unwrap_or_default()
}

/// What mail programs put in front of the subject of a forwarded mail, in lower case.
const FORWARD_PREFIXES: [&str; 22] = [
    "fw",
    "fwd",
    "wg",
    "tr",
    "rv",
    "i",
    "inoltra",
    "enc",
    "vs",
    "vb",
    "vl",
    "pd",
    "továbbítás",
    "fs",
    "ilt",
    "πρθ",
    "yml",
    "trs",
    "doorst",
    "переслать",
    "转发",
    "轉寄",
];

/// Whether the subject says that the mail is a forward (EM-121).
fn is_forward(subject: &str) -> bool {
    let prefix = subject.split([':', '：']).next().unwrap_or("").trim().to_lowercase();
    prefix.len() < subject.trim().len() && FORWARD_PREFIXES.contains(&prefix.as_str())
}

fn date(value: &str) -> Option<Timestamp> {
    let line = format!("{}\n", clean::line(clean::cut_bytes(value, 200)));
    let parsed =
        MessageStream::new(line.as_bytes()).parse_date().into_datetime().filter(|date| date.is_valid())?;
    Some(Timestamp::from_millis(parsed.to_timestamp().saturating_mul(1000)))
}

/// Stands where encrypted words stand (EM-127).
const ENCRYPTED_NOTE: &str = "[This part of the mail is encrypted and cannot be read.]";

/// The MIME entity within a mail that is signed as a whole (EM-127).
fn signed_content(fields: &Fields, body: &[u8]) -> Option<Vec<u8>> {
    let declared =
        fields.first("content-type").filter(|value| content_type::kind(value).starts_with("application/"))?;
    let declared = content_type::read(declared);
    let encoding = fields.first("content-transfer-encoding").unwrap_or("").trim().to_ascii_lowercase();
    let is_message = smime::is_message(&declared.kind, declared.parameter("name"));
    is_message.then(|| smime::signed_content(&transfer::decode(body, &encoding))).flatten()
}

/// Whether words are encrypted; in their place `text` gets a note.
fn note_encrypted(structure: &Structure<'_>, text: &mut VisibleText) -> bool {
    let is_sealed = |leaf: &Leaf<'_>| smime::is_message(&leaf.kind, leaf.name.as_deref());
    let is_whole = structure.root_kind == "multipart/encrypted"
        || (text.visible.is_empty() && structure.leaves.iter().any(is_sealed));
    if is_whole {
        ENCRYPTED_NOTE.clone_into(&mut text.visible);
    }
    let mut is_part = false;
    while let Some((before, rest)) = text.visible.split_once("-----BEGIN PGP MESSAGE-----") {
        let after = rest.split_once("-----END PGP MESSAGE-----").map_or("", |(_, after)| after);
        text.visible = format!("{before}{ENCRYPTED_NOTE}{after}");
        is_part = true;
    }
    is_whole || is_part
}

/// SHA-256 of the words, white space and case folded: equal texts have equal hashes (EM-28).
pub fn hash_words(visible: &str) -> [u8; 32] {
    let mut folded = String::with_capacity(visible.len() + 1);
    for word in visible.to_lowercase().split_whitespace() {
        folded.push_str(word);
        folded.push(' ');
    }
    Sha256::digest(folded).into()
}

fn signals(fields: Fields, root_kind: String, leaves: &[Leaf<'_>]) -> Signals {
    Signals {
        fields,
        root_kind,
        leaf_kinds: leaves.iter().map(|leaf| leaf.kind.clone()).collect(),
        returned_ids: bounce::returned_ids(leaves),
        calendar_method: calendar::method(leaves),
    }
}
