//! Sets of sequence numbers or UIDs (`sequence-set`, RFC 3501 section 9).

use super::super::account::{indexes, sequence_at, uid_at};
use super::Selected;

/// What a set means for this folder now: the indexes, sorted, each once. `None` if it is no set.
pub(super) fn resolve(set: &str, selected: &Selected, by_uid: bool) -> Option<Vec<usize>> {
    let number_at = if by_uid { uid_at } else { sequence_at };
    let Some(last) = selected.known.checked_sub(1) else {
        return parse(set, 0).map(|_| Vec::new());
    };
    let mut ranges = parse(set, number_at(last))?;
    ranges.sort_unstable();
    let mut found = Vec::new();
    let mut next = 0;
    for range in ranges {
        let range = indexes(range, number_at, selected.known);
        // ranges may overlap; what was taken is not taken again
        found.extend(range.start.max(next)..range.end);
        next = next.max(range.end);
    }
    Some(found)
}

/// Ranges with the lower end first; `*` is `last`. So `n:*` with n beyond the last mail names the last mail,
/// as the RFC wants it.
fn parse(set: &str, last: u32) -> Option<Vec<(u32, u32)>> {
    let number = |text: &str| match text {
        "*" => Some(last),
        digits => digits.parse().ok().filter(|number| *number > 0),
    };
    set.split(',')
        .map(|range| {
            let (from, to) = range.split_once(':').unwrap_or((range, range));
            let (from, to) = (number(from)?, number(to)?);
            Some((from.min(to), from.max(to)))
        })
        .collect()
}
