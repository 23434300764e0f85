//! Server-sent events (HTML Living Standard, section 9.2.6), of which only the data matters. Every byte is looked at
//! once, however it is cut, and no event grows beyond its limit; the libraries for it promise neither.

use std::collections::VecDeque;

/// What comes before the first event of some servers (a byte order mark in UTF-8).
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts bytes into the data of events.
pub(super) struct Events {
    longest: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_first_line: bool,
    after_return: bool,
    ready: VecDeque<Vec<u8>>,
}

/// An event is longer than its limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Events {
    /// With a limit for the bytes of one event.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            is_first_line: true,
            after_return: false,
            ready: VecDeque::new(),
        }
    }

    /// The data of the next complete event.
    pub(super) fn pop(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    /// Takes in what came next.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        // A line ends with CR, LF, or both.
        if self.after_return && !bytes.is_empty() {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            self.after_return = false;
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, rest) = bytes.split_at(end);
            self.grow(line)?;
            self.end_line();
            bytes = rest.get(1..).unwrap_or_default();
            if rest.first() == Some(&b'\r') {
                self.after_return = bytes.is_empty();
                bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            }
        }
        self.grow(bytes)
    }

    /// Nothing more comes; some servers leave out the empty line after the last event.
    pub(super) fn end(&mut self) {
        self.end_line();
        self.end_event();
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + self.data.len() + bytes.len() > self.longest {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if std::mem::take(&mut self.is_first_line) {
            line = line.strip_prefix(MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_event();
        }
        let Some(value) = line.strip_prefix(b"data") else { return };
        match value.strip_prefix(b":") {
            Some(value) => self.add(value.strip_prefix(b" ").unwrap_or(value)),
            None if value.is_empty() => self.add(b""),
            None => {}
        }
    }

    fn add(&mut self, value: &[u8]) {
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
    }

    fn end_event(&mut self) {
        if std::mem::take(&mut self.has_data) {
            self.ready.push_back(std::mem::take(&mut self.data));
        }
    }
}
