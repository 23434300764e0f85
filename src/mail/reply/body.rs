//! The words of the reply as `text/plain`, encoded so that no relay can damage them (EM-56, EM-58, EM-158).

use super::super::clean;

/// Longest encoded line without its line end (RFC 2045 section 6.7).
const LONGEST_LINE: usize = 76;

/// The model's words, cleaned, and the disclosure below them; `None` when there are no words.
pub(super) fn text(words: &str, disclosure: Option<&str>) -> Option<String> {
    let words = clean::lines(words);
    let words = words.trim_matches('\n').trim_end();
    if words.trim().is_empty() {
        return None;
    }
    let disclosure = disclosure.map(clean::line).filter(|line| !line.is_empty());
    Some(match disclosure {
        Some(line) => format!("{words}\n\n{line}\n"),
        None => format!("{words}\n"),
    })
}

/// Quoted-printable with CRLF; a leading `.` or `From ` is encoded too, for mail stores that would change it (EM-58).
pub(super) fn quoted_printable(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    for line in text.split_terminator('\n') {
        encode_line(line.as_bytes(), &mut out);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn encode_line(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (at, byte) in line.iter().enumerate() {
        let rest = line.get(at..).unwrap_or_default();
        // One column is kept free for the `=` of a soft line break.
        let starts_anew = column + width(*byte, rest, column == 0) > LONGEST_LINE - 1;
        if starts_anew {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        let width = width(*byte, rest, column == 0);
        if width == 1 {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += width;
    }
}

/// Encoded length of a byte, given what follows it on its line.
fn width(byte: u8, rest: &[u8], is_line_start: bool) -> usize {
    let is_space_at_end = matches!(byte, b' ' | b'\t') && rest.len() == 1;
    let is_damaged_at_start = is_line_start && (byte == b'.' || rest.starts_with(b"From "));
    let is_plain = (byte.is_ascii_graphic() && byte != b'=') || matches!(byte, b' ' | b'\t');
    if is_plain && !is_space_at_end && !is_damaged_at_start { 1 } else { 3 }
}
