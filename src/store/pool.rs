//! Two native pools behind one enum, and the macros that run one SQL text on either.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, SqliteConnection, SqlitePool};
use url::form_urlencoded;

use super::StoreError;
use super::group::Groups;
use super::lender::{Borrowed, Lender, Patience};
use super::writer::Writer;
use crate::config;

/// Where rows live.
#[derive(Clone)]
pub(super) enum Pool {
    /// A file: many readers, one writer that groups commits.
    Sqlite { read: SqlitePool, writer: Writer, file: Box<SqliteConnectOptions>, groups: Groups },
    /// A server that several processes share. Connections of `keyed` are for statements that look rows up by their
    /// keys, and are planned once.
    Postgres { pool: Lender, keyed: Lender, groups: Groups },
}

/// A connection in a transaction, or one on which each statement is its own; it never leaves the store.
pub(super) enum Tx {
    Sqlite(SqliteConnection),
    Server(Borrowed),
}

/// Which of the two databases a statement is for, where each needs its own.
pub(super) enum Database<'t> {
    File(&'t mut SqliteConnection),
    Server(&'t mut PgConnection),
}

impl Tx {
    pub(super) fn database(&mut self) -> Database<'_> {
        match self {
            Self::Sqlite(file) => Database::File(file),
            Self::Server(connection) => Database::Server(connection),
        }
    }

    /// Says one word to a server, such as `COMMIT`; what a file's transaction is is its writer's business.
    pub(super) async fn say(&mut self, word: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Server(connection) => connection.say(word).await,
        }
    }

    /// Gives a server's connection back to its pool; it is closed otherwise.
    pub(super) fn give_back(self) {
        if let Self::Server(connection) = self {
            connection.give_back();
        }
    }
}

/// Runs one expression on a connection of a server's pool, for as long as its answer may take.
macro_rules! on_server {
    ($server:expr, $db:ident => $body:expr) => {
        async {
            let mut borrowed = $server.lend().await?;
            let answer = {
                let $db = &mut *borrowed;
                $server.patience.wait(async { $body }).await
            };
            borrowed.give_back_after(&answer);
            answer
        }
        .await
    };
}

/// Runs one reading expression on whichever pool there is; `$db` is an executor.
macro_rules! on_pool {
    ($pool:expr, $db:ident => $body:expr) => {
        match $pool {
            $crate::store::pool::Pool::Sqlite { read: $db, .. } => $body,
            $crate::store::pool::Pool::Postgres { pool, .. } => {
                $crate::store::pool::on_server!(pool, $db => $body)
            }
        }
    };
}

/// Like [`on_pool`] for what looks its rows up by their keys; on a server with a ticket in hand.
macro_rules! on_keyed {
    ($pool:expr, $db:ident => $body:expr) => {
        match $pool {
            $crate::store::pool::Pool::Sqlite { read: $db, .. } => $body,
            $crate::store::pool::Pool::Postgres { keyed, .. } => {
                $crate::store::pool::on_server!(keyed, $db => $body)
            }
        }
    };
}

/// Runs one expression inside a transaction; `$db` is a mutable connection.
macro_rules! on_tx {
    ($tx:expr, $db:ident => $body:expr) => {
        match $tx {
            $crate::store::pool::Tx::Sqlite($db) => $body,
            $crate::store::pool::Tx::Server(connection) => {
                let $db = &mut **connection;
                $body
            }
        }
    };
}

pub(super) use {on_keyed, on_pool, on_server, on_tx};

/// Rows that SQLite's thread hands over without waiting to be asked: a whole claim.
const ROWS_AHEAD: usize = 512;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// `SQLITE_BUSY`, as sqlx writes it.
const BUSY: &str = "5";

/// Connections for the steps of runs and the filing of replies: one for each that may be on its way, and one for what the
/// queue asks besides.
const MOST_OF_RUNS: u32 = 5;

/// A plan is kept from a time when the tables may have been empty, so none may be made that reads a table through; for
/// the same reason statements say `= ANY(..)` of the keys that they join by. Many share these connections, so nobody
/// waits long for a row that somebody holds, as whoever deletes a mailbox does.
const PLAN_ONCE: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; SET lock_timeout = '3s'";

/// What a server does about a client whose machine has died: nobody is to wait for the locks of such a one.
const GIVE_UP: &str = "SET idle_in_transaction_session_timeout = '60s'; SET tcp_keepalives_idle = 60;
    SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6";

/// A connection that rested this long is asked whether it is still there; before, asking would double the work.
const TRUSTED: Duration = Duration::from_secs(1);

/// Plans that a connection to a file keeps: a statement for many rows has one for each power of two of them.
const MOST_PLANS: usize = 256;

/// Pages of the log before the writer copies them into the file: a page that changes often is copied once for all of its
/// changes. The log usually stays below 32 MiB.
const CHECKPOINT_EVERY: &str = "8000";

/// The owner reads and writes; nobody else does anything.
const OWNERS_ALONE: u32 = 0o600;

/// Pages that the writer keeps in memory, as SQLite counts them: less than zero is in KiB.
const MOST_CACHED: &str = "-16384";

impl Pool {
    /// What runs ask in groups.
    pub(super) fn groups(&self) -> &Groups {
        match self {
            Self::Sqlite { groups, .. } | Self::Postgres { groups, .. } => groups,
        }
    }

