//! What a calendar in a mail asks for (RFC 5546).

use super::structure::Leaf;
use super::transfer;

/// How much of a calendar is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// The `METHOD` of a calendar that stands for the words: an alternative to them, or the only part (EM-21).
pub(super) fn method(leaves: &[Leaf<'_>]) -> Option<String> {
    let is_body = |leaf: &&Leaf<'_>| leaf.in_alternative || leaves.len() == 1;
    let calendar = leaves.iter().filter(|leaf| leaf.kind == "text/calendar").find(is_body)?;
    let encoded = calendar.body.get(..LONGEST).unwrap_or(calendar.body);
    let decoded = transfer::decode(encoded, &calendar.encoding);
    let mut lines = decoded.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("method").then(|| value.trim().to_ascii_uppercase())
    })
}
