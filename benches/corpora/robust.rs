//! ruby-mail and mimekit: broken mails, odd charsets, reports. Nothing panics, and what is shown is sane.

use std::path::{Path, PathBuf};

use super::Failure;
use super::explain::{Seen, explain};
use super::measure::{Measure, Target};

/// The sign of a lost character, in UTF-8.
const LOST: &[u8] = "\u{FFFD}".as_bytes();

pub fn measure(corpora: &Path) -> Result<Vec<Measure>, Failure> {
    let ruby = explain(&[corpora.join("ruby-mail/spec/fixtures/emails")])?;
    let mimekit = explain(&[corpora.join("mimekit/messages")])?;
    let reports = explain(&[corpora.join("ruby-mail/spec/fixtures/emails/multipart_report_emails")])?;
    let mut never = Measure::new("ruby-mail", "reports not answered", Target::All);
    for seen in &reports {
        never.compare(seen.file_name(), "skip", &seen.decision);
    }
    let everything = explain(&everything(corpora)?)?;
    let mut measures = vec![sane("ruby-mail", &ruby)?, never, sane("mimekit", &mimekit)?];
    measures.push(calm(&everything));
    Ok(measures)
}

/// Every file of every collection, whether it is a mail or not.
fn everything(corpora: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folders = std::fs::read_dir(corpora)?.map(|entry| Ok(entry?.path()));
    folders.filter(|path| path.as_ref().is_ok_and(|path: &PathBuf| path.is_dir())).collect()
}

fn calm(seen: &[Seen]) -> Measure {
    let mut calm = Measure::new("all files", "no panic, UTF-8, the promised JSON", Target::All);
    for seen in seen {
        let has_panicked = seen.reason.as_deref() == Some("panicked");
        calm.compare(&seen.file.to_string_lossy(), "calm", if has_panicked { "panicked" } else { "calm" });
    }
    calm
}

fn sane(collection: &'static str, mails: &[Seen]) -> Result<Measure, Failure> {
    let mut sane = Measure::new(collection, "sane From and Subject", Target::All);
    for seen in mails {
        // What was lost before the mail was kept cannot be found again.
        let raw = std::fs::read(&seen.file)?;
        let was_lost = raw.windows(LOST.len()).any(|bytes| bytes == LOST);
        let subject = if was_lost { seen.subject.replace('\u{FFFD}', "") } else { seen.subject.clone() };
        let is_sane = seen.from.as_deref().is_none_or(is_sane_address) && is_sane_line(&subject);
        let shown = format!("{:?} {:?}", seen.from, seen.subject);
        sane.compare(seen.file_name(), if is_sane { &shown } else { "sane" }, &shown);
    }
    Ok(sane)
}

/// One address and nothing else.
fn is_sane_address(address: &str) -> bool {
    let (local, domain) = address.rsplit_once('@').unwrap_or_default();
    let is_bare = |part: &str| !part.is_empty() && !part.contains(['<', '>', ',', ';', '(', ')']);
    is_bare(local) && is_bare(domain) && is_sane_line(address) && !domain.contains(char::is_whitespace)
}

/// Nothing that steers a terminal, no lost characters, nothing still encoded.
fn is_sane_line(line: &str) -> bool {
    let is_encoded = line.contains("=?") && line.contains("?=");
    !is_encoded && !line.contains('\u{FFFD}') && !line.chars().any(char::is_control)
}
