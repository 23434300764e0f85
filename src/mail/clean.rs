//! Characters that a reader cannot see are taken out before anybody reads (EM-51, EM-52, EM-117).

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Whether `c` is drawn as nothing or turns the reading direction.
///
/// Joiners (U+200C, U+200D) and variation selectors are not among them: emoji and several scripts are spelt with
/// them, so they depend on their neighbours.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}' | '\u{200B}'
        | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
        | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

/// Whether `c` joins or parts its neighbours without being drawn.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Whether `c` chooses one of several forms of the character before it.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{180B}'..='\u{180D}')
}

/// Whether a joiner or a selector means something behind `before`: in emoji, and in scripts that join their letters.
fn may_follow(c: char, before: Option<char>) -> bool {
    let Some(before) = before else { return false };
    let is_symbol = before > '\u{2000}' && !is_joiner(before) && !before.is_whitespace();
    let is_joining_script = matches!(before, '\u{0590}'..='\u{109F}' | '\u{1780}'..='\u{18AF}');
    match is_selector(c) {
        // Digits and signs become keys: `1`, U+FE0F, U+20E3.
        true => {
            !is_selector(before)
                && (is_symbol
                    || is_joining_script
                    || before.is_ascii_punctuation()
                    || before.is_ascii_digit())
        }
        false => is_symbol || is_joining_script || is_selector(before),
    }
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

/// Text without what a reader cannot see.
pub(super) struct Cleaned {
    pub(super) text: String,
    /// How many characters were taken out, line ends and control characters apart (EM-117).
    pub(super) invisible_chars: usize,
}

/// [`counted_lines`] without the count.
pub(super) fn lines(text: &str) -> String {
    counted_lines(text).text
}

/// Text of several lines in composed form (NFC): every line break becomes `\n`; control characters except tab and
/// invisible ones go.
pub(super) fn counted_lines(text: &str) -> Cleaned {
    let mut out = String::with_capacity(text.len());
    let mut invisible_chars = 0;
    let mut before = None;
    let mut rest = text;
    loop {
        // Plain letters are most of any mail and need no look at each.
        let plain = rest.bytes().take_while(|byte| matches!(byte, b' '..=b'~')).count();
        let (run, after) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        out.push_str(run);
        before = run.chars().next_back().or(before);
        let mut chars = after.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        match shown_as(c, before) {
            Some(shown) => out.push(shown),
            None if c.is_control() => continue,
            None => {
                invisible_chars += 1;
                continue;
            }
        }
        if c == '\r' {
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
        before = Some(c);
    }
    let is_composed = is_nfc_quick(out.chars()) == IsNormalized::Yes;
    let text = if is_composed { out } else { out.nfc().collect() };
    Cleaned { text, invisible_chars }
}

/// The character that is shown for `c` behind `before`; `None` when nothing is.
fn shown_as(c: char, before: Option<char>) -> Option<char> {
    match c {
        '\r' | '\n' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\t' => Some(c),
        '\u{00A0}' | '\u{202F}' => Some(' '),
        _ if c.is_control() || is_invisible(c) => None,
        _ if is_joiner(c) || is_selector(c) => may_follow(c, before).then_some(c),
        _ => Some(c),
    }
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
