//! What the program says about mails: `postkey explain --json`, line by line.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::Failure;

/// The keys of a line, no more and no less.
const KEYS: [&str; 14] = [
    "attachments",
    "decision",
    "failed_recipients",
    "file",
    "flags",
    "from",
    "message_id",
    "quoted_text",
    "reason",
    "reply_to",
    "rule",
    "subject",
    "to",
    "visible_text",
];

#[derive(Deserialize)]
pub struct Seen {
    pub file: PathBuf,
    pub decision: String,
    pub reason: Option<String>,
    pub from: Option<String>,
    pub subject: String,
    pub visible_text: String,
    pub attachments: Vec<Attachment>,
    pub failed_recipients: Vec<String>,
}

#[derive(Deserialize)]
pub struct Attachment {
    pub name: String,
}

impl Seen {
    pub fn file_name(&self) -> &str {
        self.file.file_name().and_then(OsStr::to_str).unwrap_or_default()
    }

    pub fn decision_and_reason(&self) -> String {
        format!("{} {}", self.decision, self.reason.as_deref().unwrap_or_default())
    }
}

/// Asks about all files in one call; a folder stands for all files in it.
///
/// # Errors
/// The program fails, or prints a line that is not UTF-8 or not the promised JSON.
pub fn explain(paths: &[PathBuf]) -> Result<Vec<Seen>, Failure> {
    let missing = paths.iter().find(|path| !path.exists());
    if let Some(missing) = missing {
        return Err(format!("{} is not there", missing.display()).into());
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_postkey"));
    let output = command.args(["explain", "--json"]).args(paths).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("postkey explain ended with {}", output.status).into());
    }
    String::from_utf8(output.stdout)?.lines().map(read_line).collect()
}

/// What the files directly in `folder` whose names `is_wanted` have come to.
pub fn explain_folder(folder: &Path, is_wanted: fn(&str) -> bool) -> Result<Vec<Seen>, Failure> {
    explain(&files(folder, is_wanted)?)
}

/// The files directly in `folder` whose names are wanted, by name.
pub fn files(folder: &Path, is_wanted: fn(&str) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && path.file_name().and_then(OsStr::to_str).is_some_and(is_wanted) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_line(line: &str) -> Result<Seen, Failure> {
    let value: Value = serde_json::from_str(line)?;
    let keys: BTreeSet<&str> = value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    if keys != BTreeSet::from(KEYS) {
        return Err(format!("a line has the keys {keys:?}").into());
    }
    Ok(serde_json::from_value(value)?)
}
