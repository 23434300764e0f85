//! The tables, made and changed in order; both databases hold the same versions and names.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::pool::Pool;
use super::{Store, StoreError};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Store {
    /// Brings the tables up to this program's version; under a lock, so that several processes may start
    /// at once.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] where a newer program has already changed them (SR-82).
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let result = match &self.pool {
            Pool::Postgres { pool, .. } => POSTGRES.run(pool).await,
            // A connection of its own: the writer's transactions group other people's work.
            Pool::Sqlite { file, .. } => migrate_file(&mut file.connect().await?).await,
        };
        result.map_err(explain)
    }
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
