//! Opening what commands work on: the database and the keys.

use super::CliError;
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Store, Tables};
use crate::vault::Vault;

/// The database as it is, for commands that look at it.
pub(super) async fn open_store(config: &Config) -> Result<Store, CliError> {
    // Opening would make an empty file, which nobody asked for.
    if config.database.file().is_some_and(|file| !file.exists()) {
        return Err(CliError::NoTables);
    }
    let store = Store::open(&config.database, Clock::system()).await?;
    match store.find_tables().await? {
        Tables::None => Err(CliError::NoTables),
        Tables::Older => Err(CliError::OldTables),
        Tables::Current => Ok(store),
    }
}

/// The database with its tables, made where they are not there.
pub(super) async fn open_migrated(config: &Config) -> Result<Store, CliError> {
    let store = Store::open(&config.database, Clock::system()).await?;
    store.migrate().await?;
    Ok(store)
}

/// The keys, known to be those that this database was used with.
pub(super) async fn open_vault(config: &Config, store: &Store) -> Result<Vault, CliError> {
    let vault = Vault::load(&config.vault).await?;
    app::check_keys(store, &vault).await?;
    Ok(vault)
}
