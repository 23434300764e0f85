//! gate-labels.tsv: which mails of all collections nobody must answer, and which a person wrote.

use std::path::{Path, PathBuf};

use super::Failure;
use super::explain::explain;
use super::measure::{Measure, Target};

pub fn measure(corpora: &Path) -> Result<Vec<Measure>, Failure> {
    let text = std::fs::read_to_string(corpora.join("gate-labels.tsv"))?;
    let labelled = |wanted: &str| -> Vec<PathBuf> {
        let rows = text.lines().skip(1).filter_map(|line| line.split_once('\t'));
        let wanted = rows.filter(|(_, rest)| rest.split('\t').next() == Some(wanted));
        wanted.map(|(file, _)| corpora.join(file)).collect()
    };
    let mut robots = Measure::new("gate-labels", "no-answer mails not answered", Target::All);
    for seen in explain(&labelled("no-answer"))? {
        let got = if seen.decision == "answer" { "answer" } else { "not answered" };
        robots.compare(seen.file_name(), "not answered", got);
    }
    let mut people = Measure::new("gate-labels", "human mails answered", Target::All);
    for seen in explain(&labelled("human"))? {
        let got = if seen.decision == "answer" { "answer".to_owned() } else { seen.decision_and_reason() };
        people.compare(seen.file_name(), "answer", got);
    }
    Ok(vec![robots, people])
}
