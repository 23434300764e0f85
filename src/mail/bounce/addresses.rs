//! Addresses in running text and behind address types such as `rfc822;`.

use super::super::address::Address;

/// Types that notices put before an address (RFC 3464 section 2.3.1, X.400 and Exchange forms).
const TYPES: [&str; 6] = ["smtp=", "smtp:", "smtp;", "rfc822;", "rfc822:", "utf-8;"];

/// What cannot be part of an address in a text.
const DELIMITERS: &str = "<>()[]{}\"',;:|`´“”„«»‘’\u{3000}【】「」（）：、，。";

/// One address of a line and what stands around it.
pub(super) struct InLine<'a> {
    pub(super) address: Address,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
    /// A type stands before it, so it was written by a machine that means a recipient.
    pub(super) is_typed: bool,
}

/// The value of a recipient field: `rfc822; ann@x.org`, `<ann@x.org>` or `ann@x.org`.
pub(super) fn typed(value: &str) -> Option<Address> {
    in_line(value, 1).into_iter().next().map(|found| found.address)
}

/// The addresses of `line` in order, at most `most`. Linear: from an `@` it is looked to both sides up to the next delimiter or `@`.
pub(super) fn in_line(line: &str, most: usize) -> Vec<InLine<'_>> {
    line.match_indices('@').filter_map(|(at, _)| around(line, at)).take(most).collect()
}

fn around(line: &str, at: usize) -> Option<InLine<'_>> {
    let (left, right) = line.split_at_checked(at)?;
    let right = right.strip_prefix('@')?;
    let local = last_while(left, is_local);
    let domain = first_while(right, is_domain).trim_end_matches(['.', '-', '_']);
    let before = left.get(..left.len() - local.len())?;
    let after = right.get(domain.len()..)?;
    let (local, is_typed) = without_type(before, local);
    let is_whole = domain.contains('.') && !local.contains("...");
    let address = Address::parse(&format!("{local}@{domain}")).filter(|_| is_whole)?;
    Some(InLine { address, before, after, is_typed })
}

/// `SMTP=ann` is `ann`, and in `SMTP:ann` the delimiter has split the type off already.
fn without_type<'a>(before: &str, local: &'a str) -> (&'a str, bool) {
    let lower = local.to_ascii_lowercase();
    let inner = TYPES.iter().find(|kind| lower.starts_with(*kind)).and_then(|kind| local.get(kind.len()..));
    let is_behind = |kind: &&str| ends_with_word(before.trim_end(), kind);
    (inner.unwrap_or(local), inner.is_some() || TYPES.iter().any(is_behind))
}

fn ends_with_word(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|start| text.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn is_local(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && c != '@' && !DELIMITERS.contains(c)
}

fn is_domain(c: char) -> bool {
    c.is_alphanumeric() || c == '.' || c == '-' || c == '_'
}

fn first_while(text: &str, keep: fn(char) -> bool) -> &str {
    let end = text.find(|c| !keep(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

fn last_while(text: &str, keep: fn(char) -> bool) -> &str {
    let start = text.char_indices().rev().find(|(_, c)| !keep(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    text.get(start..).unwrap_or("")
}
