//! Where a secret belongs, as authenticated data.

use uuid::Uuid;

use super::VaultError;
use super::kek::KekId;

/// The one place where a sealed text opens.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// `table.column`.
    pub column: &'static str,
    /// The user who owns the secret.
    pub owner: Uuid,
    /// The row that holds it.
    pub record: Uuid,
    /// The provider the secret is for; empty where there is none.
    pub provider: &'a str,
}

/// What is encrypted: the key, or the secret.
#[derive(Clone, Copy)]
pub(super) enum Layer {
    Wrap,
    Data,
}

impl Layer {
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Wrap => b"postkey/wrap/v1",
            Self::Data => b"postkey/data/v1",
        }
    }
}

impl Place<'_> {
    /// No two places read the same (SR-18).
    pub(super) fn authenticated_data(&self, layer: Layer, kek: &KekId) -> Result<Vec<u8>, VaultError> {
        let parts = [
            layer.domain(),
            kek.as_str().as_bytes(),
            self.column.as_bytes(),
            self.owner.as_bytes(),
            self.record.as_bytes(),
            self.provider.as_bytes(),
        ];
        length_prefixed(&parts)
    }
}

/// Each part with its length before it, as a u16 with its high byte first.
pub(super) fn length_prefixed(parts: &[&[u8]]) -> Result<Vec<u8>, VaultError> {
    let mut data = Vec::with_capacity(parts.iter().map(|part| part.len() + 2).sum());
    for part in parts {
        let length = u16::try_from(part.len()).map_err(|_| VaultError::PlaceTooLong)?;
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(part);
    }
    Ok(data)
}
