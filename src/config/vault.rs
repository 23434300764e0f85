//! Where the key-encrypting keys come from.

use std::path::PathBuf;

use secrecy::SecretString;

use super::setting::{Setting, Slot, not_empty};

/// Holds the keys themselves, `k2:<base64>,k1:<base64>` (SR-20).
pub(super) const KEKS_VARIABLE: &str = "POSTKEY_KEKS";

/// Names the key that seals new secrets (SR-20).
pub(super) const ACTIVE_VARIABLE: &str = "POSTKEY_KEK_ACTIVE";

/// Section `[vault]`: exactly one of `keks`, `keks_file` and `keks_command` is needed to open the vault (SR-20).
///
/// The text of each is `k2:<base64>,k1:<base64>`: an id and 32 bytes.
#[derive(Clone, Default)]
pub struct VaultSource {
    /// A file with the keys, readable by its owner only; unset.
    pub keks_file: Option<PathBuf>,
    /// A program and its arguments that prints the keys within 10 s; unset.
    pub keks_command: Option<Vec<String>>,
    /// The keys themselves: `POSTKEY_KEKS` in the environment, never in a file.
    pub keks: Option<SecretString>,
    /// The id that seals new secrets, or `POSTKEY_KEK_ACTIVE`; may be unset while there is one key.
    pub active: Option<String>,
}

impl VaultSource {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "keks_file", slot: Slot::MaybePath(&mut self.keks_file) },
            Setting { name: "keks_command", slot: Slot::MaybeCommand(&mut self.keks_command) },
            Setting { name: "keks", slot: Slot::EnvironmentSecret(&mut self.keks, KEKS_VARIABLE) },
            Setting { name: "active", slot: Slot::MaybeText(&mut self.active, not_empty) },
        ]
    }

    /// How many sources are named; more than one is a mistake.
    pub(super) fn sources(&self) -> usize {
        [self.keks_file.is_some(), self.keks_command.is_some(), self.keks.is_some()]
            .map(usize::from)
            .iter()
            .sum()
    }
}
