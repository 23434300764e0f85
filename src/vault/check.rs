//! A known text under each key, stored with the first use of the key and opened at every start (SR-21).

use uuid::Uuid;

use super::envelope::{self, Fresh};
use super::kek::KekId;
use super::{Place, Sealed, Vault, VaultError};

const KNOWN: &str = "postkey";

const PLACE: Place<'static> =
    Place { column: "kek_check.sealed", owner: Uuid::nil(), record: Uuid::nil(), provider: "" };

impl Vault {
    /// The check text of a key, to be stored when the key is first seen.
    ///
    /// # Errors
    ///
    /// [`VaultError::UnknownKek`] when no such key is loaded.
    pub fn seal_check(&self, kek_id: &str) -> Result<Sealed, VaultError> {
        let unknown = || VaultError::UnknownKek { id: kek_id.to_owned() };
        let kek = KekId::parse(kek_id).and_then(|id| self.find_kek(&id)).ok_or_else(unknown)?;
        envelope::seal(kek, &PLACE, &KNOWN.into(), &Fresh::random()?)
    }

    /// Whether the loaded key of this id is the one that the stored check text was made with.
    ///
    /// # Errors
    ///
    /// [`VaultError::UnknownKek`] when no such key is loaded, [`VaultError::WrongKey`] when it is another key.
    pub fn open_check(&self, kek_id: &str, stored: &str) -> Result<(), VaultError> {
        let wrong = || VaultError::WrongKey { id: kek_id.to_owned() };
        let sealed = Sealed::from_stored(stored.to_owned());
        if sealed.kek_id() != Some(kek_id) {
            return Err(wrong());
        }
        match self.open(&PLACE, &sealed) {
            Ok(_) => Ok(()),
            Err(VaultError::UnknownKek { id }) => Err(VaultError::UnknownKek { id }),
            Err(_) => Err(wrong()),
        }
    }
}
