//! Signatures: what stands below the words and is the same in every mail (EM-122).

use super::boilerplate;
use super::line::{Kind, Line};

/// Most lines below `-- `, the mark that programs agreed on.
const MOST_LINES: usize = 30;

/// Most lines below a mark that people also use within their text.
const MOST_LINES_BELOW_WEAK_MARK: usize = 10;

/// Most words of a line that a telephone puts below a mail.
const MOST_WORDS: usize = 12;

/// Where the signature begins; the number of lines when there is none.
pub(super) fn start(lines: &[Line<'_>]) -> usize {
    let mark = (0..lines.len()).find(|at| lines.get(*at..).is_some_and(is_signature));
    let mut end = mark.unwrap_or(lines.len());
    while let Some(line) = end.checked_sub(1).and_then(|last| lines.get(last)) {
        let above = end.checked_sub(2).and_then(|above| lines.get(above));
        if !(line.kind == Kind::Blank
            || line.is_rule()
            || is_tracking_mark(line)
            || is_sent_from(line, above))
        {
            break;
        }
        end -= 1;
    }
    end
}

/// Whether a signature may begin with this line.
pub(in crate::mail) fn is_mark(line: &str) -> bool {
    is_dashes(line.trim()) || is_underscores(line.trim())
}

/// Whether the first line is a mark and the rest may be what belongs below one.
fn is_signature(lines: &[Line<'_>]) -> bool {
    let Some((mark, below)) = lines.split_first() else { return false };
    let is_within =
        |most: usize| below.iter().filter(|line| line.kind != Kind::Blank).take(most + 1).count() <= most;
    match mark.text {
        "-- " => is_within(MOST_LINES),
        other if is_dashes(other.trim()) => is_within(MOST_LINES_BELOW_WEAK_MARK),
        other if is_underscores(other.trim()) => {
            is_within(MOST_LINES_BELOW_WEAK_MARK) && !asks_something(below)
        }
        _ => false,
    }
}

fn is_dashes(text: &str) -> bool {
    matches!(text, "--" | "—" | "––" | "– –")
}

fn is_underscores(text: &str) -> bool {
    text.len() >= 5 && text.bytes().all(|byte| byte == b'_')
}

/// A person goes on below a drawn line; a signature does not ask.
fn asks_something(lines: &[Line<'_>]) -> bool {
    lines.iter().any(|line| line.text.trim_end().ends_with(['?', '？', '؟', ';', ':']))
}

/// The mark that a read-tracking add-on of a widespread web mail leaves.
fn is_tracking_mark(line: &Line<'_>) -> bool {
    line.bare == "\u{1427}"
}

/// "Sent from my telephone": short, and in a paragraph of such lines.
fn is_sent_from(line: &Line<'_>, above: Option<&Line<'_>>) -> bool {
    let stands_apart =
        above.is_none_or(|above| above.kind == Kind::Blank || above.is_rule() || says_sent_from(above));
    stands_apart && says_sent_from(line)
}

fn says_sent_from(line: &Line<'_>) -> bool {
    let said = line.bare.trim_matches(['<', '>', '(', ')', '[', ']', '*', '_', ' ']);
    let words = said.split_whitespace().filter(|word| !word.contains("://")).count();
    let starts = || boilerplate::FIND_SENT_FROM.begins(said);
    let ends = || words <= 5 && boilerplate::SENT_FROM_ENDS.iter().any(|end| said.ends_with(end));
    !said.is_empty() && words <= MOST_WORDS && !said.ends_with('?') && (starts() || ends())
}
