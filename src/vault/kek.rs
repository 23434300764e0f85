//! The operator's keys and what is derived from them: one purpose per derived key (SR-17).

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::VaultError;

/// A key of 256 bits that is wiped when dropped.
pub(super) type Key = Zeroizing<[u8; 32]>;

const WRAP: &[u8] = b"postkey/kek-wrap/v1";
const FINGERPRINT: &[u8] = b"postkey/key-fingerprint/v1";
const MESSAGE_TAG: &[u8] = b"postkey/message-tag/v1";
const ADDRESS_TAG: &[u8] = b"postkey/address-tag/v1";
const NAMED_CALL: &[u8] = b"postkey/named-call/v1";
const ACCESS_TOKEN: &[u8] = b"postkey/access-token/v1";
const SECURITY_TOKEN: &[u8] = b"postkey/security-token/v1";

/// Padded or not: both are printed by the tools that make keys.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The operator's name for a key: 2 to 20 characters of `a-z`, `0-9` and `-` (SR-20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KekId(String);

impl KekId {
    /// The name, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let good = (2..=20).contains(&text.len()) && text.bytes().all(allowed);
        good.then(|| Self(text.to_owned()))
    }

    /// As it stands in wrapped keys.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key-encrypting key, as the keys derived from it; the key itself is not kept.
pub(super) struct Kek {
    pub id: KekId,
    pub wrap: Key,
    pub fingerprint: Key,
    pub security_token: Key,
    message_tag: Key,
    address_tag: Key,
    named_call: Key,
    access_token: Key,
}

impl Kek {
    /// Derives a key for each purpose, so that no two purposes share one.
    pub fn new(id: KekId, key: &Key) -> Result<Self, VaultError> {
        Ok(Self {
            id,
            wrap: derive(key, WRAP)?,
            fingerprint: derive(key, FINGERPRINT)?,
            security_token: derive(key, SECURITY_TOKEN)?,
            message_tag: derive(key, MESSAGE_TAG)?,
            address_tag: derive(key, ADDRESS_TAG)?,
            named_call: derive(key, NAMED_CALL)?,
            access_token: derive(key, ACCESS_TOKEN)?,
        })
    }

    /// Marks a Message-ID as ours.
    pub fn message_tag(&self, bytes: &[u8]) -> [u8; 16] {
        tag(&self.message_tag, bytes)
    }

    /// Whether the tag is ours; compared in constant time.
    pub fn is_message_tag(&self, bytes: &[u8], tag: &[u8; 16]) -> bool {
        is_tag(&self.message_tag, bytes, tag)
    }

    /// Signs a reply address.
    pub fn address_tag(&self, bytes: &[u8]) -> [u8; 10] {
        tag(&self.address_tag, bytes)
    }

    /// Whether the signature is ours; compared in constant time.
    pub fn is_address_tag(&self, bytes: &[u8], tag: &[u8; 10]) -> bool {
        is_tag(&self.address_tag, bytes, tag)
    }

    /// Tells a call from others; each part with its length before it, so that no two calls read the same.
    pub fn call_tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = keyed_hash(&self.named_call);
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into_bytes().into()
    }

    /// The signature of a sign-in token (HMAC-SHA-256).
    pub fn sign_access_token(&self, bytes: &[u8]) -> [u8; 32] {
        keyed_hash(&self.access_token).chain_update(bytes).finalize().into_bytes().into()
    }

    /// Takes the same time wherever the signatures differ.
    pub fn is_access_token_signature(&self, bytes: &[u8], signature: &[u8]) -> bool {
        keyed_hash(&self.access_token).chain_update(bytes).verify_slice(signature).is_ok()
    }
}

/// The beginning of the keyed hash.
fn tag<const LENGTH: usize>(key: &Key, bytes: &[u8]) -> [u8; LENGTH] {
    let hash: [u8; 32] = keyed_hash(key).chain_update(bytes).finalize().into_bytes().into();
    let mut tag = [0; LENGTH];
    tag.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    tag
}

/// Takes the same time wherever the tags differ.
fn is_tag(key: &Key, bytes: &[u8], tag: &[u8]) -> bool {
    keyed_hash(key).chain_update(bytes).verify_truncated_left(tag).is_ok()
}

/// HMAC-SHA256. A key shorter than a block is padded with zeros (RFC 2104 section 2); done here, since a key of
/// block length cannot be refused.
pub(super) fn keyed_hash(key: &Key) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key.iter()).for_each(|(to, from)| *to = *from);
    Hmac::new((&*block).into())
}

/// HKDF-SHA256 with an empty salt (SR-17).
fn derive(key: &Key, purpose: &[u8]) -> Result<Key, VaultError> {
    let mut derived = Key::default();
    Hkdf::<Sha256>::new(None, key.as_slice())
        .expand(purpose, derived.as_mut_slice())
        .map_err(|_| VaultError::Refused)?;
    Ok(derived)
}

/// Reads `k2:<base64>,k1:<base64>`; line breaks separate as well.
pub(super) fn parse_list(text: &str) -> Result<Vec<Kek>, VaultError> {
    let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
    let mut keks: Vec<Kek> = Vec::new();
    for (index, entry) in entries.enumerate() {
        let kek = parse_entry(entry, index + 1)?;
        if keks.iter().any(|known| known.id == kek.id) {
            return Err(VaultError::DuplicateId { id: kek.id.to_string() });
        }
        keks.push(kek);
    }
    if keks.is_empty() { Err(VaultError::NoKey) } else { Ok(keks) }
}

/// What a file says, as a list: without blank lines and comments, and without what a shell needs, so that it may hold
/// what `postkey keys generate` prints.
pub(super) fn list_in_file(text: &str) -> SecretString {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut list = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in lines {
        list.push_str(assigned(line));
        list.push('\n');
    }
    SecretString::from(list.as_str())
}

/// What `export POSTKEY_KEKS='..'` assigns; another line is taken as it is.
fn assigned(line: &str) -> &str {
    let assignment = line.strip_prefix("export ").map_or(line, str::trim_start);
    let Some(value) = assignment.strip_prefix("POSTKEY_KEKS=") else { return line };
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('\'').or_else(|| inside('"')).unwrap_or(value)
}

fn parse_entry(entry: &str, position: usize) -> Result<Kek, VaultError> {
    let (id, key) = entry.split_once(':').ok_or(VaultError::BadEntry { position })?;
    let id = KekId::parse(id.trim()).ok_or(VaultError::BadId { position })?;
    let bad_key = || VaultError::BadKey { id: id.to_string() };
    let bytes = Zeroizing::new(BASE64.decode(key.trim()).map_err(|_| bad_key())?);
    let key = Key::new(bytes.as_slice().try_into().map_err(|_| bad_key())?);
    Kek::new(id, &key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapping_key_is_the_documented_one() {
        let key = Key::new(std::array::from_fn(|index| u8::try_from(index).unwrap_or_default()));
        let derived: String = derive(&key, WRAP)
            .map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect())
            .unwrap_or_default();
        assert_eq!(derived, "523e6639b37485eda149b1c93ca10432381b3a5b839b479381b99bdaaf195dcc");
    }
}
