//! Passwords to sign in with, as they are stored (SR-31).

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use super::VaultError;

/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 8;
/// Longest password, in characters.
pub const LONGEST_PASSWORD: usize = 128;

/// Guesses that a password must outlast.
const FIRST_GUESSES: u64 = 100_000;
/// Longest password, in characters, that may be on somebody's list.
const LONGEST_GUESSED: usize = 24;

/// OWASP's least costs for Argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of these costs that no password has: checking one against it takes as long as against any other.
pub const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a new password is as long as it must be, and no longer than is hashed.
pub fn is_password_length(password: &SecretString) -> bool {
    let length = password.expose_secret().nfc().count();
    (SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length)
}

/// Whether a new password is among the first 100 000 that somebody would guess (SR-31). Long ones are not looked at:
/// nobody's list has them, and looking takes its time.
pub fn is_guessed_first(password: &SecretString) -> bool {
    let password = password.expose_secret();
    let is_short = password.chars().count() <= LONGEST_GUESSED;
    is_short && zxcvbn::zxcvbn(password, &[]).guesses() < FIRST_GUESSES
}

/// Argon2id in PHC form, of the password's composed form (NFC): keyboards differ in how they write one character.
/// Takes tens of milliseconds and 19 MiB.
///
/// # Errors
/// [`VaultError::Hash`] where there is too little memory.
pub fn hash_password(password: &SecretString) -> Result<String, VaultError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| VaultError::Hash)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(composed(password).expose_secret().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|_| VaultError::Hash)
}

/// Whether this is the password that was hashed. Takes as long as hashing.
pub fn is_password(password: &SecretString, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(composed(password).expose_secret().as_bytes(), &hash).is_ok()
}

/// Whether a stored hash cost less than one would now, so that it is to be made anew when its password is known.
pub fn is_outdated_hash(hash: &str) -> bool {
    let params = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|params| params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES)
}

fn composed(password: &SecretString) -> SecretString {
    SecretString::from(password.expose_secret().nfc().collect::<String>())
}
