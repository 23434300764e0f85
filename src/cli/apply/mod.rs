//! `postkey apply FILE`: users and their things as a file says.
//!
//! Declarative and repeatable: the entries are compared with the database, and only what differs is written, all of
//! it in one transaction. Applying a file twice changes nothing the second time. One bad entry changes nothing at
//! all, and every fault is told at once with its line and its place. What the file leaves out is left alone:
//! entries that it does not name, and optional keys that an entry does not set (an empty text, such as
//! `temperature = ""`, takes an optional setting away). Users are known by their email, AI configurations by
//! their provider, mailboxes by their address, agents by their name.
//!
//! ```toml
//! [[user]]
//! email = "ann@example.com"
//! name = "Ann Example"
//! password = "env:ANN_PASSWORD"           # only to sign in; may be left out
//!
//! [[user.ai_config]]
//! provider = "openai"
//! api_key = "env:ANN_OPENAI_KEY"          # or "file:keys/ann-openai", beside this file
//! model = "gpt-5-mini"
//! temperature = 0.3
//! max_tokens = 800
//! default = true
//!
//! [[user.mailbox]]
//! address = "support@example.com"
//! aliases = ["help@example.com"]
//! folder = "INBOX"
//! imap = { host = "imap.example.com", port = 993, security = "tls", password = "env:SUPPORT_PASSWORD" }
//! smtp = { host = "smtp.example.com", port = 465, security = "tls", password = "env:SUPPORT_PASSWORD" }
//!
//! [[user.agent]]
//! name = "Support"
//! type = "email_inbound"
//! mailbox = "support@example.com"
//! instructions = """
//! You answer questions about orders. Be brief and friendly."""
//! mode = "automatic"
//! link_domains = ["example.com"]
//! blocked_senders = ["spam.example", "eve@example.net"]
//! limits = { per_thread_day = 5 }
//! signature = "Ann Example, The Shop"
//! language = "de"
//! enabled = true
//! ```
//!
//! ```text
//! file -> document (each entry, and between them) -> plan (against the database) -> one write
//! ```

mod agent;
mod ai_configuration;
mod check;
mod document;
mod mailbox;
mod plan;
mod reading;
mod secrets;
mod server;
mod table;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use toml::de::DeTable;

use self::document::Document;
use self::plan::{Plan, Verb};
use self::reading::{Findings, Place, Reading};
use super::open::{open_migrated, open_store};
use super::{CliError, write_warning};
use crate::app::{check_keys, recognise_keys};
use crate::cli::table::Table;
use crate::config::{Config, process_environment};
use crate::net::Guard;
use crate::store::Store;
use crate::vault::Vault;

pub use self::reading::Fault;

/// Larger than any file that a person keeps in order.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

