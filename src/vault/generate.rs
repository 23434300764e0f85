//! New keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::VaultError;
use super::kek::Key;

/// A new key as `k1:<base64>`, for `postkey keys generate`: to be printed once and kept by the operator.
///
/// # Errors
///
/// [`VaultError::NoRandomness`] when the system gives no random bytes.
pub fn generate_kek() -> Result<String, VaultError> {
    let mut key = Key::default();
    OsRng.try_fill_bytes(key.as_mut_slice()).map_err(|_| VaultError::NoRandomness)?;
    Ok(format!("k1:{}", STANDARD.encode(*key)))
}
