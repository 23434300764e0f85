//! The words of the reply: as plain text and as HTML that says the same (EM-56), encoded so that no relay can damage
//! them (EM-58, EM-158).

use pulldown_cmark::{Event, Tag, TagEnd, html};

use super::super::clean;
use super::super::language::Language;
use super::super::quotes::signature;
use super::links::Links;
use super::{markdown, plain};

/// Longest encoded line without its line end (RFC 2045 section 6.7).
const LONGEST_LINE: usize = 76;
/// The line above a signature (RFC 3676 section 4.3).
const SIGNATURE_MARK: &str = "-- ";

/// The two ways in which a reply says the same, with `\n` line ends.
pub(super) struct Body {
    pub(super) plain: String,
    pub(super) html: String,
}

/// What stands below the words.
pub(super) struct Below<'a> {
    /// Who answers.
    pub(super) disclosure: Option<&'a str>,
    /// The owner's lines, set off so that mail programs know them as a signature (RFC 3676 section 4.3).
    pub(super) signature: Option<&'a str>,
}

/// The model's words and what stands below them; `None` when there are no words.
pub(super) fn write(words: &str, below: &Below<'_>, links: &Links, language: Language) -> Option<Body> {
    let words = clean::lines(words);
    let removed = language.own_words().link_removed;
    let shaped = markdown::events(&words, links, removed);
    let text = plain::write(&shaped);
    // Words of several shapes can add up to a link that none of them was.
    let is_safe = links.are_all_allowed(&text);
    let events = if is_safe { shaped } else { markdown::unshaped(&text, links, removed) };
    let text = without_marks(&if is_safe { text } else { plain::write(&events) });
    if text.trim().is_empty() {
        return None;
    }
    let signature = below.signature.map(clean::lines);
    let signature = signature.as_deref().map(str::trim).filter(|lines| !lines.is_empty());
    let below = Below { signature, ..*below };
    let disclosure = below.disclosure.map(|line| format!("\n{line}\n")).unwrap_or_default();
    let signature = signature.map(|lines| format!("\n{SIGNATURE_MARK}\n{lines}\n")).unwrap_or_default();
    Some(Body { plain: format!("{text}\n{disclosure}{signature}"), html: page(&events, &below, language) })
}

/// The words without lines that programs take for the mark of a signature: the disclosure stands below them.
fn without_marks(text: &str) -> String {
    let lines = text.split('\n').map(|line| if signature::is_mark(line) { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// The writer escapes all text, and nothing but text comes to it besides shapes and links that may stand.
fn page(events: &[Event<'_>], below: &Below<'_>, language: Language) -> String {
    let mut body = String::new();
    html::push_html(&mut body, events.iter().cloned());
    if let Some(line) = below.disclosure {
        html::push_html(
            &mut body,
            [Event::Rule].into_iter().chain(paragraph(vec![Event::Text(line.into())])),
        );
    }
    if let Some(lines) = below.signature {
        let lines = std::iter::once(SIGNATURE_MARK).chain(lines.lines());
        let lines = lines.flat_map(|line| [Event::HardBreak, Event::Text(line.into())]).skip(1);
        html::push_html(&mut body, paragraph(lines.collect()));
    }
    let tag = language.tag();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head><meta charset=\"utf-8\"></head>\n\
         <body dir=\"auto\">\n{body}</body>\n</html>\n"
    )
}

fn paragraph(inside: Vec<Event<'_>>) -> impl Iterator<Item = Event<'_>> {
    let ends = (Event::Start(Tag::Paragraph), Event::End(TagEnd::Paragraph));
    std::iter::once(ends.0).chain(inside).chain([ends.1])
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
        let mut length = width(*byte, rest, column == 0);
        // One column is kept free for the `=` of a soft line break.
        if column + length > LONGEST_LINE - 1 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
            length = width(*byte, rest, true);
        }
        if length == 1 {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += length;
    }
}

/// Encoded length of a byte, given what follows it on its line.
fn width(byte: u8, rest: &[u8], is_line_start: bool) -> usize {
    let is_space_at_end = matches!(byte, b' ' | b'\t') && rest.len() == 1;
    let is_damaged_at_start = is_line_start && (byte == b'.' || rest.starts_with(b"From "));
    let is_plain = (byte.is_ascii_graphic() && byte != b'=') || matches!(byte, b' ' | b'\t');
    if is_plain && !is_space_at_end && !is_damaged_at_start { 1 } else { 3 }
}
