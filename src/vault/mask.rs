//! What may be shown of a secret (SR-30).

use secrecy::{ExposeSecret, SecretString};

/// A secret of at least this length shows exactly ten characters.
const LONG: usize = 20;

/// The first ten characters and `...`; of a short secret only a quarter.
pub fn mask(secret: &SecretString) -> String {
    let length = secret.expose_secret().chars().count();
    let shown = if length >= LONG { 10 } else { length / 4 };
    let start: String = secret.expose_secret().chars().take(shown).collect();
    format!("{start}...")
}

/// The last four characters, of a secret of at least 40.
pub fn last_four(secret: &SecretString) -> Option<String> {
    let length = secret.expose_secret().chars().count();
    (length >= 40).then(|| secret.expose_secret().chars().skip(length - 4).collect())
}
