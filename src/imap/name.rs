//! Values inside commands: quoted strings and folder names.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use super::error::ImapError;

/// The base64 of folder names (RFC 3501 section 5.1.3).
const FOLDER_BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// A quoted string (RFC 3501 section 4.3).
///
/// # Errors
/// [`ImapError::Unsendable`] for what has no quoted form: control characters and everything beyond ASCII.
pub(super) fn quote(value: &str) -> Result<String, ImapError> {
    if !is_quotable(value) {
        return Err(ImapError::Unsendable);
    }
    Ok(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Whether [`quote`] can write the value.
pub(super) fn is_quotable(value: &str) -> bool {
    value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A folder's name as a quoted string.
///
/// ASCII names go out byte for byte, since they came from a server in its own form (EM-100); a name that a person
/// typed with other letters is written in modified UTF-7.
///
/// # Errors
/// [`ImapError::Unsendable`] for a name with control characters.
pub(super) fn quote_folder(name: &str) -> Result<String, ImapError> {
    if name.is_ascii() { quote(name) } else { quote(&modified_utf7(name)) }
}

fn modified_utf7(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len() * 2);
    let mut beyond: Vec<u8> = Vec::new();
    for letter in name.chars() {
        if letter.is_ascii() {
            flush_beyond(&mut beyond, &mut encoded);
            encoded.push(letter);
            if letter == '&' {
                encoded.push('-');
            }
        } else {
            beyond.extend(letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush_beyond(&mut beyond, &mut encoded);
    encoded
}

fn flush_beyond(beyond: &mut Vec<u8>, encoded: &mut String) {
    if !beyond.is_empty() {
        encoded.push('&');
        FOLDER_BASE64.encode_string(&*beyond, encoded);
        encoded.push('-');
        beyond.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{quote, quote_folder};

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(quote(r#"a"b\c"#).ok().as_deref(), Some(r#""a\"b\\c""#));
    }

    #[test]
    fn a_line_break_is_never_written() {
        assert!(quote("a\r\nb").is_err());
        assert!(quote_folder("INBOX\nA").is_err());
        assert!(quote_folder("Entwürfe\r\n").is_err());
    }

    #[test]
    fn folders_beyond_ascii_are_modified_utf7() {
        // The examples of RFC 3501 section 5.1.3.
        assert_eq!(
            quote_folder("~peter/mail/台北/日本語").ok().as_deref(),
            Some("\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"")
        );
        assert_eq!(quote_folder("Entw&-ürfe").ok().as_deref(), Some("\"Entw&--&APw-rfe\""));
        assert_eq!(quote_folder("Entw&APw-rfe").ok().as_deref(), Some("\"Entw&APw-rfe\""));
    }
}
