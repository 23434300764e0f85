//! Sets of UIDs as commands carry them (RFC 3501, `sequence-set`).

/// UIDs in one command: 500 scattered ones stay under the 8,192 bytes that servers must take (RFC 7162 section 4).
pub(super) const MOST_UIDS: usize = 500;

/// `1:3,7` for 3, 1, 2, 7.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
            _ => runs.push((uid, uid)),
        }
    }
    let written = runs.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}:{last}"),
    });
    written.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::uid_set;

    #[test]
    fn neighbours_become_ranges() {
        assert_eq!(uid_set(&[3, 1, 2, 7, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set(&[u32::MAX, u32::MAX - 1]), "4294967294:4294967295");
        assert_eq!(uid_set(&[5]), "5");
    }
}
