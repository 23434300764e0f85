//! Where one answer ends and how large it may be.
//!
//! The parser above believes a server's `{n}` and makes room for n bytes at once, up to 512 MiB (CT-10). So every
//! byte passes here first. A literal is let through only where both sides surely read it as one; whatever the two
//! could read differently (and so hide an announcement) is refused:
//!
//! - a literal in a `FETCH` comes directly after `BODY[] `, with exactly one bracket open and no quotes before it;
//! - a `FETCH` ends with `)`;
//! - a `LIST` may have a short literal; every other answer has none.
//!
//! Two answers at which the parser panics are refused as well, and so are brackets within brackets: the parser calls itself
//! for each, and the end of the stack is the end of the process.

use std::fmt;

/// Longest folder name that is sent as a literal, in bytes.
const LONGEST_NAME: usize = 1024;
/// Most `(` in one answer; what we ask for has four, and a folder's name may have some. Those in quotes count too, and
/// none is taken back by a `)`, since whoever sends them can make the parser see other quotes than we do.
const MOST_OPENED: usize = 32;
/// More than this is given back after a long line.
const KEPT_CAPACITY: usize = 1024;

/// How much the server may send, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// One answer without its literals.
    pub line: usize,
    /// The literals of one answer together.
    pub literal: usize,
    /// Everything until the limits are set again.
    pub total: usize,
}

impl Limits {
    /// Enough for every answer without mails or long lists in it.
    pub const SMALL: Self = Self { line: 64 * 1024, literal: 0, total: 1024 * 1024 };
}

/// Why the rest of a connection cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// More than one of the limits.
    Size,
    /// An answer that could be read in two ways.
    Shape,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "more bytes than allowed",
            Self::Shape => "an ambiguous answer",
        })
    }
}

impl std::error::Error for Breach {}

/// Follows the bytes of a server, answer by answer.
#[derive(Debug)]
pub(super) struct Framer {
    limits: Limits,
    /// The current answer without the content of its literals.
    text: Vec<u8>,
    /// How many `(` are in it.
    opened: usize,
    /// How many of its bytes are those of a line without an end.
    unfinished: usize,
    literal_left: usize,
    literal_sum: usize,
    received: usize,
    frames: u64,
}

impl Framer {
    pub(super) fn new() -> Self {
        Self {
            limits: Limits::SMALL,
            text: Vec::new(),
            opened: 0,
            unfinished: 0,
            literal_left: 0,
            literal_sum: 0,
            received: 0,
            frames: 0,
        }
    }

    /// Sets the limits for what comes now and counts from zero.
    pub(super) fn allow(&mut self, limits: Limits) {
        self.limits = limits;
        self.received = 0;
    }

    /// Bytes since the limits were set.
    pub(super) fn received(&self) -> usize {
        self.received
    }

    /// Complete answers since the beginning.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// How many of the last bytes are those of a line whose end is not here.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Whether the last byte was the last one of an answer.
    pub(super) fn is_between_frames(&self) -> bool {
        self.text.is_empty() && self.literal_left == 0
    }

