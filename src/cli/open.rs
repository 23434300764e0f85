//! Opening what commands work on: the database and the keys.

use super::CliError;
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

/// PostgreSQL's code for a table that is not there.
const UNDEFINED_TABLE: &str = "42P01";

/// The database as it is, for commands that look at it.
pub(super) async fn open_store(config: &Config) -> Result<Store, CliError> {
    if is_missing_file(&config.database) {
        return Err(CliError::NoTables);
    }
    let store = Store::open(&config.database, Clock::system()).await?;
    match store.list_users("", 1).await {
        Err(StoreError::Database(error)) if has_no_tables(&error) => Err(CliError::NoTables),
        looked => looked.map(|_| store).map_err(CliError::from),
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
    check_keys(&vault, store).await?;
    Ok(vault)
}

/// Recognises a wrong key before anything is sealed or opened with it, and remembers a new one (SR-21).
///
/// # Errors
/// [`VaultError::WrongKey`] for another key under a known id; [`VaultError::UnknownKek`] when none of the keys is
/// one that this database was used with, so that its secrets could not be opened.
pub async fn check_keys(vault: &Vault, store: &Store) -> Result<(), CliError> {
    let known = store.list_kek_checks().await?;
    let loaded = vault.kek_ids();
    for (id, sealed) in &known {
        if loaded.contains(&id.as_str()) {
            vault.open_check(id, sealed)?;
        }
    }
    if let Some((id, _)) = known.last().filter(|_| !known.iter().any(|(id, _)| loaded.contains(&id.as_str())))
    {
        return Err(VaultError::UnknownKek { id: id.clone() }.into());
    }
    for id in loaded {
        if !known.iter().any(|(stored, _)| stored == id) {
            store.add_kek_check(id.to_owned(), vault.seal_check(id)?.as_stored().to_owned()).await?;
        }
    }
    Ok(())
}

/// Opening would make an empty file, which nobody asked for.
fn is_missing_file(database: &Database) -> bool {
    let path = database.url.strip_prefix("sqlite://").or_else(|| database.url.strip_prefix("sqlite:"));
    let file = path.and_then(|path| path.split('?').next()).filter(|path| !path.starts_with(":memory:"));
    file.is_some_and(|file| !std::path::Path::new(file).exists())
}

fn has_no_tables(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().is_some_and(|code| code == UNDEFINED_TABLE)
            || error.message().starts_with("no such table")
    })
}
