//! What a signed-in user calls with: a JSON Web Token (RFC 7519), signed with HMAC-SHA256 under a key derived from the
//! vault's (SR-32).
//!
//! One algorithm, ours: what a token says about its algorithm is compared and never followed. A token alone opens
//! nothing; its session is looked up at every call.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::store::{SessionId, UserId};
use crate::vault::Vault;

/// Longer ones are not looked at, in bytes.
const LONGEST: usize = 2048;
const ISSUER: &str = "postkey";
const AUDIENCE: &str = "postkey-api";
const ALGORITHM: &str = "HS256";

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AccessToken {
    pub(super) user: UserId,
    pub(super) session: SessionId,
}

/// RFC 7515 section 4.1.
#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// RFC 7519 section 4.1; times in seconds.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

impl AccessToken {
    /// The text of a token that is good until `expires_at`; `None` where it cannot be written as JSON.
    pub(super) fn sign(self, vault: &Vault, now: Timestamp, expires_at: Timestamp) -> Option<String> {
        let header =
            Header { alg: ALGORITHM.to_owned(), typ: "JWT".to_owned(), kid: vault.active_id().to_owned() };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: self.user.uuid(),
            sid: self.session.uuid(),
            iat: seconds(now),
            exp: seconds(expires_at),
            jti: Uuid::from_bytes(rand::random()),
        };
        let signed = format!("{}.{}", encode(&header)?, encode(&claims)?);
        let signature = URL_SAFE_NO_PAD.encode(vault.sign_access_token(signed.as_bytes()));
        Some(format!("{signed}.{signature}"))
    }

    /// Reads a token of ours that is still good; `None` for everything else.
    pub(super) fn verify(text: &str, vault: &Vault, now: Timestamp) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = decode(header)?;
        if header.alg != ALGORITHM || header.typ != "JWT" {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !vault.is_access_token_signature(&header.kid, signed.as_bytes(), &signature) {
            return None;
        }
        let claims: Claims = decode(claims)?;
        let is_ours = claims.iss == ISSUER && claims.aud == AUDIENCE && claims.exp > seconds(now);
        is_ours
            .then(|| Self { user: UserId::from_uuid(claims.sub), session: SessionId::from_uuid(claims.sid) })
    }
}

fn seconds(time: Timestamp) -> i64 {
    time.millis().div_euclid(1000)
}

fn encode(part: &impl Serialize) -> Option<String> {
    serde_json::to_vec(part).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
