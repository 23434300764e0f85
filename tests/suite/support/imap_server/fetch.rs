//! The answers to FETCH and SEARCH.

use std::collections::BTreeSet;

use postkey::clock::Timestamp;

use super::account::{StoredMail, uids_in_set};

/// One `* n FETCH (..)` line for the mail at `position` (from 1); `items` is upper case.
pub fn describe(position: usize, mail: &StoredMail, items: &str, size_lie: Option<u32>) -> Vec<u8> {
    let mut answer = format!("* {position} FETCH (UID {}", mail.uid).into_bytes();
    if items.contains("FLAGS") {
        answer.extend(format!(" FLAGS {}", flag_list(&mail.flags)).into_bytes());
    }
    if items.contains("INTERNALDATE") {
        answer.extend(format!(" INTERNALDATE \"{}\"", internal_date(mail.arrived)).into_bytes());
    }
    if items.contains("RFC822.SIZE") {
        let size = size_lie.unwrap_or(mail.bytes.len() as u32);
        answer.extend(format!(" RFC822.SIZE {size}").into_bytes());
    }
    if let Some((section, partial)) = body_section(items) {
        let (label, bytes) = body(mail, section, partial);
        answer.extend(format!(" BODY[{section}]{label} {{{}}}\r\n", bytes.len()).into_bytes());
        answer.extend(bytes);
    }
    answer.extend(b")\r\n");
    answer
}

/// `(\Answered \Seen)`.
pub fn flag_list(flags: &BTreeSet<String>) -> String {
    format!("({})", flags.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
}

/// The UIDs that fit `UID SEARCH` criteria: `ALL`, places such as `1,3`, `UID set` and `HEADER name value`; others fit
/// every mail.
pub fn search(mails: &[StoredMail], criteria: &[String]) -> Vec<u32> {
    let mut found: Vec<&StoredMail> = mails.iter().collect();
    for (index, word) in criteria.iter().enumerate() {
        let argument = |offset: usize| criteria.get(index + offset).map_or("", String::as_str);
        match word.to_ascii_uppercase().as_str() {
            "UID" => {
                let uids = uids_in_set(mails, argument(1));
                found.retain(|mail| uids.contains(&mail.uid));
            }
            places if index == 0 && places.starts_with(|first: char| first.is_ascii_digit()) => {
                let places = places.split(',').filter_map(|place| place.parse::<usize>().ok());
                found = places.filter_map(|place| mails.get(place - 1)).collect();
            }
            "HEADER" => found.retain(|mail| header_contains(&mail.bytes, argument(1), argument(2))),
            _ => {}
        }
    }
    found.into_iter().map(|mail| mail.uid).collect()
}

fn header_contains(bytes: &[u8], name: &str, value: &str) -> bool {
    let head = String::from_utf8_lossy(&bytes[..head_length(bytes)]).to_ascii_lowercase();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let start = format!("{}:", name.to_ascii_lowercase());
    let wanted = value.to_ascii_lowercase();
    unfolded.lines().any(|line| line.starts_with(&start) && line.contains(&wanted))
}

/// `BODY.PEEK[HEADER]<0.100>` as (`HEADER`, `0.100`).
fn body_section(items: &str) -> Option<(&str, Option<&str>)> {
    let start = items.find("BODY.PEEK[").map(|at| at + 10).or_else(|| Some(items.find("BODY[")? + 5))?;
    let (section, rest) = items[start..].split_once(']')?;
    let partial = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(partial, _)| partial);
    Some((section, partial))
}

/// The section's bytes, and the origin that stands in the answer's label.
fn body<'a>(mail: &'a StoredMail, section: &str, partial: Option<&str>) -> (String, &'a [u8]) {
    let whole: &[u8] = match section {
        "HEADER" => &mail.bytes[..head_length(&mail.bytes)],
        "TEXT" => &mail.bytes[head_length(&mail.bytes)..],
        _ => &mail.bytes,
    };
    let numbers = partial.and_then(|partial| partial.split_once('.'));
    let Some((from, count)) =
        numbers.and_then(|(from, count)| Some((from.parse().ok()?, count.parse().ok()?)))
    else {
        return (String::new(), whole);
    };
    let rest = whole.get(from..).unwrap_or_default();
    (format!("<{from}>"), &rest[..rest.len().min(count)])
}

/// The header with its empty line.
fn head_length(bytes: &[u8]) -> usize {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4)
}

/// `17-Jul-2026 02:44:25 +0000`.
fn internal_date(arrived: Timestamp) -> String {
    arrived.to_utc().format("%d-%b-%Y %H:%M:%S +0000").to_string()
}
