//! The files of a mail: safe names, what they really are, and the text of those that are text (EM-124 to EM-126).

use std::fmt;

use super::file_kind::{self, FileKind};
use super::limits::Limits;
use super::structure::Leaf;
use super::{clean, tnef, transfer, uuencode, visible};

/// Pictures up to this width and height, in pixels, are marks of a tracker and not for readers.
const TRACKER_PIXELS: u32 = 2;

/// How many encoded bytes tell what a file is.
const FIRST_BYTES: usize = 128;

/// One file of a mail; of its content only the text is kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// A safe file name without path. Its ending is that of what the content is, whatever was declared (EM-124).
    pub name: String,
    /// The declared name as a clean line, when it differs.
    pub declared_name: Option<String>,
    /// The declared kind, such as `image/png`.
    pub kind: String,
    /// Decoded size, near enough.
    pub bytes: usize,
    /// Whether the mail's text shows it, such as a picture (EM-126).
    pub is_inline: bool,
    /// What a text file says, within [`Limits::attachment_text_bytes`] for all together.
    pub text: Option<String>,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment {{ kind: {}, bytes: {} }}", self.kind, self.bytes)
    }
}

/// The files among `leaves`.
pub(super) fn list(leaves: &[Leaf<'_>], limits: &Limits) -> Vec<Attachment> {
    let mut room = limits.attachment_text_bytes;
    let mut files = Vec::new();
    for leaf in leaves {
        if is_file(leaf) {
            let mut file = attachment(leaf, files.len() + 1);
            if room > 0 && is_text(leaf) {
                let text = visible::readable(leaf, room);
                room = room.saturating_sub(text.len());
                file.text = Some(text);
            }
            files.push(file);
        }
        files.extend(within(leaf));
    }
    files.truncate(limits.parts);
    files
}

/// The files within a part: those of a `winmail.dat`, and uuencoded ones in a text.
fn within(leaf: &Leaf<'_>) -> Vec<Attachment> {
    let content = || transfer::decode(leaf.body, &leaf.encoding);
    if is_tnef(leaf) {
        let files = tnef::files(&content()).into_iter().enumerate();
        files.map(|(index, file)| contained(&file.name, file.bytes, &[], index)).collect()
    } else if leaf.kind == "text/plain" && uuencode::may_be_within(leaf.body, &leaf.encoding) {
        let files = uuencode::files(&content()).into_iter().enumerate();
        files.map(|(index, file)| contained(&file.name, file.bytes, &file.first, index)).collect()
    } else {
        Vec::new()
    }
}

/// Signatures and the frame of an encrypted mail are no files of a person (EM-127), and trackers no pictures.
fn is_file(leaf: &Leaf<'_>) -> bool {
    let is_frame = matches!(
        leaf.kind.as_str(),
        "application/pgp-signature"
            | "application/pkcs7-signature"
            | "application/x-pkcs7-signature"
            | "application/pgp-encrypted"
    );
    let is_tracker = leaf.kind.starts_with("image/") && is_tracker(leaf);
    !(leaf.is_body || is_frame || is_tracker)
}

fn is_tracker(leaf: &Leaf<'_>) -> bool {
    file_kind::pixels(&first_bytes(leaf))
        .is_some_and(|(width, height)| width <= TRACKER_PIXELS && height <= TRACKER_PIXELS)
}

fn is_text(leaf: &Leaf<'_>) -> bool {
    const TEXT: [&str; 6] = [
        "application/json",
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/csv",
        "application/ics",
    ];
    let is_binary = file_kind::of(&first_bytes(leaf)).is_some();
    (leaf.kind.starts_with("text/") || TEXT.contains(&leaf.kind.as_str())) && !is_binary
}

fn is_tnef(leaf: &Leaf<'_>) -> bool {
    let is_named = leaf.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
    matches!(leaf.kind.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef") || is_named
}

fn first_bytes(leaf: &Leaf<'_>) -> Vec<u8> {
    let first = leaf.body.get(..FIRST_BYTES).unwrap_or(leaf.body);
    transfer::decode(first, &leaf.encoding).into_owned()
}

fn attachment(leaf: &Leaf<'_>, number: usize) -> Attachment {
    let in_content = || uuencode::name(leaf.body).filter(|_| transfer::is_uuencode(&leaf.encoding));
    let declared = leaf.name.clone().or_else(in_content).unwrap_or_default();
    let declared = clean::line(&super::read::decode_words(&declared));
    let name = file_name(&declared, file_kind::of(&first_bytes(leaf)), &format!("attachment-{number}"));
    Attachment {
        declared_name: (!declared.is_empty() && declared != name).then(|| clean::cut_chars(&declared, 250)),
        name,
        kind: clean::cut_chars(&clean::line(&leaf.kind), 100),
        bytes: transfer::decoded_len(leaf.body, &leaf.encoding),
        is_inline: leaf.is_inline,
        text: None,
    }
}

/// A file within a part, which begins with `first`.
fn contained(declared: &str, bytes: usize, first: &[u8], index: usize) -> Attachment {
    let otherwise = format!("contained-{}", index + 1);
    let name = file_name(&clean::line(declared), file_kind::of(first), &otherwise);
    Attachment { name, kind: "application/octet-stream".to_owned(), bytes, ..Attachment::default() }
}

/// The last path part of a declared name without what file systems stumble over, ending as its content demands.
fn file_name(declared: &str, content: Option<&FileKind>, otherwise: &str) -> String {
    let last = declared.rsplit(['/', '\\', ':']).next().unwrap_or("");
    let kept: String = last.chars().filter(|c| !"<>\"|?*".contains(*c)).collect();
    let kept = clean::cut_chars(kept.trim_matches(|c: char| c == '.' || c.is_whitespace()), 120);
    let stem = if kept.is_empty() || is_reserved(&kept) { otherwise.to_owned() } else { kept };
    match content.filter(|content| !content.allows(&stem)) {
        Some(content) => format!("{stem}.{}", content.ending),
        None => stem,
    }
}

/// Names that mean a device on Windows, with or without an ending.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim().to_ascii_lowercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device)
            .is_some_and(|number| number.len() == 1 && number.chars().all(|c| c.is_ascii_digit()))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}
