//! The stored form: `v1.<kek id>.<nonce, wrapped key, tag>.<nonce, secret, tag>` (SR-19).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::VaultError;
use super::kek::KekId;

const VERSION: &str = "v1";

/// A nonce, a key and a tag of AES-256-GCM.
const WRAPPED_LENGTH: usize = 12 + 32 + 16;

/// A nonce and a tag around an empty secret.
const SHORTEST_DATA: usize = 12 + 16;

/// An encrypted secret as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

/// A sealed text taken apart.
pub(super) struct Parts {
    pub kek_id: KekId,
    pub wrapped: Vec<u8>,
    pub data: Vec<u8>,
}

impl Sealed {
    /// Takes what the database holds; whether it opens is seen when it is opened.
    pub fn from_stored(stored: String) -> Self {
        Self(stored)
    }

    /// What to store.
    pub fn as_stored(&self) -> &str {
        &self.0
    }

    /// The id of the key it is sealed under; `None` if it is not a sealed text.
    pub fn kek_id(&self) -> Option<&str> {
        let mut fields = self.0.split('.');
        fields.next().filter(|version| *version == VERSION)?;
        fields.next().filter(|id| KekId::parse(id).is_some())
    }

    /// What every text begins with that is sealed under this key.
    pub fn beginning(kek_id: &str) -> String {
        format!("{VERSION}.{kek_id}.")
    }

    pub(super) fn write(parts: &Parts) -> Self {
        let [wrapped, data] = [&parts.wrapped, &parts.data].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        Self(format!("{}{wrapped}.{data}", Self::beginning(parts.kek_id.as_str())))
    }

    pub(super) fn parts(&self) -> Result<Parts, VaultError> {
        let mut fields = self.0.split('.');
        let mut next = || fields.next().ok_or(VaultError::Malformed);
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| VaultError::Malformed);
        let version = next()?;
        let kek_id = KekId::parse(next()?).ok_or(VaultError::Malformed)?;
        let (wrapped, data) = (decode(next()?)?, decode(next()?)?);
        let whole = version == VERSION && fields.next().is_none();
        if !whole || wrapped.len() != WRAPPED_LENGTH || data.len() < SHORTEST_DATA {
            return Err(VaultError::Malformed);
        }
        Ok(Parts { kek_id, wrapped, data })
    }
}

/// Names the key, shows no content.
impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.kek_id().unwrap_or("malformed"))
    }
}

impl From<String> for Sealed {
    fn from(stored: String) -> Self {
        Self::from_stored(stored)
    }
}
