//! Where rows live.

use std::time::Duration;

/// Section `[database]`.
#[derive(Clone)]
pub struct Database {
    /// `sqlite://<path>` or `postgres://<user>:<password>@<host>/<name>`; `sqlite://postkey.db`.
    pub url: String,
    /// SQLite: connections that read, beside the one that writes; 4.
    pub read_connections: u32,
    /// PostgreSQL: connections of the pool; 16.
    pub connections: u32,
    /// How long to wait for a free connection; 30 s.
    pub acquire_timeout: Duration,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite://postkey.db".to_owned(),
            read_connections: 4,
            connections: 16,
            acquire_timeout: Duration::from_secs(30),
        }
    }
}
