//! The mark in our replies by which a copy that comes back is known (EM-17).

use super::message_id::{is_equal_in_constant_time, sixteen_bytes};

/// The header field that carries the mark.
pub const FIELD: &str = "X-Agent-Loop";

/// `installation;hop=n;tag`: whose reply this is and how many answers stand behind it.
///
/// Characters that would end the value or its parts are left out of `installation`.
pub fn loop_mark(installation: &str, hop: u32, message_tag: &dyn Fn(&[u8]) -> [u8; 16]) -> String {
    let installation = plain(installation);
    let tag = u128::from_be_bytes(message_tag(&tagged_text(&installation, hop)));
    format!("{installation};hop={hop};{tag:032x}")
}

/// Whether `value` is a mark that this installation wrote; a wrong tag is no mark, and no error (EM-17).
pub fn is_own_loop_mark(value: &str, installation: &str, message_tag: &dyn Fn(&[u8]) -> [u8; 16]) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name == plain(installation));
    let hop = parts.next().and_then(|part| part.strip_prefix("hop=")).and_then(|hop| hop.parse().ok());
    let tag = parts.next().and_then(sixteen_bytes);
    match (named, hop, tag) {
        (true, Some(hop), Some(tag)) => {
            is_equal_in_constant_time(message_tag(&tagged_text(&plain(installation), hop)), tag)
        }
        _ => false,
    }
}

/// The prefix keeps these tags apart from those of Message-IDs, which are over 16 bytes.
fn tagged_text(installation: &str, hop: u32) -> Vec<u8> {
    format!("postkey/loop-mark/v1;{installation};{hop}").into_bytes()
}

fn plain(installation: &str) -> String {
    installation.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(64).collect()
}
