//! A mail as `DATA` may carry it.

use std::borrow::Cow;

/// The mail with CRLF line ends only: a lone LF or CR could hide a second mail (EM-158).
pub(super) fn with_crlf_only(mail: &[u8]) -> Cow<'_, [u8]> {
    if is_clean(mail) {
        return Cow::Borrowed(mail);
    }
    let mut clean = Vec::with_capacity(mail.len() + mail.len() / 32);
    let mut bytes = mail.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                clean.extend_from_slice(b"\r\n");
            }
            b'\n' => clean.extend_from_slice(b"\r\n"),
            _ => clean.push(byte),
        }
    }
    Cow::Owned(clean)
}

fn is_clean(mail: &[u8]) -> bool {
    let mut previous = 0;
    for byte in mail {
        if (*byte == b'\n') != (previous == b'\r') {
            return false;
        }
        previous = *byte;
    }
    previous != b'\r'
}

#[cfg(test)]
mod tests {
    use super::with_crlf_only;

    #[test]
    fn lone_line_ends_are_completed() {
        assert_eq!(&*with_crlf_only(b"a\nb\rc\r\nd\r\r\n\n"), b"a\r\nb\r\nc\r\nd\r\n\r\n\r\n");
        assert_eq!(&*with_crlf_only(b"\n.\r"), b"\r\n.\r\n");
    }

    #[test]
    fn a_clean_mail_is_not_touched() {
        for clean in [&b""[..], b"a", b"a\r\n", b"\r\n\r\na\r\n.\r\n"] {
            assert!(matches!(with_crlf_only(clean), std::borrow::Cow::Borrowed(same) if same == clean));
        }
    }
}
