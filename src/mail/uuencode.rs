//! Files that programs older than MIME write into the text, from a `begin` line to an `end` line (POSIX `uuencode`).

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::{charset, fields};

/// How a file's first line begins.
const BEGIN: &[u8] = b"begin ";

/// Most files that are listed.
const MOST_FILES: usize = 100;

/// How many lines of a file tell what it is.
const FIRST_LINES: usize = 2;

/// One file within a text.
pub(super) struct File {
    /// As declared.
    pub(super) name: String,
    /// Size of the content.
    pub(super) bytes: usize,
    /// How the content begins.
    pub(super) first: Vec<u8>,
}

/// The files within `text`.
pub(super) fn files(text: &[u8]) -> Vec<File> {
    let files = blocks(text).into_iter().take(MOST_FILES).map(|block| File {
        name: charset::decode(block.name, None),
        bytes: lines(block.content).map(|line| line.bytes).sum(),
        first: lines(block.content).take(FIRST_LINES).flat_map(Line::decode).collect(),
    });
    files.collect()
}

/// Whether a part may hold files, which costs less than to look for them. Base64 does not tell before it is decoded.
pub(super) fn may_be_within(part: &[u8], encoding: &str) -> bool {
    encoding == "base64" || memmem::find(part, BEGIN).is_some()
}

/// Everything of `text` but its files.
pub(super) fn without_files(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let blocks = blocks(&text);
    if blocks.is_empty() {
        return text;
    }
    let mut words = Vec::with_capacity(text.len());
    let mut from = 0;
    for block in blocks {
        words.extend_from_slice(text.get(from..block.place.start).unwrap_or_default());
        from = block.place.end;
    }
    words.extend_from_slice(text.get(from..).unwrap_or_default());
    Cow::Owned(words)
}

/// The content of a part that is one file as a whole. The `begin` line may be missing.
pub(super) fn decode(part: &[u8]) -> Vec<u8> {
    let part = part.trim_ascii_start();
    let content = header(part).map_or(part, |(_, content)| content);
    lines(content).flat_map(Line::decode).collect()
}

/// The name in the `begin` line of such a part.
pub(super) fn name(part: &[u8]) -> Option<String> {
    header(part.trim_ascii_start()).map(|(name, _)| charset::decode(name, None))
}

/// One file and where it stands in its text.
struct Block<'a> {
    place: Range<usize>,
    name: &'a [u8],
    content: &'a [u8],
}

fn blocks(text: &[u8]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut end = 0;
    for start in memmem::find_iter(text, BEGIN) {
        let (before, rest) = text.split_at_checked(start).unwrap_or((text, &[]));
        let begins_line = before.last().is_none_or(|byte| *byte == b'\n');
        let found = if begins_line && start >= end { block(rest, start) } else { None };
        end = found.as_ref().map_or(end, |block| block.place.end);
        blocks.extend(found);
    }
    blocks
}

/// The file with which `text` begins. A sentence may begin like one, but the next line does not count its own letters.
fn block(text: &[u8], start: usize) -> Option<Block<'_>> {
    let (name, after_header) = header(text)?;
    lines(after_header).next().filter(Line::is_whole)?;
    let length = lines(after_header).map(|line| line.length).sum();
    let (content, after) = after_header.split_at_checked(length)?;
    let end = start + text.len() - without_end(after).len();
    Some(Block { place: start..end, name, content })
}

/// `begin 644 photo.jpg`: the name, and what follows the line.
fn header(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, after) = fields::next_line(text);
    let declared = line.strip_prefix(BEGIN)?;
    let (mode, name) = declared.split_at_checked(memchr::memchr(b' ', declared)?)?;
    let is_mode = matches!(mode.len(), 3 | 4) && mode.iter().all(|digit| (b'0'..=b'7').contains(digit));
    is_mode.then_some((name.trim_ascii(), after))
}

/// What follows the line without content and the `end` line.
fn without_end(text: &[u8]) -> &[u8] {
    let (line, after) = fields::next_line(text);
    let last = if matches!(line.trim_ascii(), b"" | b"`") { after } else { text };
    let (line, after) = fields::next_line(last);
    if line.trim_ascii() == b"end" { after } else { text }
}

/// One line of content.
struct Line<'a> {
    /// Each stands for six bits.
    digits: &'a [u8],
    /// How many bytes of content it declares.
    bytes: usize,
    /// Its own length, the line end included.
    length: usize,
}

impl Line<'_> {
    /// Whether no digit is missing; relays take away blanks at the end.
    fn is_whole(&self) -> bool {
        self.digits.len() * 6 >= self.bytes * 8
    }

    fn decode(self) -> Vec<u8> {
        let bits = |digit: Option<&u8>| digit.map_or(0, |digit| u32::from(digit.wrapping_sub(b' ') & 63));
        let three = |digits: &[u8]| {
            let [_, bytes @ ..] = (0..4).fold(0, |all, at| all << 6 | bits(digits.get(at))).to_be_bytes();
            bytes
        };
        let mut bytes: Vec<u8> = self.digits.chunks(4).flat_map(three).collect();
        bytes.resize(self.bytes, 0);
        bytes
    }
}

/// The lines of content with which `text` begins.
fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (line, after) = fields::next_line(rest);
        let (count, digits) = line.split_first()?;
        let bytes = usize::from(count.checked_sub(b' ')? & 63);
        // Some programs put a checksum behind the content.
        let fits = digits.len() <= bytes.div_ceil(3) * 4 + 1;
        let is_content = bytes > 0 && fits && line.iter().all(|byte| (b' '..=b'`').contains(byte));
        let length = rest.len() - after.len();
        rest = after;
        is_content.then_some(Line { digits, bytes, length })
    })
}
