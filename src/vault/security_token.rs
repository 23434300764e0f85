//! Security tokens: what a user hands to a front end, opaque to whoever carries it (SR-49).
//!
//! Sealed under a key of their own, which seals nothing else: neither opens a token as a stored secret nor a stored
//! secret as a token (SR-17).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretString};

use super::envelope::{Nonce, decrypt, encrypt};
use super::kek::{Kek, KekId};
use super::place::length_prefixed;
use super::{Vault, VaultError};

/// How every security token begins.
pub const SECURITY_TOKEN_PREFIX: &str = "pkst1.";
/// Longest security token, in bytes (SR-50).
pub const LONGEST_SECURITY_TOKEN: usize = 4096;

const DOMAIN: &[u8] = b"postkey/token/v1";

impl Vault {
    /// The token of these contents, under the active key.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoRandomness`] when the system gives none.
    pub fn seal_security_token(&self, contents: &SecretString) -> Result<String, VaultError> {
        let mut nonce = Nonce::default();
        OsRng.try_fill_bytes(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        seal(&self.active, contents, &nonce)
    }

    /// The contents of a token of ours.
    ///
    /// # Errors
    ///
    /// [`VaultError::Malformed`] when it is no token, [`VaultError::UnknownKek`] when its key is not loaded,
    /// [`VaultError::CannotOpen`] when it was changed or is not ours.
    pub fn open_security_token(&self, token: &str) -> Result<SecretString, VaultError> {
        if token.len() > LONGEST_SECURITY_TOKEN {
            return Err(VaultError::Malformed);
        }
        let rest = token.strip_prefix(SECURITY_TOKEN_PREFIX).ok_or(VaultError::Malformed)?;
        let (id, sealed) = rest.split_once('.').ok_or(VaultError::Malformed)?;
        let id = KekId::parse(id).ok_or(VaultError::Malformed)?;
        let kek = self.find_kek(&id).ok_or(VaultError::UnknownKek { id: id.to_string() })?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| VaultError::Malformed)?;
        let contents = decrypt(&kek.security_token, &sealed, &authenticated_data(&kek.id)?)?;
        std::str::from_utf8(&contents).map(SecretString::from).map_err(|_| VaultError::CannotOpen)
    }
}

fn seal(kek: &Kek, contents: &SecretString, nonce: &Nonce) -> Result<String, VaultError> {
    let data = authenticated_data(&kek.id)?;
    let sealed = encrypt(&kek.security_token, nonce, contents.expose_secret().as_bytes(), &data)?;
    Ok(format!("{SECURITY_TOKEN_PREFIX}{}.{}", kek.id, URL_SAFE_NO_PAD.encode(sealed)))
}

fn authenticated_data(kek: &KekId) -> Result<Vec<u8>, VaultError> {
    length_prefixed(&[DOMAIN, format!("{SECURITY_TOKEN_PREFIX}{kek}").as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::super::kek::Key;
    use super::*;

    /// SR-49.
    const CONTENTS: &str = r#"{"jti":"AAAAAAAAAAAAAAAAAAAAAA","tid":"01890a5d-ac96-774b-bcce-b302099a8057","iat":1790000000,"exp":1790021600,"pur":"chat.completion"}"#;
    const TOKEN: &str = "pkst1.k1.AwMDAwMDAwMDAwMD7F_1kbYUEaaPxIEyEvxuDHwLXy4I-9yESpYOlWiEmdcpo68YOGpmQy3s85fh-n6blRRqVzY-Jow6HcY1XEVkQh5_ip0eQKj9IHts0KNmtLrB6Ga6cYOpuYAGUu-aG2YGXfzPNt-Xkc5OKqLyg-cy-Uif__-NM1nRFjlEnFzLAGMVUKzRxux0EOZ5l7VjWEklr8i-hX1G6w";

    fn key() -> [u8; 32] {
        std::array::from_fn(|index| u8::try_from(index).unwrap_or_default())
    }

    #[test]
    fn sealing_gives_the_documented_token() -> Result<(), VaultError> {
        let id = KekId::parse("k1").ok_or(VaultError::BadId { position: 1 })?;
        let kek = Kek::new(id, &Key::new(key()))?;
        let hex: String = kek.security_token.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "da857cf749b41519738f9b1538dade7bb2984f0734a3da3d8a69daf0110da9db");
        assert_eq!(seal(&kek, &CONTENTS.into(), &[3; 12])?, TOKEN);
        Ok(())
    }

    #[test]
    fn the_documented_token_opens() -> Result<(), VaultError> {
        let contents = Vault::single("k1", key())?.open_security_token(TOKEN)?;
        assert_eq!(contents.expose_secret(), CONTENTS);
        Ok(())
    }
}