    /// Takes the next bytes of the server.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Breach> {
        self.received = self.received.saturating_add(bytes.len());
        if self.received > self.limits.total {
            return Err(Breach::Size);
        }
        while !bytes.is_empty() {
            bytes = if self.literal_left > 0 { self.skip_literal(bytes) } else { self.take_line(bytes)? };
        }
        Ok(())
    }

    fn skip_literal<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (content, rest) = bytes.split_at(bytes.len().min(self.literal_left));
        self.literal_left -= content.len();
        rest
    }

    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Breach> {
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        let (line, rest) = bytes.split_at(end);
        if self.text.len() + line.len() > self.limits.line {
            return Err(Breach::Size);
        }
        // The parser reads the beginning of an answer before its end is here.
        self.opened += line.iter().filter(|byte| **byte == b'(').count();
        if self.opened > MOST_OPENED {
            return Err(Breach::Shape);
        }
        self.text.extend_from_slice(line);
        self.unfinished += line.len();
        if line.ends_with(b"\n") {
            self.unfinished = 0;
            self.end_line()?;
        }
        Ok(rest)
    }

    fn end_line(&mut self) -> Result<(), Breach> {
        let line = self.text.strip_suffix(b"\r\n").ok_or(Breach::Shape)?;
        match announced(line)? {
            Some((before, length)) => {
                let room = self.room_for(before)?.saturating_sub(self.literal_sum);
                if length > room {
                    return Err(Breach::Size);
                }
                self.literal_left = length;
                self.literal_sum += length;
            }
            None if is_open_fetch(line) || makes_parser_panic(line) => return Err(Breach::Shape),
            None => self.end_frame(),
        }
        Ok(())
    }

    fn end_frame(&mut self) {
        self.frames += 1;
        self.literal_sum = 0;
        self.opened = 0;
        self.text.clear();
        self.text.shrink_to(KEPT_CAPACITY);
    }

    /// How large the literal after this text may be.
    fn room_for(&self, before: &[u8]) -> Result<usize, Breach> {
        if is_fetch(before) && is_body(before) {
            return Ok(self.limits.literal);
        }
        if starts_with(before, b"* LIST ") { Ok(LONGEST_NAME) } else { Err(Breach::Shape) }
    }
}

/// The text before a trailing `{n}` and its n; a number with more than ten digits is no size.
fn announced(line: &[u8]) -> Result<Option<(&[u8], usize)>, Breach> {
    let Some(inner) = line.strip_suffix(b"}") else { return Ok(None) };
    let Some(open) = inner.iter().rposition(|byte| !byte.is_ascii_digit()) else { return Ok(None) };
    let (before, digits) = inner.split_at(open + 1);
    let Some(before) = before.strip_suffix(b"{") else { return Ok(None) };
    if digits.is_empty() {
        return Ok(None);
    }
    if digits.len() > 10 {
        return Err(Breach::Size);
    }
    let length = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Ok(Some((before, usize::try_from(length).map_err(|_| Breach::Size)?)))
}

/// Whether the answer is `* n FETCH (..`.
fn is_fetch(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"* ") else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && rest.get(digits..).is_some_and(|rest| starts_with(rest, b" FETCH"))
}

fn is_open_fetch(line: &[u8]) -> bool {
    is_fetch(line) && !line.trim_ascii_end().ends_with(b")")
}

/// A date that is `NIL`, or a response code without a space before a letter beyond ASCII.
fn makes_parser_panic(line: &[u8]) -> bool {
    let dateless: &[u8] = b"INTERNALDATE NIL";
    let is_dateless =
        is_fetch(line) && line.windows(dateless.len()).any(|part| part.eq_ignore_ascii_case(dateless));
    let after_code = line.iter().skip_while(|byte| **byte != b']').nth(1);
    is_dateless || (!is_fetch(line) && after_code.is_some_and(|byte| !byte.is_ascii()))
}

/// Whether a literal after this text of a `FETCH` can only be a mail's content.
fn is_body(before: &[u8]) -> bool {
    let Some(item) = before.strip_suffix(b" ") else { return false };
    let start = item.iter().rposition(|byte| matches!(byte, b' ' | b'(')).map_or(0, |at| at + 1);
    let item = item.get(start..).unwrap_or_default();
    let open = before.iter().filter(|byte| **byte == b'(').count();
    let closed = before.iter().filter(|byte| **byte == b')').count();
    is_body_item(item) && open == closed + 1 && !before.contains(&b'"')
}

/// `BODY[]`, or `BODY[]<0>` as the answer to a partial fetch.
fn is_body_item(item: &[u8]) -> bool {
    let Some((name, part)) = item.split_at_checked(6) else { return false };
    let digits = part.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
    let is_part = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
    name.eq_ignore_ascii_case(b"BODY[]") && (part.is_empty() || is_part)
}

fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
