//! Passwords to sign in with, as they are stored.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};

use crate::cli::CliError;

/// Argon2id with OWASP's least costs: 19 MiB, 2 passes, 1 lane (SR-31); PHC form.
pub(super) fn hash_password(password: &SecretString) -> Result<String, CliError> {
    let params = Params::new(19_456, 2, 1, None).map_err(|_| CliError::Hash)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.expose_secret().as_bytes()).map_err(|_| CliError::Hash)?;
    Ok(hash.to_string())
}

/// Whether this is the password that was hashed.
pub(super) fn is_password(password: &SecretString, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
}
