//! Where rows live.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;

use super::quantity::{MINUTE, SECOND};
use super::redacted::may_have_raw_password;
use super::setting::{Setting, Slot};

/// Section `[database]`.
#[derive(Clone)]
pub struct Database {
    /// `sqlite://<path>` or `postgres://<user>:<password>@<host>/<name>`; `sqlite://postkey.db`.
    pub url: String,
    /// SQLite: connections that read, beside two for the steps of runs and the one that writes; 4.
    pub read_connections: u32,
    /// PostgreSQL: connections, up to 5 of them for the steps of runs and the filing of replies, one to hear of other
    /// processes; at least 3; 16.
    pub connections: u32,
    /// How long to wait for a free connection, and for the server when the service starts; 30 s.
    pub acquire_timeout: Duration,
    /// PostgreSQL: how long an answer may take until its connection counts as lost; 60 s.
    pub answer_timeout: Duration,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite://postkey.db".to_owned(),
            read_connections: 4,
            connections: 16,
            acquire_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(60),
        }
    }
}

impl Database {
    /// The SQLite file, as the driver understands the URL; `None` where it names a server.
    pub fn file(&self) -> Option<PathBuf> {
        let options = self.url.starts_with("sqlite:").then(|| SqliteConnectOptions::from_str(&self.url))?;
        options.ok().map(|options| options.get_filename().to_owned())
    }

    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "url", slot: Slot::Url(&mut self.url, database_url) },
            Setting { name: "read_connections", slot: Slot::Count(&mut self.read_connections, 1..=256) },
            Setting { name: "connections", slot: Slot::Count(&mut self.connections, 3..=1_000) },
            Setting {
                name: "acquire_timeout",
                slot: Slot::Duration(&mut self.acquire_timeout, SECOND..=MINUTE * 10),
            },
            Setting {
                name: "answer_timeout",
                slot: Slot::Duration(&mut self.answer_timeout, SECOND..=MINUTE * 10),
            },
        ]
    }
}

const UNREADABLE: &str = "cannot be read as it is meant; percent-encode the special characters of the password, and \
                          every @ behind the host: %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #";

/// Never repeats the URL: it may hold a password.
fn database_url(url: &str) -> Result<(), String> {
    if url.starts_with("sqlite:") {
        return file_url(url);
    }
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err("must begin with sqlite: or postgres://, such as \"sqlite://postkey.db\"".to_owned());
    }
    if may_have_raw_password(url) || url::Url::parse(url).is_err() {
        return Err(UNREADABLE.to_owned());
    }
    Ok(())
}

/// A file, and not memory or a temporary file of SQLite's: each connection would have a database of its own there.
fn file_url(url: &str) -> Result<(), String> {
    let options = SqliteConnectOptions::from_str(url);
    let options =
        options.map_err(|_| "is no SQLite URL; write \"sqlite://\" and the path of a file".to_owned())?;
    let path = options.get_filename().to_string_lossy();
    // Names that SQLite takes for something else than a file; the driver's own name for memory is one of them.
    let is_file = !path.trim().is_empty() && path != ":memory:" && !path.starts_with("file:");
    let mut parameters =
        url::form_urlencoded::parse(url.split_once('?').map_or("", |(_, query)| query).as_bytes());
    if is_file && !parameters.any(|(name, value)| name == "mode" && value == "memory") {
        return Ok(());
    }
    Err("must name a file, which keeps what is stored; write its path, such as \"sqlite://postkey.db\""
        .to_owned())
}
