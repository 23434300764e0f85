//! Reading a client's command: words, quoted strings and literals.

use std::io;

use super::super::loopback::Wire;

/// A parsed command.
pub struct Request {
    pub tag: String,
    /// Everything after the tag; literals stand in it as quoted strings.
    pub line: String,
    /// The words after the tag: quoted strings and literals unpacked, a parenthesised list as one word.
    pub words: Vec<String>,
    /// The last literal, byte for byte, as APPEND needs it.
    pub literal: Option<Vec<u8>>,
}

impl Request {
    /// The word at `index`, upper case; empty when there is none.
    pub fn keyword(&self, index: usize) -> String {
        self.word(index).to_ascii_uppercase()
    }

    /// The word at `index`; empty when there is none.
    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }
}

/// Reads one command with all its literals.
pub async fn read(wire: &mut Wire) -> io::Result<Request> {
    let mut line = text(wire.read_line().await?);
    let mut literal = None;
    while let Some((before, length, waits)) = announced_literal(&line) {
        if waits {
            wire.write(b"+ go on\r\n").await?;
        }
        let bytes = wire.read_exactly(length).await?;
        let quoted = text(bytes.clone()).replace('\\', "\\\\").replace('"', "\\\"");
        line = format!("{before}\"{quoted}\"{}", text(wire.read_line().await?));
        literal = Some(bytes);
    }
    let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
    Ok(Request { tag: tag.to_owned(), line: rest.to_owned(), words: words(rest), literal })
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `x {12}` or `x {12+}` at the end of a line: what stands before it, the length, whether the client waits.
fn announced_literal(line: &str) -> Option<(&str, usize, bool)> {
    let (before, length) = line.strip_suffix('}')?.rsplit_once('{')?;
    let waits = !length.ends_with('+');
    Some((before, length.trim_end_matches('+').parse().ok()?, waits))
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            ' ' => {}
            '"' => words.push(quoted(&mut rest)),
            _ => {
                let mut word = String::from(first);
                let mut depth = i32::from(first == '(');
                while let Some(next) = rest.next_if(|next| depth > 0 || *next != ' ') {
                    depth += i32::from(next == '(') - i32::from(next == ')');
                    word.push(next);
                }
                words.push(word);
            }
        }
    }
    words
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> String {
    let mut word = String::new();
    while let Some(next) = rest.next() {
        match next {
            '"' => break,
            '\\' => word.extend(rest.next()),
            _ => word.push(next),
        }
    }
    word
}
