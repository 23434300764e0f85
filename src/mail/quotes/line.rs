//! One line of a mail and what it is, as far as the line alone tells.

use std::collections::HashSet;

use super::super::clean;
use super::boilerplate;

/// A line longer than this, in bytes, is somebody's paragraph and never a mark of a program.
const LONGEST_MARK: usize = 400;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but white space.
    Blank,
    /// Somebody's words.
    Text,
    /// Repeated, with a mark such as `>` in front.
    Quote,
    /// Part of what a program wrote above a quote, such as `On Monday Ann wrote:`.
    Introduction(Proof),
    /// A title above a repeated mail, or a line of its repeated header.
    History,
    /// The title of a forwarded mail.
    Forward,
}

/// How sure it is that an introduction is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    /// Only a quote right below makes it one.
    WithQuote,
    /// By its own words.
    Sure,
}

/// A line with what is asked about it again and again.
pub(super) struct Line<'a> {
    /// As it came.
    pub(super) text: &'a str,
    /// Trimmed and in lower case; empty for a line that is too long to be a mark.
    pub(super) bare: String,
    pub(super) kind: Kind,
}

impl Line<'_> {
    /// Whether it is drawn from rules alone, such as `-----` or `___`.
    pub(super) fn is_rule(&self) -> bool {
        let is_rule = |c: char| "-_*#~=+—–".contains(c);
        self.bare.chars().count() >= 2 && self.bare.chars().all(|c| is_rule(c) || c == ' ')
    }
}

/// Reads `text` into lines; introductions and header blocks need several lines and are marked later.
pub(super) fn read(text: &str) -> Vec<Line<'_>> {
    text.lines().map(line).collect()
}

fn line(text: &str) -> Line<'_> {
    let trimmed = text.trim();
    let is_long = trimmed.len() > LONGEST_MARK;
    let bare = if is_long { String::new() } else { trimmed.to_lowercase() };
    let kind = match () {
        () if trimmed.is_empty() => Kind::Blank,
        () if is_quote(text) && is_forward(unquoted(&bare)) => Kind::Forward,
        () if is_quote(text) => Kind::Quote,
        () if is_forward(&bare) => Kind::Forward,
        () if is_title(&bare, &boilerplate::HISTORY_TITLES) => Kind::History,
        () => Kind::Text,
    };
    Line { text, bare, kind }
}

/// `>` in front, or the writer's initials and `>`.
fn is_quote(text: &str) -> bool {
    let start = text.trim_start();
    if text.len() - start.len() > 3 {
        return false;
    }
    let initials = start.chars().take(3).take_while(|c| c.is_alphabetic() && c.is_uppercase()).count();
    start.chars().nth(initials) == Some('>')
}

/// What stands behind the quote marks.
pub(super) fn unquoted(text: &str) -> &str {
    text.trim_start_matches(['>', ' ', '\t'])
}

/// Titles, and the line of older office programs that names who forwarded.
fn is_forward(bare: &str) -> bool {
    let names_who =
        bare.starts_with("--") && bare.trim_start_matches(['-', ' ']).starts_with("forwarded by ");
    names_who || is_title(bare, &boilerplate::FORWARD_TITLES)
}

/// A title is marked as one, by dashes around it or a colon behind it.
fn is_title(bare: &str, titles: &HashSet<&str>) -> bool {
    let is_frame = |c: char| "-_*=—–<>[] ".contains(c);
    let title = clean::cut_bytes(bare, 120).trim_matches(is_frame);
    let has_frame = bare.trim_matches('*').starts_with(['-', '_', '=', '—']);
    let (title, is_marked) = match title.strip_suffix(':') {
        Some(title) => (title.trim_end(), true),
        None => (title, has_frame),
    };
    is_marked && titles.contains(title)
}
