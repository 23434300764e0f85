//! Replies on their way in: bounded, one at a time, and in the one form that the parser knows.

use std::collections::VecDeque;

use super::error::Enhanced;

/// Longest line taken from a server, in bytes (RFC 5321 section 4.5.3.1.5 asks for 512).
const LONGEST_LINE: usize = 8 * 1024;
/// What is kept of a line.
const KEPT_LINE: usize = 500;
/// Most lines of a reply; the parser begins anew with every line, so more of them would cost much time.
const MOST_LINES: usize = 200;

/// More than a reply may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reply that is too long")]
pub(super) struct TooLong;

/// Takes bytes and gives lines of one reply; what comes after its end is surplus.
///
/// Every line ends with CRLF, has a space or a hyphen after its code and is ASCII: some servers leave the space
/// away or write their own language.
#[derive(Debug, Default)]
pub(super) struct Replies {
    line: Vec<u8>,
    ready: VecDeque<u8>,
    lines: usize,
    code: Option<u16>,
    enhanced: Option<Enhanced>,
    is_complete: bool,
    has_surplus: bool,
    size_limit: Option<u64>,
}

impl Replies {
    /// A reply that is there already.
    pub(super) fn with_greeting() -> Self {
        Self { ready: b"220 ready\r\n".iter().copied().collect(), is_complete: true, ..Self::default() }
    }

    /// Begins to wait for the next reply; false if the server has spoken without being asked.
    pub(super) fn expect_next(&mut self) -> bool {
        let is_clean = !self.has_surplus && self.line.is_empty() && self.ready.is_empty();
        (self.is_complete, self.lines, self.code, self.enhanced) = (false, 0, None, None);
        is_clean
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether the server said more than one reply.
    pub(super) fn has_surplus(&self) -> bool {
        self.has_surplus
    }

    /// The code of the reply, once it is complete.
    pub(super) fn code(&self) -> Option<u16> {
        self.code.filter(|_| self.is_complete)
    }

    /// The enhanced code of the reply's last line, once it is complete.
    pub(super) fn enhanced(&self) -> Option<Enhanced> {
        self.enhanced.filter(|_| self.is_complete)
    }

    /// The largest mail that the server takes, in bytes, if it said so (RFC 1870).
    pub(super) fn size_limit(&self) -> Option<u64> {
        self.size_limit
    }

    /// Takes what the server sent.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        for byte in bytes {
            if self.is_complete {
                self.has_surplus = true;
                return Ok(());
            }
            match byte {
                b'\n' => self.end_line()?,
                _ if self.line.len() >= LONGEST_LINE => return Err(TooLong),
                b'\r' => {}
                b' '..=b'~' | b'\t' => self.line.push(*byte),
                _ => self.line.push(b'?'),
            }
        }
        Ok(())
    }

    /// Gives out what is ready: at most `room` bytes at once.
    pub(super) fn take(&mut self, room: usize) -> Vec<u8> {
        self.ready.drain(..room.min(self.ready.len())).collect()
    }

    fn end_line(&mut self) -> Result<(), TooLong> {
        let mut line = std::mem::take(&mut self.line);
        line.truncate(KEPT_LINE);
        if line.len() == 3 {
            line.push(b' ');
        }
        let text = std::str::from_utf8(&line).unwrap_or_default();
        let (code, rest) = text.split_at_checked(3).unwrap_or((text, ""));
        let (mark, rest) = rest.split_at_checked(1).unwrap_or((rest, ""));
        self.code = code.parse().ok();
        self.enhanced = Enhanced::leading(rest);
        self.is_complete = mark != "-";
        self.size_limit = size_in(rest).filter(|_| code == "250").or(self.size_limit);
        self.lines += 1;
        if self.lines > MOST_LINES {
            return Err(TooLong);
        }
        self.ready.extend(line);
        self.ready.extend(b"\r\n");
        Ok(())
    }
}

/// The n of `SIZE n` in the reply to `EHLO`; 0 means no limit.
fn size_in(text: &str) -> Option<u64> {
    let (keyword, size) = text.split_once(' ')?;
    keyword.eq_ignore_ascii_case("SIZE").then(|| size.trim().parse().ok()).flatten().filter(|size| *size > 0)
}

#[cfg(test)]
mod tests {
    use super::Replies;

    fn read(bytes: &[u8]) -> (String, Replies) {
        let mut replies = Replies::default();
        assert!(replies.feed(bytes).is_ok());
        let text = replies.take(usize::MAX);
        (String::from_utf8_lossy(&text).into_owned(), replies)
    }

    #[test]
    fn a_bare_code_and_foreign_letters_become_plain() {
        assert_eq!(read(b"250\r\n").0, "250 \r\n");
        assert_eq!(read(b"250 ok \xe9\n").0, "250 ok ?\r\n");
    }

    #[test]
    fn a_second_reply_is_surplus() {
        let (text, mut replies) = read(b"250-a\r\n250 2.1.0 b\r\n250 c\r\n");
        assert_eq!(text, "250-a\r\n250 2.1.0 b\r\n");
        assert!(replies.has_surplus());
        assert_eq!(replies.code(), Some(250));
        assert_eq!(replies.enhanced().map(|code| code.to_string()).as_deref(), Some("2.1.0"));
        assert!(!replies.expect_next());
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut replies = Replies::default();
        assert!(replies.feed(&[b'x'; 10_000]).is_err());
        let mut replies = Replies::default();
        assert!(replies.feed(&b"250-x\r\n".repeat(201)).is_err());
    }

    #[test]
    fn the_size_limit_is_read_from_the_greeting() {
        assert_eq!(read(b"250-mx\r\n250-SIZE 1000\r\n250 HELP\r\n").1.size_limit(), Some(1000));
        assert_eq!(read(b"250-mx\r\n250 SIZE 0\r\n").1.size_limit(), None);
    }
}
