//! email-reply-trimmer: the visible reply, exactly, in 13 languages.

use std::collections::BTreeSet;
use std::path::Path;

use super::Failure;
use super::explain::explain_folder;
use super::measure::{Measure, Target};

/// How many of the 64 have to be exact.
const LEAST: usize = 60;

pub fn measure(corpora: &Path) -> Result<Vec<Measure>, Failure> {
    let folder = corpora.join("email-reply-trimmer/test");
    let mut exact = Measure::new("email-reply-trimmer", "visible reply exact", Target::AtLeast(LEAST));
    let mut kept = Measure::new("email-reply-trimmer", "at least half of the wanted words kept", Target::All);
    for seen in explain_folder(&folder.join("emails"), |_| true)? {
        let expected = std::fs::read_to_string(folder.join("trimmed").join(seen.file_name()))?;
        exact.compare(seen.file_name(), expected.trim_end(), seen.visible_text.trim_end());
        let is_kept = keeps_half(&expected, &seen.visible_text);
        kept.compare(seen.file_name(), &expected, if is_kept { &expected } else { &seen.visible_text });
    }
    Ok(vec![exact, kept])
}

/// Whatever is cut wrongly, most of what a person wrote has to stay.
fn keeps_half(expected: &str, got: &str) -> bool {
    let got: BTreeSet<&str> = got.split_whitespace().collect();
    let (found, missing): (Vec<&str>, Vec<&str>) =
        expected.split_whitespace().partition(|word| got.contains(word));
    found.len() >= missing.len()
}
