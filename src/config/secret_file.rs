//! Files that hold a secret: ours alone, or refused (SR-20).

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use secrecy::SecretString;

/// Far more than any list of keys; keeps a wrong path from filling the memory.
const LARGEST: u64 = 64 * 1024;

/// Permission bits of group and world.
const OTHERS: u32 = 0o077;

/// Why a file with a secret is not used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It is not there, or not for us.
    #[error("cannot be read ({0}); check the path and its owner")]
    Unreadable(io::ErrorKind),
    /// Its mode lets others in.
    #[error("is open to others (mode {0:03o}); run `chmod 600` on it")]
    OpenToOthers(u32),
    /// It belongs to another account.
    #[error("belongs to user id {owner}, but this process runs as {us}; run `chown` on it")]
    NotOurs {
        /// The owner of the file.
        owner: u32,
        /// The user we run as.
        us: u32,
    },
    /// It is no regular file.
    #[error("is not a regular file")]
    NotAFile,
    /// It holds more than 64 KiB.
    #[error("is larger than 64 KiB, so it is not a secret; check the path")]
    TooLarge,
    /// It holds something else than text.
    #[error("is not UTF-8 text")]
    NotText,
}

/// Reads a secret, without white space around it.
///
/// # Errors
///
/// When the file is missing, too large, not text, not ours, or readable or writable by group or world.
pub fn read_secret_file(path: &Path) -> Result<SecretString, SecretFileError> {
    let unreadable = |error: io::Error| SecretFileError::Unreadable(error.kind());
    let file = File::open(path).map_err(unreadable)?;
    // Asked of the open file, so that it cannot be exchanged between the check and the reading.
    check_custody(&file.metadata().map_err(unreadable)?)?;
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => SecretFileError::NotText,
        kind => SecretFileError::Unreadable(kind),
    })?;
    if text.len() as u64 > LARGEST {
        return Err(SecretFileError::TooLarge);
    }
    let secret = SecretString::from(text.trim());
    zeroize::Zeroize::zeroize(&mut text);
    Ok(secret)
}

fn check_custody(metadata: &std::fs::Metadata) -> Result<(), SecretFileError> {
    if !metadata.is_file() {
        return Err(SecretFileError::NotAFile);
    }
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us {
        return Err(SecretFileError::NotOurs { owner: metadata.uid(), us });
    }
    let mode = metadata.mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(SecretFileError::OpenToOthers(mode));
    }
    Ok(())
}
