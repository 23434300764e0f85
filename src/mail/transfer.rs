//! Content-Transfer-Encoding, read leniently: a damaged character is passed over, never the whole part (RFC 2045 section 6).

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{fields, uuencode};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes behind the encoding; an unknown encoding leaves them as they are.
pub(super) fn decode<'a>(bytes: &'a [u8], encoding: &str) -> Cow<'a, [u8]> {
    match encoding {
        "base64" => Cow::Owned(decode_base64(bytes)),
        "quoted-printable" => Cow::Owned(decode_quoted_printable(bytes)),
        _ if is_uuencode(encoding) => Cow::Owned(uuencode::decode(bytes)),
        _ => Cow::Borrowed(bytes),
    }
}

/// How many bytes [`decode`] would give; large files are in base64, which need not be decoded for it.
pub(super) fn decoded_len(bytes: &[u8], encoding: &str) -> usize {
    match encoding {
        "base64" => count_base64(bytes) * 3 / 4,
        _ => decode(bytes, encoding).len(),
    }
}

/// The names under which uuencoded parts are sent; no standard has one.
pub(super) fn is_uuencode(encoding: &str) -> bool {
    matches!(encoding, "x-uuencode" | "uuencode" | "x-uue" | "uue")
}

fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (line, after) = fields::next_line(rest);
        digits.extend_from_slice(line.trim_ascii());
        rest = after;
    }
    LENIENT.decode(&digits).unwrap_or_else(|_| decode_damaged_base64(digits))
}

/// Passes over what is no digit.
fn decode_damaged_base64(mut digits: Vec<u8>) -> Vec<u8> {
    digits.retain(|byte| is_base64(*byte));
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    LENIENT.decode(digits).unwrap_or_default()
}

fn count_base64(bytes: &[u8]) -> usize {
    // Counters of one byte are added sixteen at a time.
    let count = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(is_base64(*byte))).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(count(chunk))).sum()
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

fn decode_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let plain = memchr::memchr(b'=', rest).unwrap_or(rest.len());
        let (before, marked) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let Some(after) = marked.strip_prefix(b"=") else { break };
        rest = after;
        if let Some(next_line) = after_soft_break(after) {
            rest = next_line;
        } else if let Some((byte, after_digits)) = hex_pair(after) {
            out.push(byte);
            rest = after_digits;
        } else {
            out.push(b'=');
        }
    }
    out
}

/// A `=` at the end of a line, perhaps with padding that a relay added, joins the lines.
fn after_soft_break(after: &[u8]) -> Option<&[u8]> {
    match after {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => Some(rest),
        [b' ' | b'\t', ..] => {
            let padding =
                after.iter().take(80).take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
            after.get(padding..).and_then(|rest| rest.strip_prefix(b"\n"))
        }
        [] => Some(after),
        _ => None,
    }
}

fn hex_pair(after: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = after else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? * 16 + digit(*low)?, rest))
}
