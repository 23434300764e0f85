//! `Content-Type` and `Content-Disposition`: the kind in lower case and its parameters (RFC 2045 section 5, RFC 2231).

use mail_parser::parsers::MessageStream;

use super::{clean, encoded_words, fields};

/// Longest value that is parsed for parameters, in bytes.
const LONGEST_VALUE: usize = 16 * 1024;

/// A value such as `text/plain; charset=utf-8`; an unreadable one is of an empty kind.
pub(super) struct ContentType {
    /// See [`kind()`].
    pub(super) kind: String,
    parameters: Vec<(String, String)>,
}

impl ContentType {
    /// The parameter of that name (lower case), decoded by RFC 2231 and RFC 2047.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The declared charset.
    pub(super) fn charset(&self) -> Option<String> {
        self.parameter("charset").map(str::to_owned)
    }
}

/// Reads one field value; total.
pub(super) fn read(value: &str) -> ContentType {
    ContentType { kind: kind(value), parameters: parameters(value) }
}

/// What stands before the first `;`, in lower case, without comments.
pub(super) fn kind(value: &str) -> String {
    let kind = value.split([';', '(']).next().unwrap_or("").to_ascii_lowercase();
    kind.split_whitespace().collect()
}

fn parameters(value: &str) -> Vec<(String, String)> {
    if !value.contains(';') {
        return Vec::new();
    }
    let line = fields::one_line(clean::cut_bytes(value, LONGEST_VALUE));
    let parsed = MessageStream::new(line.as_bytes()).parse_content_type().into_content_type();
    let attributes = parsed.and_then(|parsed| parsed.attributes).unwrap_or_default();
    let owned = attributes
        .into_iter()
        .map(|attribute| (attribute.name.to_ascii_lowercase(), encoded_words::unmarked(&attribute.value)));
    owned.collect()
}
