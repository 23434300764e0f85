//! Where rows live.

use std::time::Duration;

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
    /// PostgreSQL: connections, up to 8 of them for the steps of runs and the filing of replies, one to hear of other
    /// processes; at least 3; 16.
    pub connections: u32,
    /// How long to wait for a free connection; 30 s.
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

const UNREADABLE: &str = "cannot be read as it is meant; percent-encode the special characters of the password: \
                          %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #";

/// Never repeats the URL: it may hold a password.
fn database_url(url: &str) -> Result<(), String> {
    if url.starts_with("sqlite:") {
        return Ok(());
    }
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err("must begin with sqlite: or postgres://, such as \"sqlite://postkey.db\"".to_owned());
    }
    if may_have_raw_password(url) || url::Url::parse(url).is_err() {
        return Err(UNREADABLE.to_owned());
    }
    Ok(())
}