    /// Connects by the URL's scheme: `sqlite://` or `postgres://`.
    pub(super) async fn open(config: &config::Database) -> Result<Self, StoreError> {
        if config.url.starts_with("sqlite:") {
            open_sqlite(config).await
        } else if config.url.starts_with("postgres:") || config.url.starts_with("postgresql:") {
            open_postgres(config).await
        } else {
            Err(StoreError::UnknownScheme)
        }
    }
}

async fn open_sqlite(config: &config::Database) -> Result<Pool, StoreError> {
    let options = SqliteConnectOptions::from_str(&config.url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(ROWS_AHEAD)
        .statement_cache_capacity(MOST_PLANS)
        .disable_statement_logging();
    let writing = options
        .clone()
        .pragma("cache_size", MOST_CACHED)
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", CHECKPOINT_EVERY);
    make_file(&config.url, &options);
    let connection = connect_first(&writing).await?;
    let file = Box::new(options.clone());
    let reading = options.read_only(true).create_if_missing(false);
    let (groups, to_write) = Groups::of_file(&reading);
    let read = SqlitePoolOptions::new()
        .max_connections(config.read_connections)
        .acquire_timeout(config.acquire_timeout)
        // A file does not go away.
        .test_before_acquire(false)
        .connect_with(reading)
        .await?;
    Ok(Pool::Sqlite { read, writer: Writer::start(connection, to_write)?, file, groups })
}

/// A new file is its owner's alone, whatever the umask says: it holds mail. SQLite gives the files beside it the mode of
/// this one. A file that is there keeps its mode, which may be on purpose; whatever else keeps it from being made here keeps
/// SQLite from it too, which says so.
fn make_file(url: &str, options: &SqliteConnectOptions) {
    let path = options.get_filename();
    let (_, parameters) = url.split_once('?').unwrap_or_default();
    // What is in memory, or only read, is no new file.
    let is_written = form_urlencoded::parse(parameters.as_bytes())
        .all(|(name, value)| name != "mode" || matches!(&*value, "rw" | "rwc"));
    let is_path = !path.as_os_str().as_encoded_bytes().starts_with(b"file:");
    if is_written && is_path {
        let _ = OpenOptions::new().write(true).create(true).truncate(false).mode(OWNERS_ALONE).open(path);
    }
}

/// Waits for somebody else who is at `PRAGMA journal_mode = WAL` on the same new file, where SQLite itself does not wait.
async fn connect_first(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    let began = Instant::now();
    loop {
        match options.connect().await {
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some(BUSY) && began.elapsed() < BUSY_TIMEOUT =>
            {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            connected => return connected,
        }
    }
}

async fn open_postgres(config: &config::Database) -> Result<Pool, StoreError> {
    // The name tells this store's notifications from those of other processes.
    let name = format!("postkey {}", uuid::Uuid::from_bytes(rand::random()).simple());
    let options =
        PgConnectOptions::from_str(&config.url)?.application_name(&name).disable_statement_logging();
    let of_runs = (config.connections / 2).clamp(1, MOST_OF_RUNS);
    refuse_unsafe_commits(connect_alone(config, &options).await?).await?;
    let pool = postgres_pool(config, config.connections.saturating_sub(of_runs));
    let pool = pool
        .after_connect(|connection, _| Box::pin(async move { connection.execute(GIVE_UP).await.map(drop) }))
        .connect_with(options.clone())
        .await?;
    let keyed = postgres_pool(config, of_runs)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(GIVE_UP).await?;
                connection.execute(PLAN_ONCE).await.map(drop)
            })
        })
        .connect_with(options)
        .await?;
    let patience = Patience(config.answer_timeout);
    let keyed = Lender { pool: keyed, patience };
    let groups = Groups::of_server(&keyed, of_runs.saturating_sub(1).max(1));
    Ok(Pool::Postgres { pool: Lender { pool, patience }, keyed, groups })
}

/// The first connection by itself, whose error says what is wrong: a pool would try again in silence, and then tell of its
/// own limit.
async fn connect_alone(
    config: &config::Database,
    options: &PgConnectOptions,
) -> Result<PgConnection, sqlx::Error> {
    let connected = tokio::time::timeout(config.acquire_timeout, options.connect()).await;
    connected.map_err(|_| sqlx::Error::Io(io::ErrorKind::TimedOut.into()))?
}

fn postgres_pool(config: &config::Database, connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, rest| Box::pin(is_there(connection, rest.idle_for)))
}

/// Asks only where time has passed since the connection's last answer.
async fn is_there(connection: &mut PgConnection, idle: Duration) -> Result<bool, sqlx::Error> {
    if idle <= TRUSTED {
        return Ok(true);
    }
    // One that is slower than this is not worth the wait.
    match tokio::time::timeout(TRUSTED, connection.ping()).await {
        Ok(there) => there.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// A server that answers before its disk has the commit would lose mail (SR-66).
async fn refuse_unsafe_commits(mut connection: PgConnection) -> Result<(), StoreError> {
    let commit: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut connection).await?;
    connection.close().await?;
    if commit == "off" { Err(StoreError::UnsafeCommits) } else { Ok(()) }
}
