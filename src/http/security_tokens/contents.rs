//! What stands inside a security token (SR-49): only this server can read it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::http::error::ApiError;
use crate::http::secret_token;
use crate::vault::{Vault, VaultError};

/// How far the clocks of two servers may be apart, in seconds (SR-50): a new token is not refused by the one that is
/// behind. Its end is its end.
const SKEW: i64 = 30;

/// The names are short, since a token travels with every call; times in seconds since 1970.
#[derive(Deserialize, Serialize)]
pub(in crate::http) struct Contents {
    /// The token's random name: 16 bytes.
    pub(in crate::http) jti: String,
    /// Whose keys it may use.
    pub(in crate::http) tid: Uuid,
    /// Who made it: the same user here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) uid: Option<Uuid>,
    /// When it was made.
    pub(in crate::http) iat: i64,
    /// From when on it is good, if not at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) nbf: Option<i64>,
    /// Until when it is good.
    pub(in crate::http) exp: i64,
    /// What for.
    pub(in crate::http) pur: String,
    /// With which AI configuration; if unset, with the keys inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) cfg: Option<Uuid>,
    /// Provider keys by their providers' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::http) keys: BTreeMap<String, Zeroizing<String>>,
    /// Base URLs for which these keys were given, where a provider has none of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::http) url: BTreeMap<String, String>,
    /// The only models.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::http) mdl: Vec<String>,
    /// The only agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) agt: Option<Uuid>,
    /// The only networks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::http) ip: Vec<String>,
}

impl Contents {
    /// A new random name.
    pub(super) fn new_name() -> Result<String, VaultError> {
        let mut name = [0; 16];
        OsRng.try_fill_bytes(&mut name).map_err(|_| VaultError::NoRandomness)?;
        Ok(URL_SAFE_NO_PAD.encode(name))
    }

    /// The token.
    pub(super) fn seal(&self, vault: &Vault) -> Result<String, ApiError> {
        let json = serde_json::to_string(self).map_err(|_| ApiError::internal())?;
        Ok(vault.seal_security_token(&SecretString::from(json))?)
    }

    /// Of a token of ours, whether it is still good or not; `None` for everything else.
    pub(in crate::http) fn open(vault: &Vault, token: &str) -> Option<Self> {
        let json = vault.open_security_token(token).ok()?;
        let contents: Self = serde_json::from_str(json.expose_secret()).ok()?;
        contents.uid.is_none_or(|user| user == contents.tid).then_some(contents)
    }

    /// What is stored of its name.
    pub(in crate::http) fn jti_hash(&self) -> String {
        secret_token::hash(&self.jti)
    }

    /// Whether it is good at this time.
    pub(super) fn is_good_at(&self, now: Timestamp) -> bool {
        let now = seconds(now);
        let begin = self.nbf.unwrap_or(self.iat).max(self.iat);
        begin.saturating_sub(SKEW) <= now && now < self.exp
    }
}

/// Since 1970.
pub(super) fn seconds(time: Timestamp) -> i64 {
    time.millis().div_euclid(1000)
}
