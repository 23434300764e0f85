//! Whether the vault's keys are those of the database (SR-21).

use super::AppError;
use crate::store::Store;
use crate::vault::{Vault, VaultError};

/// Recognises a wrong key as [`recognise_keys`] does, and remembers a new one.
///
/// # Errors
/// As [`recognise_keys`].
pub async fn check_keys(store: &Store, vault: &Vault) -> Result<(), AppError> {
    for id in recognise_keys(store, vault).await? {
        let sealed = vault.seal_check(id)?.as_stored().to_owned();
        store.add_kek_check(id.to_owned(), sealed).await?;
    }
    Ok(())
}

/// Recognises a wrong key before anything is sealed or opened with it (SR-21); answers the ids of new ones.
///
/// # Errors
/// [`VaultError::WrongKey`] for another key under a known id; [`VaultError::UnknownKek`] when none of the keys is
/// one that this database was used with, so that its secrets could not be opened.
pub async fn recognise_keys<'v>(store: &Store, vault: &'v Vault) -> Result<Vec<&'v str>, AppError> {
    let known = store.list_kek_checks().await?;
    let loaded = vault.kek_ids();
    let is_loaded = |id: &str| loaded.contains(&id);
    for (id, sealed) in known.iter().filter(|(id, _)| is_loaded(id)) {
        vault.open_check(id, sealed)?;
    }
    if let Some((id, _)) = known.last()
        && !known.iter().any(|(id, _)| is_loaded(id))
    {
        return Err(VaultError::UnknownKek { id: id.clone() }.into());
    }
    Ok(loaded.into_iter().filter(|id| !known.iter().any(|(stored, _)| stored == id)).collect())
}

/// Misses keys that stored secrets are sealed under before a mail needs them (SR-21).
///
/// # Errors
/// [`VaultError::UnknownKek`] for a key that is not loaded and still needed.
pub(super) async fn miss_keys(store: &Store, vault: &Vault) -> Result<(), AppError> {
    let loaded = vault.kek_ids();
    for (id, _) in store.list_kek_checks().await? {
        if !loaded.contains(&id.as_str()) && store.is_sealed_under(&id).await? {
            return Err(VaultError::UnknownKek { id }.into());
        }
    }
    Ok(())
}
