//! The header of the repeated mail, as Outlook and others print it above the history (EM-119).

use std::collections::HashSet;

use super::boilerplate;
use super::line::{Kind, Line, unquoted};

/// Most lines that one printed header takes.
const MOST_LINES: usize = 24;

/// Marks the lines of every header block.
pub(super) fn mark(lines: &mut [Line<'_>]) {
    let labels: Vec<Option<Label>> = lines.iter().map(|line| label(&line.bare)).collect();
    let mut at = 0;
    while at < lines.len() {
        let rest = lines.get(at..).zip(labels.get(at..));
        let length = rest.map_or(0, |(lines, labels)| block(lines, labels));
        for line in lines.get_mut(at..at + length).unwrap_or_default() {
            line.kind = Kind::History;
        }
        at += length.max(1);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    From,
    Date,
    Sent,
    To,
    Subject,
    Unknown,
}

/// How many lines from the first on are a header block; 0 when it is none.
///
/// A person may write `From: Berlin`, `To: Rome`, `Date: 3 May`: so it takes a sender and a subject, or a sender and
/// when it was sent, or the sender's address and a date. Many labels that no header has are those of a form.
fn block(lines: &[Line<'_>], found: &[Option<Label>]) -> usize {
    let mut labels = Vec::new();
    let mut length = 0;
    for (at, (line, label)) in lines.iter().zip(found).take(MOST_LINES).enumerate() {
        if line.kind != Kind::Text {
            break;
        }
        match label {
            Some(label) => {
                labels.push(*label);
                length = at + 1;
            }
            // Lists of recipients and long subjects go on in the next line.
            None if labels.is_empty() || at - length >= 2 => break,
            None => {}
        }
    }
    if is_header(&labels, lines) { length } else { 0 }
}

fn is_header(labels: &[Label], lines: &[Line<'_>]) -> bool {
    let has = |wanted: Label| labels.contains(&wanted);
    let has_address = lines.iter().take(2).any(|line| line.bare.contains('@'));
    let known = labels.iter().filter(|label| **label != Label::Unknown).count();
    let is_form = (labels.len() - known) * 3 > known;
    let starts_well = labels.first().is_some_and(|label| *label != Label::Unknown);
    let is_printed = has(Label::Subject) && (has(Label::Date) || has(Label::To)) && known >= 3;
    let is_dated = has(Label::Sent) || has(Label::Date) && has_address;
    starts_well && !is_form && has(Label::From) && (is_printed || is_dated)
}

/// The label in front of the colon.
fn label(bare: &str) -> Option<Label> {
    let (label, _) = bare.split_once([':', '：'])?;
    let label = unquoted(label).trim_matches(['*', '_', ' ', '\u{a0}']);
    let is_in = |labels: &HashSet<&str>| labels.contains(label);
    match () {
        () if is_in(&boilerplate::FROM_LABELS) => Some(Label::From),
        () if is_in(&boilerplate::DATE_LABELS) => Some(Label::Date),
        () if is_in(&boilerplate::SENT_LABELS) => Some(Label::Sent),
        () if is_in(&boilerplate::TO_LABELS) => Some(Label::To),
        () if is_in(&boilerplate::SUBJECT_LABELS) => Some(Label::Subject),
        () => (!label.is_empty() && label.chars().count() <= 20 && label.split(' ').count() <= 2)
            .then_some(Label::Unknown),
    }
}
