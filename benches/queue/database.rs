//! A database of its own for each part, on a real disk and with durable commits.

use std::path::{Path, PathBuf};

use postkey::clock::Clock;
use postkey::config;
use postkey::store::Store;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

use super::Failure;

const SERVER: &str = "POSTKEY_TEST_POSTGRES";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

pub struct Database {
    pub kind: Kind,
    pub url: String,
    remains: Remains,
}

enum Remains {
    File(PathBuf),
    Database { server: String, name: String },
}

/// A connection beside the store, for what no store method does: rows by the hundred thousand.
pub enum Side {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// Empty, with its tables.
    pub async fn create(kind: Kind) -> Result<Self, Failure> {
        let name = format!("postkey_bench_{}", uuid::Uuid::from_bytes(rand::random()).simple());
        let (url, remains) = match kind {
            Kind::Sqlite => {
                let path = folder().join(format!("{name}.db"));
                (format!("sqlite://{}", path.display()), Remains::File(path))
            }
            Kind::Postgres => create_on_server(name).await?,
        };
        let database = Self { kind, url, remains };
        database.open().await?.migrate().await?;
        Ok(database)
    }

    /// The store as `serve` would open it.
    pub async fn open(&self) -> Result<Store, Failure> {
        open(&self.url).await
    }

    /// See [`Side`].
    pub async fn open_side(&self) -> Result<Side, Failure> {
        Ok(match self.kind {
            Kind::Sqlite => {
                let mut side = SqliteConnection::connect(&self.url).await?;
                side.execute("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF").await?;
                Side::Sqlite(side)
            }
            Kind::Postgres => {
                let mut side = PgConnection::connect(&self.url).await?;
                side.execute("SET session_replication_role = replica").await?; // no checks of foreign keys
                Side::Postgres(side)
            }
        })
    }

    pub async fn remove(self) -> Result<(), Failure> {
        match &self.remains {
            Remains::File(path) => {
                for end in ["", "-wal", "-shm"] {
                    let mut file = path.clone().into_os_string();
                    file.push(end);
                    let _never_made = std::fs::remove_file(file);
                }
            }
            Remains::Database { server, name } => {
                run_on_server(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            }
        }
        Ok(())
    }
}

pub async fn open(url: &str) -> Result<Store, Failure> {
    let config = config::Database { url: url.to_owned(), ..config::Database::default() };
    Ok(Store::open(&config, Clock::system()).await?)
}

async fn create_on_server(name: String) -> Result<(String, Remains), Failure> {
    let server = std::env::var(SERVER)
        .map_err(|_| format!("{SERVER} is not set: tests/run.sh --durable -- cargo bench --bench queue"))?;
    let mut connection = PgConnection::connect(&server).await?;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String =
            sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&mut connection).await?;
        if value != "on" {
            return Err(
                format!("{setting} is {value} on this server: start it by tests/run.sh --durable").into()
            );
        }
    }
    run_on_server(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
    let mut url = url::Url::parse(&server)?;
    url.set_path(&name);
    Ok((url.into(), Remains::Database { server, name }))
}

async fn run_on_server(server: &str, statement: &str) -> Result<(), Failure> {
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(sqlx::AssertSqlSafe(statement)).await?;
    Ok(connection.close().await?)
}

/// In the build's folder: `/tmp` is memory on many machines.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// For the table's head; memory is refused, since a commit to it is none.
pub fn folder_and_its_file_system() -> Result<String, Failure> {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let kind = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(point, _)| folder().starts_with(Path::new(point)))
        .max_by_key(|(point, _)| point.len())
        .map_or("an unknown file system", |(_, kind)| kind);
    if ["tmpfs", "ramfs"].contains(&kind) {
        return Err(
            format!("the build folder is on {kind}: set CARGO_TARGET_DIR to a folder on a disk").into()
        );
    }
    Ok(kind.to_owned())
}
