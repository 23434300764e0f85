//! Why a secret cannot be sealed or opened, or the vault not be loaded at all.

use std::io;
use std::path::PathBuf;

use crate::config::SecretFileError;

/// Closed and without secrets; ids are the operator's own names for keys.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No source of keys, or an empty one.
    #[error("there is no key to protect secrets with; run `postkey keys generate` and follow what it says")]
    NoKey,
    /// More than one source of keys.
    #[error(
        "there are several sources of keys; keep one of POSTKEY_KEKS, vault.keks_file and vault.keks_command"
    )]
    SeveralSources,
    /// The file with the keys.
    #[error("the file with the keys, {}, {cause}", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong with it.
        cause: SecretFileError,
    },
    /// The command that prints the keys.
    #[error("the command that prints the keys (vault.keks_command) {0}")]
    Command(CommandFailure),
    /// An entry that is not `id:base64`; never shown, since it may be a key.
    #[error("entry {position} of the keys is not of the form id:base64; `postkey keys generate` prints one")]
    BadEntry {
        /// Its position, from 1.
        position: usize,
    },
    /// An id with other characters or another length.
    #[error("the id of key {position} is not 2 to 20 characters of a-z, 0-9 and -; give it another id")]
    BadId {
        /// Its position, from 1.
        position: usize,
    },
    /// A key that is not 32 bytes of base64.
    #[error("key {id} is not 32 bytes in base64; `postkey keys generate` prints such a key")]
    BadKey {
        /// The id of the key.
        id: String,
    },
    /// Two keys with one id.
    #[error("there are two keys with the id {id}; give each key an id of its own")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// Several keys, and none named as the active one.
    #[error(
        "there are several keys; set POSTKEY_KEK_ACTIVE (or vault.active) to the id that seals new secrets"
    )]
    ActiveMissing,
    /// The active id is not among the keys.
    #[error("POSTKEY_KEK_ACTIVE (or vault.active) names no key of the list; set it to the id of one of them")]
    UnknownActive,
    /// A secret was sealed under a key that is not loaded.
    #[error("a secret was sealed under key {id}, which is not loaded; add that key to the list again")]
    UnknownKek {
        /// The id in the sealed text.
        id: String,
    },
    /// The key is not the one that the database was used with (SR-21).
    #[error("key {id} is not the key of that id that this database was used with; restore the right key")]
    WrongKey {
        /// The id of the key.
        id: String,
    },
    /// A stored text that is not a sealed secret.
    #[error("a stored secret is not in the form of a sealed one; save it again")]
    Malformed,
    /// Sealed for another place or under another key, or changed since.
    #[error("a stored secret does not open in its place; save it again")]
    CannotOpen,
    /// A column or provider name of more than 65 535 bytes.
    #[error("the place of a secret has a name that is too long")]
    PlaceTooLong,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes; try again")]
    NoRandomness,
    /// A password could not be hashed.
    #[error("the password could not be hashed; there may be too little memory")]
    Hash,
    /// A primitive refused its input; with our fixed lengths it never does.
    #[error("a cryptographic primitive refused its input")]
    Refused,
}

impl VaultError {
    /// Whether the keys that were given, or their source, have to be others.
    pub fn is_of_given_keys(&self) -> bool {
        matches!(
            self,
            Self::NoKey
                | Self::SeveralSources
                | Self::File { .. }
                | Self::BadEntry { .. }
                | Self::BadId { .. }
                | Self::BadKey { .. }
                | Self::DuplicateId { .. }
                | Self::ActiveMissing
                | Self::UnknownActive
                | Self::UnknownKek { .. }
                | Self::WrongKey { .. }
                | Self::Command(CommandFailure::Empty | CommandFailure::NotStarted { .. })
        )
    }
}

/// What a command for keys did wrong; its error output is never read (SR-20).
#[derive(Debug, thiserror::Error)]
pub enum CommandFailure {
    /// It has no program.
    #[error("is empty; name a program")]
    Empty,
    /// It could not be started; its arguments may be secret.
    #[error("could not be started: {program} ({cause}); check its path and its permissions")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        cause: io::ErrorKind,
    },
    /// It did not end in time.
    #[error("did not end within 10 s; it must not ask anything")]
    TimedOut,
    /// It failed.
    #[error("failed with exit status {0}; run it by hand to see why")]
    Failed(i32),
    /// A signal ended it.
    #[error("was ended by a signal; run it by hand to see why")]
    Killed,
    /// Its output could not be read.
    #[error("printed no text that could be read, or more than 64 KiB")]
    Output,
}
