//! What an operator probably meant.

/// The candidate that is most like the word.
pub(super) fn nearest(word: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(word, candidate);
    candidates.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// The second half of "unknown key".
pub(crate) fn suggestion(word: &str, candidates: impl IntoIterator<Item = String>) -> String {
    nearest(word, candidates)
        .map_or_else(String::new, |found| format!("; the nearest valid one is `{found}`"))
}
