//! The word in brackets that says why (RFC 3501 section 7.1, RFC 5530).

use std::fmt;

use async_imap::imap_proto::{Outcome, ResponseCode};

/// Longest code kept; longer ones are no code that anybody defined.
const LONGEST: usize = 32;

/// A response code's name in upper case, such as `AUTHENTICATIONFAILED`; nothing else of what the server wrote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Code(String);

impl Code {
    /// The name in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code of an answer, if it has one.
    pub(super) fn of(outcome: &Outcome<'_>) -> Option<Self> {
        match &outcome.code {
            Some(code) => known_name(code).map(|name| Self(name.to_owned())),
            // The parser leaves codes that it does not know at the beginning of the text.
            None => Self::leading(outcome.information.as_deref().unwrap_or_default()),
        }
    }

    fn leading(text: &str) -> Option<Self> {
        let (inside, _) = text.trim_start().strip_prefix('[')?.split_once(']')?;
        let name = inside.split(' ').next().unwrap_or_default();
        let is_name = !name.is_empty()
            && name.len() <= LONGEST
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_name.then(|| Self(name.to_ascii_uppercase()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names of the codes that the parser takes apart and that can come with a refusal.
fn known_name(code: &ResponseCode<'_>) -> Option<&'static str> {
    match code {
        ResponseCode::Alert => Some("ALERT"),
        ResponseCode::BadCharset(_) => Some("BADCHARSET"),
        ResponseCode::Parse => Some("PARSE"),
        ResponseCode::ReadOnly => Some("READ-ONLY"),
        ResponseCode::TryCreate => Some("TRYCREATE"),
        _ => None,
    }
}
