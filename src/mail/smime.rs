//! S/MIME: what is encrypted is said to be so, what is only signed is opened for reading (RFC 8551, EM-127).
//!
//! No signature is checked here.

/// `1.2.840.113549.1.7.2`, signed data.
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const CONSTRUCTED_OCTETS: u8 = 0x24;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXPLICIT: u8 = 0xA0;

/// Deepest nesting of constructed values that is followed.
const DEEPEST: usize = 16;

/// Whether a part of this kind and file name is an S/MIME message.
pub(super) fn is_message(kind: &str, name: Option<&str>) -> bool {
    let is_named = name.is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"));
    matches!(kind, "application/pkcs7-mime" | "application/x-pkcs7-mime")
        || (kind == "application/octet-stream" && is_named)
}

/// The MIME entity within signed data; `None` when it is encrypted, signed apart from its content, or damaged.
pub(super) fn signed_content(bytes: &[u8]) -> Option<Vec<u8>> {
    let (_, info) = value(bytes, SEQUENCE)?;
    let (info, kind) = value(info, OBJECT)?;
    if kind != SIGNED_DATA {
        return None;
    }
    let (_, wrapped) = value(info, EXPLICIT)?;
    let (_, signed) = value(wrapped, SEQUENCE)?;
    let (signed, _version) = value(signed, INTEGER)?;
    let (signed, _digests) = value(signed, SET)?;
    let (_, content) = value(signed, SEQUENCE)?;
    let (content, _kind) = value(content, OBJECT)?;
    let (_, octets) = value(content, EXPLICIT)?;
    let mut out = Vec::new();
    collect(octets, &mut out, 0);
    (!out.is_empty()).then_some(out)
}

/// The content of the value with which `bytes` begin, and what follows it. Lengths may be left open (BER).
fn value(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = split(bytes, 0)?;
    (tag == wanted).then_some((rest, content))
}

/// Joins the pieces of an octet string.
fn collect(mut bytes: &[u8], out: &mut Vec<u8>, depth: usize) {
    while let Some((tag, content, rest)) = split(bytes, depth) {
        match tag {
            OCTETS => out.extend_from_slice(content),
            CONSTRUCTED_OCTETS if depth < DEEPEST => collect(content, out, depth + 1),
            _ => return,
        }
        bytes = rest;
    }
}

/// Tag, content and rest.
fn split(bytes: &[u8], depth: usize) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *first == 0x80 {
        let length = open_length(rest, depth)?;
        let (content, rest) = rest.split_at_checked(length)?;
        return Some((*tag, content, rest.get(2..)?));
    }
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let number = digits
                .iter()
                .try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)));
            (number?, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length.min(rest.len()))?;
    Some((*tag, content, rest))
}

/// How many bytes stand before the two zeros that end an open value.
fn open_length(bytes: &[u8], depth: usize) -> Option<usize> {
    let mut rest = bytes;
    while !rest.starts_with(&[0, 0]) && depth < DEEPEST {
        let (_, _, after) = split(rest, depth + 1)?;
        rest = after;
    }
    Some(bytes.len() - rest.len())
}
