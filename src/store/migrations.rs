//! The tables, made and changed in order; both databases hold the same versions and names.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::pool::{Pool, on_pool};
use super::{Store, StoreError};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// PostgreSQL's code for a table that is not there.
const UNDEFINED_TABLE: &str = "42P01";

/// What tables there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// None yet.
    None,
    /// Those of an earlier version; [`Store::migrate`] brings them up to date.
    Older,
    /// This program's own.
    Current,
}

impl Store {
    /// Brings the tables up to this program's version; under a lock, so that several processes may start
    /// at once.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] where a newer program has already changed them (SR-82).
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let result = match &self.pool {
            Pool::Postgres { pool, .. } => POSTGRES.run(&pool.pool).await,
            // A connection of its own: the writer's transactions group other people's work.
            Pool::Sqlite { file, .. } => migrate_file(&mut file.connect().await?).await,
        };
        result.map_err(explain)
    }

    /// What tables there are, without a change.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] as [`Store::migrate`].
    pub async fn find_tables(&self) -> Result<Tables, StoreError> {
        let migrator = if self.is_sqlite() { &SQLITE } else { &POSTGRES };
        let made: Result<Vec<i64>, _> = on_pool!(&self.pool, db => sqlx::query_scalar(
            "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version").fetch_all(db).await);
        let made = match made {
            Err(error) if is_no_table(&error) => return Ok(Tables::None),
            made => made?,
        };
        if let Some(newer) = made.iter().find(|version| !migrator.version_exists(**version)) {
            return Err(StoreError::NewerSchema(*newer));
        }
        let is_current = migrator.iter().all(|migration| made.contains(&migration.version));
        Ok(match made.is_empty() {
            true => Tables::None,
            false if is_current => Tables::Current,
            false => Tables::Older,
        })
    }
}

fn is_no_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().is_some_and(|code| code == UNDEFINED_TABLE)
            || error.message().starts_with("no such table")
    })
}

/// A command may find the file while a service makes the tables: whoever is second waits, and finds them made.
async fn migrate_file(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    SQLITE.run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

fn explain(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
            StoreError::NewerSchema(version)
        }
        other => StoreError::Migration(other),
    }
}
