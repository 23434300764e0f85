//! Texts that come in, each a type that can only be made by parsing.

use std::borrow::Cow;

use secrecy::SecretString;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};
use zeroize::Zeroizing;

use crate::mail::Address;
use crate::net::is_one_line;
use crate::vault::{LONGEST_PASSWORD, SHORTEST_PASSWORD, is_guessed_first, is_password_length};

/// Longest line, in characters.
const LONGEST_LINE: usize = 200;
/// Longest address, in characters (RFC 5321 section 4.5.3.1.3).
const LONGEST_EMAIL: usize = 254;
/// Longest secret, in characters.
const LONGEST_SECRET: usize = 512;
/// Longest password or token for a mail server, in characters: some refresh tokens have thousands.
const LONGEST_CREDENTIAL: usize = 8192;
/// No control characters.
const ONE_LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// No control characters but line ends and tabs.
const SEVERAL_LINES: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";

/// One line that is not empty, without white space around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line(pub(super) String);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_LINE || text.chars().any(char::is_control) {
            let problem = format!("must be one line of 1 to {LONGEST_LINE} characters");
            return Err(D::Error::custom(problem));
        }
        Ok(Self(text.to_owned()))
    }
}

impl PartialSchema for Line {
    fn schema() -> RefOr<Schema> {
        text(1, LONGEST_LINE).pattern(Some(ONE_LINE)).into()
    }
}

impl ToSchema for Line {}

/// A text of several lines that is not blank.
pub(super) struct Text<const LONGEST: usize>(pub(super) String);

impl<'de, const LONGEST: usize> Deserialize<'de> for Text<LONGEST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.trim().is_empty() || text.chars().count() > LONGEST || text.chars().any(is_control) {
            let problem =
                format!("must be a text of 1 to {LONGEST} characters, none of them a control character");
            return Err(D::Error::custom(problem));
        }
        Ok(Self(text))
    }
}

impl<const LONGEST: usize> PartialSchema for Text<LONGEST> {
    fn schema() -> RefOr<Schema> {
        text(1, LONGEST).pattern(Some(SEVERAL_LINES)).into()
    }
}

impl<const LONGEST: usize> ToSchema for Text<LONGEST> {
    fn name() -> Cow<'static, str> {
        format!("Text{LONGEST}").into()
    }
}

/// A mail address, lower case.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Email(pub(super) String);

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let address = Address::parse(&text).filter(|_| text.chars().count() <= LONGEST_EMAIL);
        let address =
            address.ok_or_else(|| D::Error::custom("must be a mail address, such as \"ann@example.com\""))?;
        Ok(Self(address.as_str().to_lowercase()))
    }
}

impl PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Email);
        text(3, LONGEST_EMAIL).format(Some(format)).into()
    }
}

impl ToSchema for Email {}

/// A key, a token or a password to be compared. Neither shown nor copied.
pub(super) struct Secret(pub(super) SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() || text.chars().count() > LONGEST_SECRET {
            let problem = format!("must be a text of 1 to {LONGEST_SECRET} characters");
            return Err(D::Error::custom(problem));
        }
        Ok(Self(SecretString::from(text)))
    }
}

impl PartialSchema for Secret {
    fn schema() -> RefOr<Schema> {
        text(1, LONGEST_SECRET).into()
    }
}

impl ToSchema for Secret {}

/// A password or token for a mail server. Neither shown nor copied.
pub(super) struct Credential(pub(super) SecretString);

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        if text.is_empty() || text.chars().count() > LONGEST_CREDENTIAL || !is_one_line(&text) {
            let problem = format!("must be one line of 1 to {LONGEST_CREDENTIAL} characters");
            return Err(D::Error::custom(problem));
        }
        Ok(Self(SecretString::from(text.as_str())))
    }
}

impl PartialSchema for Credential {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Password);
        text(1, LONGEST_CREDENTIAL).pattern(Some(r"^[^\u0000\n\r]*$")).format(Some(format)).into()
    }
}

impl ToSchema for Credential {}

/// A password to be set (SR-31).
pub(super) struct NewPassword(pub(super) SecretString);

impl<'de> Deserialize<'de> for NewPassword {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let password = SecretString::from(String::deserialize(from)?);
        if !is_password_length(&password) {
            let problem = format!("must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters");
            return Err(D::Error::custom(problem));
        }
        if is_guessed_first(&password) {
            return Err(D::Error::custom("is one of those that are guessed first; choose another one"));
        }
        Ok(Self(password))
    }
}

impl PartialSchema for NewPassword {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Password);
        text(SHORTEST_PASSWORD, LONGEST_PASSWORD).format(Some(format)).into()
    }
}

impl ToSchema for NewPassword {}

fn text(shortest: usize, longest: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(shortest)).max_length(Some(longest))
}
