//! What an owner decides about a key, parsed at the border.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, OneOfBuilder, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Timestamp;
use crate::http::access::Scope;
use crate::http::error::ApiError;
use crate::store::WordList;

/// Longest description, in characters (SR-42).
const LONGEST_DESCRIPTION: usize = 500;
/// The word for a key without an end; it has to be said.
const NEVER: &str = "never";

/// Until when a key is good: a time, or the word `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expiry(pub(super) Option<Timestamp>);

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text == NEVER {
            return Ok(Self(None));
        }
        let time = chrono::DateTime::parse_from_rfc3339(&text)
            .map_err(|_| D::Error::custom("must be a time, such as 2027-01-31T00:00:00Z, or `never`"))?;
        Ok(Self(Some(Timestamp::from_millis(time.timestamp_millis()))))
    }
}

impl PartialSchema for Expiry {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let time = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        OneOfBuilder::new().item(text().enum_values(Some([NEVER]))).item(time).into()
    }
}

impl ToSchema for Expiry {}

/// A description of several lines.
pub(super) fn check_description(text: String) -> Result<String, ApiError> {
    let is_shown = |character: char| !character.is_control() || character == '\n';
    if text.chars().count() > LONGEST_DESCRIPTION || !text.chars().all(is_shown) {
        let problem = format!("must be a text of at most {LONGEST_DESCRIPTION} characters");
        return Err(ApiError::field("description", &problem));
    }
    Ok(text)
}

/// Each scope once, in the order in which they are listed for people.
pub(super) fn check_scopes(scopes: &[Scope]) -> Result<WordList, ApiError> {
    if scopes.is_empty() {
        return Err(ApiError::field("scopes", "must name at least one right"));
    }
    let named = Scope::ALL.into_iter().filter(|scope| scopes.contains(scope));
    Ok(WordList(named.map(|scope| scope.as_str().to_owned()).collect()))
}

/// An end that is still to come.
pub(super) fn check_expiry(Expiry(end): Expiry, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    if end.is_some_and(|end| end <= now) {
        return Err(ApiError::field("expiresAt", "must be a time that is still to come, or `never`"));
    }
    Ok(end)
}
