//! Characters that a reader cannot see are taken out before anybody reads (EM-51, EM-52, EM-117).

/// Whether `c` is drawn as nothing or turns the reading direction.
///
/// Joiners (U+200C, U+200D) and variation selectors stay: emoji and several scripts are spelt with them.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
        | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

/// One line: line breaks and tabs become spaces, runs of spaces one, control and invisible characters go; trimmed.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| c.is_whitespace() || !(c.is_control() || is_invisible(*c))) {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Text of several lines: every line break becomes `\n`; control characters except tab and invisible ones go.
pub(super) fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\t' => out.push(c),
            '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\u{00A0}' => out.push(' '),
            _ if c.is_control() || is_invisible(c) => {}
            _ => out.push(c),
        }
    }
    out
}

/// At most `longest` characters, not ending within a character that is spelt with several (EM-51).
///
/// Knows combining marks, joiners, variation selectors and skin tones: an approximation of Unicode's grapheme clusters.
pub(super) fn cut_chars(text: &str, longest: usize) -> String {
    let mut kept: Vec<char> = text.chars().take(longest).collect();
    let mut next = text.chars().nth(longest);
    while next.is_some_and(belongs_to_the_one_before) || (next.is_some() && kept.last() == Some(&'\u{200D}'))
    {
        next = kept.pop();
    }
    kept.into_iter().collect()
}

fn belongs_to_the_one_before(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{20D0}'..='\u{20FF}' | '\u{200C}' | '\u{200D}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}' | '\u{1F3FB}'..='\u{1F3FF}')
}

/// The longest start of `text` with at most `longest` bytes.
pub(super) fn cut_bytes(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

/// The longest end of `text` with at most `longest` bytes.
pub(super) fn cut_start(text: &str, longest: usize) -> &str {
    let first = text.len().saturating_sub(longest);
    let start = (first..=text.len()).find(|start| text.is_char_boundary(*start)).unwrap_or(text.len());
    text.get(start..).unwrap_or("")
}
