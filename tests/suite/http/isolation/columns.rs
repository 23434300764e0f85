//! Who must not.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postkey::clock::Clock;
use postkey::http::Access;
use serde_json::{Value, json};

use super::rows::Row;
use super::scene::{Call, Scene};
use crate::support::api::{Answered, Visitor};
use crate::support::world::test_vault;

/// Somebody who calls and must not get what the owner gets.
///
/// Another kind of credential has its columns here: which routes they apply to, who calls, and what they get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Nobody in particular.
    NoToken,
    /// With what is no token.
    Malformed,
    /// With the owner's token, but for somebody else's name in it.
    Tampered,
    /// With a token of the owner's that was good until a minute ago.
    Expired,
    /// With a token of the owner's who has signed out.
    Revoked,
    /// With a token of an account that was deleted.
    Deleted,
    /// Somebody else, with a good token and the same rights over their own things.
    OtherUser,
    /// Somebody without the role.
    NoAdministrator,
    /// With a platform API key of the owner's that was revoked.
    KeyRevoked,
    /// With one whose time is over.
    KeyExpired,
    /// With one that is good somewhere else.
    KeyElsewhere,
    /// With one that may do everything but this.
    KeyWithoutScope,
    /// With somebody else's that may do everything.
    KeyOfOther,
    /// With a security token of the owner's that was revoked.
    TokenRevoked,
    /// With one whose time is over.
    TokenExpired,
    /// With one that is good somewhere else.
    TokenElsewhere,
    /// With one that was made for something else.
    TokenOtherwise,
    /// With somebody else's.
    TokenOfOther,
}

impl Column {
    pub const ALL: [Self; 18] = [
        Self::NoToken,
        Self::Malformed,
        Self::Tampered,
        Self::Expired,
        Self::Revoked,
        Self::Deleted,
        Self::OtherUser,
        Self::NoAdministrator,
        Self::KeyRevoked,
        Self::KeyExpired,
        Self::KeyElsewhere,
        Self::KeyWithoutScope,
        Self::KeyOfOther,
        Self::TokenRevoked,
        Self::TokenExpired,
        Self::TokenElsewhere,
        Self::TokenOtherwise,
        Self::TokenOfOther,
    ];

    pub fn applies_to(self, row: &Row) -> bool {
        match self {
            Self::NoAdministrator => row.needs == Access::Administrator,
            Self::KeyOfOther => matches!(row.needs, Access::Scope(_) | Access::Purpose(_)),
            _ => row.needs != Access::Public,
        }
    }

    /// Makes the owner's call as this somebody.
    pub async fn check(self, scene: &Scene<'_>, row: &Row, call: &Call) {
        let answer = call.send(row, &self.visitor(scene, row)).await;
        let place = format!("{} {} by {self:?}", row.method, row.path);
        match self {
            Self::OtherUser | Self::KeyOfOther if row.names_a_thing() => {
                check_hidden(scene, row, call, &answer, &place).await;
            }
            Self::OtherUser | Self::KeyOfOther if row.is_about_a_thing() => {
                assert!((400..500).contains(&answer.status) && answer.status != 401, "{place}: {answer:?}");
            }
            Self::OtherUser | Self::KeyOfOther => check_own(scene, call, &answer, &place),
            Self::TokenRevoked
            | Self::TokenExpired
            | Self::TokenElsewhere
            | Self::TokenOtherwise
            | Self::TokenOfOther => {
                assert_eq!(answer.headers["www-authenticate"], "Bearer", "{place}");
                assert_eq!(answer.refused(401), "invalid_security_token", "{place}");
            }
            Self::NoAdministrator | Self::KeyWithoutScope => {
                assert_eq!(answer.refused(403), "forbidden", "{place}");
            }
            _ => {
                assert_eq!(answer.headers["www-authenticate"], "Bearer", "{place}");
                assert_eq!(answer.body, scene.unauthorized, "{place}: every refusal of a token is the same");
                assert_eq!(answer.refused(401), "unauthorized", "{place}");
            }
        }
    }

    fn visitor(self, scene: &Scene<'_>, row: &Row) -> Visitor {
        let (owner, keys) = (&scene.owner.visitor, &scene.credentials);
        let token = match self {
            Self::NoToken => return scene.service.stranger(),
            Self::OtherUser => return scene.other.visitor.clone(),
            Self::NoAdministrator => return scene.plain.visitor.clone(),
            Self::Malformed => "not-a-token".to_owned(),
            Self::Tampered => tampered(&owner.token, &scene.other.visitor.token),
            Self::Expired => expired(&owner.token),
            Self::Revoked => scene.revoked.clone(),
            Self::Deleted => scene.deleted.clone(),
            Self::KeyRevoked => keys.revoked_key.clone(),
            Self::KeyExpired => keys.expired_key.clone(),
            Self::KeyElsewhere => keys.key_elsewhere.clone(),
            Self::KeyWithoutScope => keys.key_without(row.needs),
            Self::KeyOfOther => keys.key_of_other.clone(),
            Self::TokenRevoked => keys.revoked_token.clone(),
            Self::TokenExpired => keys.expired_token.clone(),
            Self::TokenElsewhere => keys.token_elsewhere.clone(),
            Self::TokenOtherwise => keys.token_other_than(row.needs),
            Self::TokenOfOther => keys.token_of_other.clone(),
        };
        scene.service.visitor(&token)
    }
}

/// What is somebody else's is not there: word for word as for an id that is nobody's (SR-54).
async fn check_hidden(scene: &Scene<'_>, row: &Row, call: &Call, answer: &Answered, place: &str) {
    let unknown = call.with_unknown_id().send(row, &scene.owner.visitor).await;
    assert_eq!((answer.status, unknown.status), (404, 404), "{place}: {answer:?} {unknown:?}");
    assert_eq!(answer.body, unknown.body, "{place}");
    let names = |answer: &Answered| answer.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(names(answer), names(&unknown), "{place}");
}

/// A call that names nothing is about the caller's own, whose answer says nothing of the owner.
fn check_own(scene: &Scene<'_>, call: &Call, answer: &Answered, place: &str) {
    assert!(answer.status < 500 && answer.status != 401, "{place}: {answer:?}");
    let marks = [Some(&scene.owner.email), Some(&scene.owner.user), call.thing.as_ref()];
    for mark in marks.into_iter().flatten() {
        assert!(!answer.text.contains(mark), "{place} says {mark}: {}", answer.text);
    }
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The claims of one token under the signature of another.
fn tampered(token: &str, other: &str) -> String {
    let (header, signature) = (token.split('.').next().unwrap(), other.split('.').nth(2).unwrap());
    format!("{header}.{}.{signature}", token.split('.').nth(1).unwrap())
}

/// Signed by us, but too late.
fn expired(token: &str) -> String {
    let mut claims = part(token, 1);
    claims["exp"] = json!(Clock::system().now().millis() / 1000 - 60);
    let signed =
        format!("{}.{}", token.split('.').next().unwrap(), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(test_vault().sign_access_token(signed.as_bytes()));
    format!("{signed}.{signature}")
}
