//! Encoded words of header fields, joined before their charset is decoded (RFC 2047, EM-113).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::{charset, transfer};

/// Stands for a `=?` that begins no word, see [`marked`].
const STUB: &str = "=\u{1}?";

/// One `=?charset?encoding?text?=`.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

/// Writes every run of words of one charset as one word in UTF-8, so that a character that was split over two words
/// is whole and every charset that [`charset::decode`] knows is readable. What is no proper word stays as it is.
pub(super) fn joined(value: String) -> String {
    rewritten(value, "=?")
}

/// As [`joined`], for mail-parser, with a control character in what is no proper word: it would look for the end of each
/// through the whole rest of the value.
pub(super) fn marked(value: String) -> String {
    rewritten(value, STUB)
}

/// What was read from a [`marked`] value, as it came.
pub(super) fn unmarked(text: &str) -> String {
    text.replace(STUB, "=?")
}

fn rewritten(value: String, stub: &str) -> String {
    if memmem::find(value.as_bytes(), b"=?").is_none() {
        return value;
    }
    // Behind the last end no word is looked for, and before it each that begins has one: nothing is looked through twice.
    let last_end = value.rfind("?=").map_or(0, |at| at + 2);
    let (mut rest, tail) = value.split_at_checked(last_end).unwrap_or((&value, ""));
    let mut out = String::with_capacity(value.len());
    while let Some(at) = rest.find("=?") {
        let (before, start) = rest.split_at(at);
        out.push_str(before);
        let Some((first, after)) = word(start) else {
            out.push_str(stub);
            rest = start.strip_prefix("=?").unwrap_or("");
            continue;
        };
        let (run, after) = whole_run(first, after);
        let text = charset::decode(&run.bytes, Some(run.charset));
        out.push_str(&format!("=?utf-8?B?{}?=", STANDARD.encode(text)));
        rest = after;
    }
    out.push_str(rest);
    out.push_str(&tail.replace("=?", stub));
    out
}

/// Adds the words that follow with nothing but white space between, as long as the charset is the same.
fn whole_run<'a>(first: Word<'a>, after: &'a str) -> (Word<'a>, &'a str) {
    let (mut run, mut rest) = (first, after);
    while let Some((next, after)) =
        word(rest.trim_start()).filter(|(next, _)| next.charset.eq_ignore_ascii_case(run.charset))
    {
        run.bytes.extend(next.bytes);
        rest = after;
    }
    (run, rest)
}

/// The word with which `text` begins, and what follows it.
fn word(text: &str) -> Option<(Word<'_>, &str)> {
    let (charset, rest) = short_split(text.strip_prefix("=?")?, "?", 60)?;
    // A language may stand behind the charset (RFC 2231 section 5).
    let charset = charset.split('*').next().filter(|charset| !charset.is_empty())?;
    let (encoding, rest) = short_split(rest, "?", 2)?;
    let is_base64 = match encoding {
        "b" | "B" => true,
        "q" | "Q" => false,
        _ => return None,
    };
    let (encoded, rest) = rest.split_once("?=")?;
    let bytes = match is_base64 {
        true => transfer::decode(encoded.as_bytes(), "base64").into_owned(),
        false => transfer::decode(encoded.replace('_', " ").as_bytes(), "quoted-printable").into_owned(),
    };
    Some((Word { charset, bytes }, rest))
}

/// Splits at `mark` when it stands within the first `longest` bytes.
fn short_split<'a>(text: &'a str, mark: &str, longest: usize) -> Option<(&'a str, &'a str)> {
    let start = super::clean::cut_bytes(text, longest + mark.len());
    let (before, _) = start.split_once(mark)?;
    Some((before, text.strip_prefix(before)?.strip_prefix(mark)?))
}
