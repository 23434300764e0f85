//! Where the key-encrypting keys come from.

use std::path::PathBuf;

use secrecy::SecretString;

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
