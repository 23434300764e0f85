//! flufl-bounce: who did not get the mail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::Failure;
use super::explain::explain_folder;
use super::measure::{Measure, Target};

/// How many of the 115 listed ones have to be equal.
const LEAST: usize = 112;

/// What one of its detectors finds.
#[derive(Deserialize)]
struct Finding {
    addresses: Vec<String>,
}

pub fn measure(corpora: &Path) -> Result<Vec<Measure>, Failure> {
    let folder = corpora.join("flufl-bounce");
    let listed: BTreeMap<String, Vec<Finding>> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json"))?)?;
    let mut equal = Measure::new("flufl-bounce", "failed recipients equal", Target::AtLeast(LEAST));
    let mut skipped = Measure::new("flufl-bounce", "with a failed recipient, skipped", Target::All);
    for seen in explain_folder(&folder.join("data"), |_| true)? {
        let Some(findings) = listed.get(seen.file_name()) else { continue };
        let expected = set(findings.iter().flat_map(|finding| &finding.addresses));
        equal.compare(seen.file_name(), &expected, set(&seen.failed_recipients));
        if !expected.is_empty() {
            skipped.compare(seen.file_name(), "skip", &seen.decision);
        }
    }
    Ok(vec![equal, skipped])
}

/// In one order; case does not matter.
fn set<'a>(addresses: impl IntoIterator<Item = &'a String>) -> String {
    let lower: BTreeSet<String> = addresses.into_iter().map(|address| address.to_lowercase()).collect();
    lower.into_iter().collect::<Vec<_>>().join(" ")
}
