//! Opaque secrets that are shown once and stored as a hash: refresh tokens, invitations, links to reset a password.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use crate::vault::VaultError;

/// A new secret of 256 bits, and what is stored of it.
pub(super) struct SecretToken {
    /// To be shown once.
    pub(super) text: String,
    /// To be stored.
    pub(super) hash: String,
}

impl SecretToken {
    /// From the system's source of randomness.
    pub(super) fn new() -> Result<Self, ApiError> {
        let mut bytes = [0; 32];
        OsRng.try_fill_bytes(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
        let text = URL_SAFE_NO_PAD.encode(bytes);
        let hash = hash(&text);
        Ok(Self { text, hash })
    }
}

/// SHA-256 as hex; so much randomness needs no slow hash (SR-41).
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
