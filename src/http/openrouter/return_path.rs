//! Where a browser goes after a consent: a path of ours, so that nobody is led elsewhere.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Longest path, in characters.
const LONGEST: usize = 200;
/// A slash, and no second one behind it: two would begin a host.
const FORM: &str = "^/([A-Za-z0-9_.~-][A-Za-z0-9_.~/?&=%#-]*)?$";

/// A path, with what may stand behind it.
pub(super) struct ReturnPath(pub(super) String);

impl<'de> Deserialize<'de> for ReturnPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.len() <= LONGEST && is_path(&text) {
            return Ok(Self(text));
        }
        let problem =
            format!("must be a path of this server, such as \"/settings\", of at most {LONGEST} characters");
        Err(D::Error::custom(problem))
    }
}

fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte);
    let Some(rest) = text.strip_prefix('/') else { return false };
    let begins_well = rest.bytes().next().is_none_or(is_plain);
    begins_well && rest.bytes().all(|byte| is_plain(byte) || b"/?&=%#".contains(&byte))
}

impl PartialSchema for ReturnPath {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(LONGEST));
        text.pattern(Some(FORM)).into()
    }
}

impl ToSchema for ReturnPath {}
