//! The two layers of encryption (SR-16).

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::kek::{Kek, Key};
use super::place::Layer;
use super::sealed::Parts;
use super::{Place, Sealed, VaultError};

/// Used once per key.
pub(super) type Nonce = [u8; 12];

/// What must be new for every seal.
pub(super) struct Fresh {
    pub dek: Key,
    pub wrap_nonce: Nonce,
    pub data_nonce: Nonce,
}

impl Fresh {
    /// From the system's source, not from a generator that a fork could repeat.
    pub fn random() -> Result<Self, VaultError> {
        let mut fresh = Self { dek: Key::default(), wrap_nonce: [0; 12], data_nonce: [0; 12] };
        for bytes in [fresh.dek.as_mut_slice(), &mut fresh.wrap_nonce, &mut fresh.data_nonce] {
            OsRng.try_fill_bytes(bytes).map_err(|_| VaultError::NoRandomness)?;
        }
        Ok(fresh)
    }
}

pub(super) fn seal(
    kek: &Kek,
    place: &Place<'_>,
    secret: &SecretString,
    fresh: &Fresh,
) -> Result<Sealed, VaultError> {
    let wrap_data = place.authenticated_data(Layer::Wrap, &kek.id)?;
    let data_data = place.authenticated_data(Layer::Data, &kek.id)?;
    let wrapped = encrypt(&kek.wrap, &fresh.wrap_nonce, fresh.dek.as_slice(), &wrap_data)?;
    let data = encrypt(&fresh.dek, &fresh.data_nonce, secret.expose_secret().as_bytes(), &data_data)?;
    Ok(Sealed::write(&Parts { kek_id: kek.id.clone(), wrapped, data }))
}

pub(super) fn open(kek: &Kek, place: &Place<'_>, parts: &Parts) -> Result<SecretString, VaultError> {
    let wrap_data = place.authenticated_data(Layer::Wrap, &kek.id)?;
    let data_data = place.authenticated_data(Layer::Data, &kek.id)?;
    let dek = decrypt(&kek.wrap, &parts.wrapped, &wrap_data)?;
    let dek = Key::new(dek.as_slice().try_into().map_err(|_| VaultError::CannotOpen)?);
    let plain = decrypt(&dek, &parts.data, &data_data)?;
    std::str::from_utf8(&plain).map(SecretString::from).map_err(|_| VaultError::CannotOpen)
}

/// The nonce, the ciphertext and the tag.
pub(super) fn encrypt(key: &Key, nonce: &Nonce, plain: &[u8], place: &[u8]) -> Result<Vec<u8>, VaultError> {
    let encrypted = Aes256Gcm::new((&**key).into())
        .encrypt(nonce.into(), Payload { msg: plain, aad: place })
        .map_err(|_| VaultError::Refused)?;
    Ok([nonce.as_slice(), &encrypted].concat())
}

/// The plain bytes, if they were encrypted for this place and nothing was changed.
pub(super) fn decrypt(key: &Key, sealed: &[u8], place: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, encrypted) = sealed.split_first_chunk::<12>().ok_or(VaultError::Malformed)?;
    Aes256Gcm::new((&**key).into())
        .decrypt(nonce.into(), Payload { msg: encrypted, aad: place })
        .map(Zeroizing::new)
        .map_err(|_| VaultError::CannotOpen)
}

#[cfg(test)]
mod tests {
    use uuid::uuid;

    use super::super::kek::KekId;
    use super::*;

    #[test]
    fn sealing_gives_the_documented_text() -> Result<(), VaultError> {
        let count_from =
            |first: u8| Key::new(std::array::from_fn(|index| first + u8::try_from(index).unwrap_or(0)));
        let kek = Kek::new(KekId::parse("k1").ok_or(VaultError::BadId { position: 1 })?, &count_from(0))?;
        let place = Place {
            column: "ai_configurations.api_key",
            owner: uuid!("01890a5d-ac96-774b-bcce-b302099a8057"),
            record: uuid!("01890a5d-ac96-774b-bcce-b302099a8058"),
            provider: "openai",
        };
        let fresh = Fresh { dek: count_from(0x20), wrap_nonce: [1; 12], data_nonce: [2; 12] };
        let sealed = seal(&kek, &place, &"sk-alice-personal-key".into(), &fresh)?;
        assert_eq!(
            sealed.as_stored(),
            "v1.k1.AQEBAQEBAQEBAQEBC7WzyhUu82By2vbiMgoa1C0A05a4VBnte5diZPbvobhscZyhaomGSyAhtWHEqTIk\
             .AgICAgICAgICAgICHmUY2kBliPvJP8d5Cagj5Yd5EMjaEbUTHbQ95d2Vaf7ZNIDC4w"
        );
        Ok(())
    }
}
