//! Encoded words of header fields, joined before their charset is decoded (RFC 2047, EM-113).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::{charset, transfer};

/// Longest encoded word that is read, in bytes; programs write at most 75, and some forget to fold.
const LONGEST: usize = 4096;

/// One `=?charset?encoding?text?=`.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

/// Writes every run of words of one charset as one word in UTF-8, so that a character that was split over two words
/// is whole and every charset that [`charset::decode`] knows is readable. What is no proper word stays as it is.
pub(super) fn joined(value: String) -> String {
    if memmem::find(value.as_bytes(), b"=?").is_none() {
        return value;
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value.as_str();
    while let Some(at) = rest.find("=?") {
        let (before, start) = rest.split_at(at);
        out.push_str(before);
        let Some((first, after)) = word(start) else {
            out.push_str("=?");
            rest = start.strip_prefix("=?").unwrap_or("");
            continue;
        };
        let (run, after) = whole_run(first, after);
        let text = charset::decode(&run.bytes, Some(run.charset));
        out.push_str(&format!("=?utf-8?B?{}?=", STANDARD.encode(text)));
        rest = after;
    }
    out.push_str(rest);
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
    let (encoding, rest) = short_split(rest, "?", 2)?;
    let (encoded, rest) = short_split(rest, "?=", LONGEST)?;
    let bytes = match encoding {
        "b" | "B" => transfer::decode(encoded.as_bytes(), "base64").into_owned(),
        "q" | "Q" => transfer::decode(encoded.replace('_', " ").as_bytes(), "quoted-printable").into_owned(),
        _ => return None,
    };
    // A language may stand behind the charset (RFC 2231 section 5).
    let charset = charset.split('*').next().unwrap_or(charset);
    (!charset.is_empty()).then_some((Word { charset, bytes }, rest))
}

/// Splits at `mark` when it stands within the first `longest` bytes.
fn short_split<'a>(text: &'a str, mark: &str, longest: usize) -> Option<(&'a str, &'a str)> {
    let start = super::clean::cut_bytes(text, longest + mark.len());
    let (before, _) = start.split_once(mark)?;
    Some((before, text.strip_prefix(before)?.strip_prefix(mark)?))
}
