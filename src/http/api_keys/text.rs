//! How a platform API key is written (SR-40): `pk_sk_<10 of its id>_<30 secret><6 of a check sum>`.
//!
//! The check sum refuses what was mistyped without a question to the database. For whoever looks for leaked keys, the
//! form is `pk_sk_[0-9A-Za-z]{10}_[0-9A-Za-z]{36}`.

use rand::TryRngCore;
use rand::rngs::OsRng;
use subtle::ConstantTimeEq;

use crate::http::secret_token;
use crate::vault::VaultError;

/// How every platform API key begins.
pub(in crate::http) const API_KEY_PREFIX: &str = "pk_sk_";

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PUBLIC_ID: usize = 10;
const SECRET: usize = 30;
const CHECK_SUM: usize = 6;
/// In characters, all of them ASCII.
const LENGTH: usize = API_KEY_PREFIX.len() + PUBLIC_ID + 1 + SECRET + CHECK_SUM;

/// A key of the right form; whether it is anybody's is not known yet.
pub(in crate::http) struct ApiKeyText {
    /// The part that is no secret.
    pub(in crate::http) public_id: String,
    /// What is stored of the whole: so much randomness needs no slow hash (SR-41).
    pub(in crate::http) hash: String,
}

/// A new key.
pub(super) struct NewApiKeyText {
    /// To be shown once.
    pub(super) text: String,
    /// To be stored.
    pub(super) stored: ApiKeyText,
}

impl NewApiKeyText {
    /// From the system's source of randomness: 178 bits of secret.
    pub(super) fn new() -> Result<Self, VaultError> {
        let (public_id, secret) = (random_digits(PUBLIC_ID)?, random_digits(SECRET)?);
        let begin = format!("{API_KEY_PREFIX}{public_id}_{secret}");
        let text = format!("{begin}{}", check_sum(&begin));
        let hash = secret_token::hash(&text);
        Ok(Self { text, stored: ApiKeyText { public_id, hash } })
    }
}

impl ApiKeyText {
    /// `None` for what cannot be a key.
    pub(in crate::http) fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() {
            return None;
        }
        let (begin, sum) = text.split_at_checked(LENGTH - CHECK_SUM)?;
        let (public_id, secret) = begin.strip_prefix(API_KEY_PREFIX)?.split_once('_')?;
        let is_written = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_whole = public_id.len() == PUBLIC_ID && is_written(public_id) && is_written(secret);
        (is_whole && check_sum(begin) == sum)
            .then(|| Self { public_id: public_id.to_owned(), hash: secret_token::hash(text) })
    }

    /// The first one in a longer text.
    pub(in crate::http) fn find_in(text: &str) -> Option<Self> {
        let candidates = text.match_indices(API_KEY_PREFIX);
        candidates.filter_map(|(at, _)| Self::parse(text.get(at..at + LENGTH)?)).next()
    }

    /// Whether it is the key of this stored hash; takes the same time wherever they differ.
    pub(in crate::http) fn is(&self, stored: &str) -> bool {
        self.hash.as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

/// CRC-32 (IEEE) in base 62.
fn check_sum(begin: &str) -> String {
    let mut left = crc32fast::hash(begin.as_bytes());
    let mut digits = [b'0'; CHECK_SUM];
    for digit in digits.iter_mut().rev() {
        *digit = digit_of(left % 62);
        left /= 62;
    }
    digits.map(char::from).iter().collect()
}

/// Bytes that stand for no digit are left out, so that each digit is as likely as any other.
fn random_digits(length: usize) -> Result<String, VaultError> {
    let mut digits = String::with_capacity(length);
    while digits.len() < length {
        let mut byte = [0];
        OsRng.try_fill_bytes(&mut byte).map_err(|_| VaultError::NoRandomness)?;
        let value = byte[0] & 0x3f;
        if value < 62 {
            digits.push(char::from(digit_of(value.into())));
        }
    }
    Ok(digits)
}

/// Of a value below 62.
fn digit_of(value: u32) -> u8 {
    let index = usize::try_from(value).unwrap_or_default();
    DIGITS.get(index).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SR-40.
    const DOCUMENTED: &str = "pk_sk_Ab12Cd34Ef_0123456789ABCDEFGHIJKLMNOPQRST3LzHOE";

    #[test]
    fn the_documented_key_has_the_right_form() {
        assert_eq!(ApiKeyText::parse(DOCUMENTED).map(|key| key.public_id).as_deref(), Some("Ab12Cd34Ef"));
    }

    #[test]
    fn a_changed_character_is_seen() {
        for index in 0..DOCUMENTED.len() {
            let mut changed = DOCUMENTED.as_bytes().to_vec();
            if let Some(byte) = changed.get_mut(index) {
                *byte = if *byte == b'x' { b'y' } else { b'x' };
            }
            assert!(ApiKeyText::parse(&String::from_utf8_lossy(&changed)).is_none(), "{index}");
        }
        assert!(
            ApiKeyText::parse(DOCUMENTED.trim_start_matches('p')).is_none()
                && ApiKeyText::parse("pk_sk_").is_none()
        );
    }

    #[test]
    fn a_new_key_is_unlike_the_one_before_and_is_found_in_an_address() -> Result<(), VaultError> {
        let (one, two) = (NewApiKeyText::new()?, NewApiKeyText::new()?);
        assert_ne!(one.stored.hash, two.stored.hash);
        let found = ApiKeyText::find_in(&format!("/api/agents?pk_sk_=1&key={}&limit=2", one.text));
        assert!(found.is_some_and(|found| found.is(&one.stored.hash) && !found.is(&two.stored.hash)));
        Ok(())
    }
}
