//! The words of a bounce: whether they speak of failure, and where the returned copy begins.

use super::super::address::Address;
use super::phrases;
use super::recipients::Reader;
use super::system::{Parties, Sender};

/// Lines of a notice that are read; the copy of the mail begins long before.
const MOST_LINES: usize = 400;

/// What the words of a mail say about a delivery.
#[derive(Default)]
pub(super) struct Notice {
    /// A mail was not delivered.
    pub(super) speaks_of_failure: bool,
    /// That is the first thing the words say, a greeting aside, and they say it of mail.
    pub(super) opens_with_failure: bool,
    pub(super) speaks_like_a_machine: bool,
    pub(super) is_temporary: bool,
    /// The words go on with the mail that is returned, or its header.
    pub(super) has_original: bool,
    pub(super) recipients: Vec<Address>,
    /// At least one of them stands on a line of its own or behind a label.
    pub(super) lists_recipients: bool,
}

/// Reads the words of a mail, up to the copy of the mail that is returned.
///
/// `is_expected` when the mail is known to be a bounce, so that any list in it is one of those who failed.
pub(super) fn read(text: &str, sender: &Sender, parties: &Parties, is_expected: bool) -> Notice {
    let lines: Vec<&str> = text.lines().take(MOST_LINES).collect();
    let end = start_of_copy(&lines);
    let lines = lines.get(..end.unwrap_or(lines.len())).unwrap_or(&lines);
    let mut notice = Notice { has_original: end.is_some(), ..Notice::default() };
    let mut reader = Reader::new(parties, is_expected);
    let paragraphs = lines.split(|line| is_blank(line)).filter(|lines| !lines.is_empty());
    for (index, paragraph) in paragraphs.enumerate() {
        let folded = phrases::folded(&paragraph.join(" "));
        let fails = phrases::is_failure(&folded);
        notice.speaks_of_failure |= fails;
        let is_opening = index == 0 || (index == 1 && !sender.is_answer);
        notice.opens_with_failure |= fails && is_opening && phrases::is_about_mail(&folded);
        notice.speaks_like_a_machine |= phrases::is_machine(&folded);
        notice.is_temporary |= phrases::is_delay(&folded);
        reader.read(paragraph, fails);
    }
    notice.is_temporary |= phrases::is_delay(&phrases::folded(&sender.subject));
    if notice.speaks_of_failure || is_expected {
        notice.lists_recipients = reader.has_listed();
        notice.recipients = reader.recipients(lines, sender);
    }
    notice
}

/// Where the returned mail begins: a line that says so, or the first lines of a header.
fn start_of_copy(lines: &[&str]) -> Option<usize> {
    lines.iter().position(|line| announces_copy(line) || is_trace_field(line))
}

/// A line between dashes, or a short one that ends with a colon or a full stop.
fn announces_copy(line: &str) -> bool {
    let trimmed = line.trim();
    let is_ruled = ["--", "==", "**", "__", "~~", "|-"].iter().any(|rule| trimmed.starts_with(rule));
    let is_short = trimmed.len() <= 80 && !trimmed.contains('@');
    let ends = trimmed.ends_with(':') || trimmed.ends_with("follows.") || trimmed.ends_with("follows");
    let opens_a_copy = trimmed.to_lowercase().starts_with("here is a copy") || trimmed.ends_with("attached");
    let folded = phrases::folded(trimmed);
    let is_heading = is_ruled || (is_short && (ends || opens_a_copy) && !phrases::is_failure(&folded));
    is_heading && phrases::is_copy(&folded)
}

/// Fields that a notice does not talk about and every mail begins with.
fn is_trace_field(line: &str) -> bool {
    let Some((name, _)) = line.trim_start_matches(['>', ' ']).split_once(':') else { return false };
    ["received", "return-path", "message-id", "mime-version", "delivered-to", "dkim-signature"]
        .iter()
        .any(|field| name.eq_ignore_ascii_case(field))
}

/// Empty, or nothing but a rule.
fn is_blank(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || "-=*_~#|".contains(c))
}