#[derive(Args)]
pub(super) struct Apply {
    /// The file with users, AI configurations, mailboxes and agents.
    file: PathBuf,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Everything that is wrong with a file; nothing of it was applied.
#[derive(Debug)]
pub struct ApplyFaults {
    file: PathBuf,
    faults: Vec<Fault>,
}

impl ApplyFaults {
    /// The faults in the order of the file.
    pub fn list(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ApplyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = match self.faults.len() {
            1 => "1 error".to_owned(),
            count => format!("{count} errors"),
        };
        write!(f, "{} has {count}; nothing was changed:", self.file.display())?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ApplyFaults {}

pub(super) async fn run(command: &Apply, config: &Config) -> Result<String, CliError> {
    let (document, mut findings) = read(&command.file, config)?;
    for warning in &findings.warnings {
        write_warning(&command.file, warning);
    }
    let (store, vault) = match open(command.dry_run || !findings.faults.is_empty(), config).await {
        Ok(opened) => opened,
        // The file can be corrected meanwhile.
        Err(_) if !findings.faults.is_empty() => return Err(refuse(&command.file, findings)),
        Err(error) => return Err(error),
    };
    let plan = plan::make_plan(&document, store.as_ref(), &vault, &mut findings).await?;
    if !findings.faults.is_empty() {
        return Err(refuse(&command.file, findings));
    }
    let text = report(&plan, command.dry_run);
    let is_wanted = !command.dry_run && plan.steps.iter().any(|step| step.verb != Verb::Left);
    if let Some(store) = store.filter(|_| is_wanted) {
        store.provision(plan.provision).await?;
    }
    Ok(text)
}

/// The database and the keys that it was used with. A dry run changes nothing of them, and finds no database where there
/// is none yet.
async fn open(is_dry: bool, config: &Config) -> Result<(Option<Store>, Vault), CliError> {
    let vault = Vault::load(&config.vault).await?;
    if !is_dry {
        let store = open_migrated(config).await?;
        check_keys(&store, &vault).await?;
        return Ok((Some(store), vault));
    }
    match open_store(config).await {
        Ok(store) => {
            recognise_keys(&store, &vault).await?;
            Ok((Some(store), vault))
        }
        Err(CliError::NoTables) => Ok((None, vault)),
        Err(error) => Err(error),
    }
}

/// The entries of the file that can be read, and what is wrong with the others.
fn read(file: &Path, config: &Config) -> Result<(Document, Findings), CliError> {
    let text = read_text(file).map_err(|(line, problem)| {
        let mut findings = Findings::default();
        findings.fault(&Place { line, path: String::new() }, problem);
        refuse(file, findings)
    })?;
    let guard = Guard::new(&config.network)?;
    let variables: std::collections::HashMap<String, String> = process_environment().into_iter().collect();
    let environment = |name: &str| variables.get(name).cloned();
    let folder = file.parent().unwrap_or(Path::new(""));
    let reading = Reading::new(&text, folder, &environment, &guard);
    let (entries, broken) = DeTable::parse_recoverable(&text);
    for fault in &broken {
        // Only the parser's description: its own print repeats the line, which may hold a secret.
        let line = reading.line(fault.span().map_or(0, |span| span.start));
        reading.fault(&Place { line, path: String::new() }, format!("is not TOML: {}", fault.message()));
    }
    // What a broken file seems to say would only add errors that are not there.
    let document = if broken.is_empty() {
        document::read_document(&reading, entries.get_ref())
    } else {
        Document::default()
    };
    Ok((document, reading.finish()))
}

/// The file's text, or the line of what is wrong with it.
fn read_text(file: &Path) -> Result<String, (usize, String)> {
    let unreadable =
        |error: std::io::Error| (1, format!("cannot be read ({}); check its name", error.kind()));
    let metadata = std::fs::metadata(file).map_err(unreadable)?;
    if metadata.len() > LARGEST_FILE {
        return Err((1, "is larger than 16 MiB; split it".to_owned()));
    }
    String::from_utf8(std::fs::read(file).map_err(unreadable)?).map_err(|error| {
        let text = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = text.filter(|byte| **byte == b'\n').count() + 1;
        (line, "is not UTF-8 text; save the file as UTF-8".to_owned())
    })
}

fn refuse(file: &Path, mut findings: Findings) -> CliError {
    findings.faults.sort_by_key(|fault| fault.line);
    ApplyFaults { file: file.to_owned(), faults: findings.faults }.into()
}

/// One line per entry, and the sum.
fn report(plan: &Plan, is_dry: bool) -> String {
    let mut table = Table::bare();
    for step in &plan.steps {
        let of = if step.kind == "user" { String::new() } else { format!("of {}", step.owner) };
        table.row([
            step.verb.to_string(),
            step.kind.to_owned(),
            step.name.clone(),
            of,
            step.changes.join(", "),
        ]);
    }
    let count = |verb| plan.steps.iter().filter(|step| step.verb == verb).count();
    let (made, changed, left) = (count(Verb::Made), count(Verb::Changed), count(Verb::Left));
    let intent = if is_dry { "nothing was written; to do: " } else { "" };
    format!("{}{intent}{made} made, {changed} changed, {left} left as they were\n", table.render())
}
