//! Sealing and opening the secrets of users.
//!
//! Every secret is encrypted once with a key of its own (DEK), which is wrapped by a key that only the operator
//! has (KEK); both with AES-256-GCM (SR-16). A sealed text opens only in the place it was sealed for: the same
//! column, owner, record, provider and KEK (SR-18). There is no default key and no cipher that does nothing (SR-21).

mod check;
mod envelope;
mod error;
mod generate;
mod kek;
mod mask;
mod password;
mod place;
mod sealed;
mod security_token;
mod source;

use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::config::VaultSource;
use envelope::Fresh;
use kek::{Kek, KekId, keyed_hash};

pub use error::{CommandFailure, VaultError};
pub use generate::generate_kek;
pub use mask::{last_four, mask};
pub use password::{
    LONGEST_PASSWORD, NOBODYS_HASH, SHORTEST_PASSWORD, hash_password, is_guessed_first, is_outdated_hash,
    is_password, is_password_length,
};
pub use place::Place;
pub use sealed::Sealed;
pub use security_token::{LONGEST_SECURITY_TOKEN, SECURITY_TOKEN_PREFIX};

/// The operator's keys: one seals, all open.
pub struct Vault {
    active: Kek,
    retired: Vec<Kek>,
}

impl Vault {
    /// Takes the keys from the one source that is configured (SR-20).
    ///
    /// # Errors
    ///
    /// [`VaultError::NoKey`] without a source; otherwise what is wrong with the source, its keys or the active id.
    pub async fn load(source: &VaultSource) -> Result<Self, VaultError> {
        let list = source::read(source).await?;
        Self::choose(kek::parse_list(list.expose_secret())?, source.active.as_deref())
    }

    /// A vault with one key.
    ///
    /// # Errors
    ///
    /// [`VaultError::BadId`] unless the id has 2 to 20 characters of `a-z`, `0-9` and `-`.
    pub fn single(kek_id: &str, key: [u8; 32]) -> Result<Self, VaultError> {
        let id = KekId::parse(kek_id).ok_or(VaultError::BadId { position: 1 })?;
        Ok(Self { active: Kek::new(id, &key.into())?, retired: Vec::new() })
    }

    fn choose(mut keks: Vec<Kek>, active: Option<&str>) -> Result<Self, VaultError> {
        let index = match active {
            Some(id) => keks.iter().position(|kek| kek.id.as_str() == id).ok_or(VaultError::UnknownActive)?,
            None if keks.len() > 1 => return Err(VaultError::ActiveMissing),
            None if keks.is_empty() => return Err(VaultError::NoKey),
            None => 0,
        };
        Ok(Self { active: keks.remove(index), retired: keks })
    }

    /// Encrypts a secret for one place, under the active key.
    ///
    /// # Errors
    ///
    /// [`VaultError::PlaceTooLong`], and [`VaultError::NoRandomness`] when the system gives none.
    pub fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Sealed, VaultError> {
        envelope::seal(&self.active, place, secret, &Fresh::random()?)
    }

    /// Decrypts what was sealed for this place; the only way to a clear secret.
    ///
    /// # Errors
    ///
    /// [`VaultError::UnknownKek`] when its key is not loaded, [`VaultError::Malformed`] when it is no sealed text,
    /// [`VaultError::CannotOpen`] when it was sealed for another place, under another key, or changed since.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let parts = sealed.parts()?;
        let kek =
            self.find_kek(&parts.kek_id).ok_or(VaultError::UnknownKek { id: parts.kek_id.to_string() })?;
        envelope::open(kek, place, &parts)
    }

    /// The ids of all keys, the active one first.
    pub fn kek_ids(&self) -> Vec<&str> {
        self.keks().map(|kek| kek.id.as_str()).collect()
    }

    /// The id of the key that seals.
    pub fn active_id(&self) -> &str {
        self.active.id.as_str()
    }

    /// Eight hex digits that tell whether an owner's two secrets are the same (SR-30).
    ///
    /// Of use only between secrets saved under the same active key, and only for one owner.
    pub fn fingerprint(&self, owner: Uuid, secret: &SecretString) -> String {
        let mut hash = keyed_hash(&self.active.fingerprint);
        hash.update(owner.as_bytes());
        hash.update(secret.expose_secret().as_bytes());
        hash.finalize().into_bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Marks bytes as ours, under the active key: for Message-IDs and loop marks (EM-16, EM-54).
    pub fn message_tag(&self, bytes: &[u8]) -> [u8; 16] {
        self.active.message_tag(bytes)
    }

    /// Whether the tag is ours, also when it was made before the active key changed.
    pub fn is_message_tag(&self, bytes: &[u8], tag: &[u8; 16]) -> bool {
        self.keks().any(|kek| kek.is_message_tag(bytes, tag))
    }

    /// Marks the details of our reply addresses, under the active key (EM-66).
    pub fn address_tag(&self, bytes: &[u8]) -> [u8; 10] {
        self.active.address_tag(bytes)
    }

    /// Whether the tag is ours, also when it was made before the active key changed.
    pub fn is_address_tag(&self, bytes: &[u8], tag: &[u8; 10]) -> bool {
        self.keks().any(|kek| kek.is_address_tag(bytes, tag))
    }

    /// Tells a call from others without telling what was sent with it, under the active key.
    pub fn call_tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.active.call_tag(parts)
    }

    /// Signs what a signed-in user calls with, under the active key (SR-32).
    pub fn sign_access_token(&self, bytes: &[u8]) -> [u8; 32] {
        self.active.sign_access_token(bytes)
    }

    /// Whether the signature is ours, made under the key of this id.
    pub fn is_access_token_signature(&self, kek_id: &str, bytes: &[u8], signature: &[u8]) -> bool {
        let kek = KekId::parse(kek_id).and_then(|id| self.find_kek(&id));
        kek.is_some_and(|kek| kek.is_access_token_signature(bytes, signature))
    }

    fn keks(&self) -> impl Iterator<Item = &Kek> {
        std::iter::once(&self.active).chain(&self.retired)
    }

    fn find_kek(&self, id: &KekId) -> Option<&Kek> {
        self.keks().find(|kek| kek.id == *id)
    }
}

/// Names the keys, never shows them.
impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("kek_ids", &self.kek_ids()).finish_non_exhaustive()
    }
}
