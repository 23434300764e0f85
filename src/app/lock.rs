//! One server per SQLite file.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::AppError;

/// Whoever may open the lock can hold it, so that nobody serves the file any more.
const OWNER_ONLY: u32 = 0o600;

/// Locks a database's file; the operating system lets go of it when the process dies.
pub(super) fn take(database: &Path) -> Result<File, AppError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |error| AppError::Lock(path.display().to_string(), error);
    let lock = open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(AppError::AlreadyServed(database.display().to_string())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Earlier versions left the mode to the umask.
fn open(path: &Path) -> io::Result<File> {
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(OWNER_ONLY).open(path)?;
    if lock.metadata()?.permissions().mode() & 0o777 != OWNER_ONLY {
        lock.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    }
    Ok(lock)
}
