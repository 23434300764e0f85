//! The lines with which mail programs introduce a quote: when, who, and "wrote" (EM-119).

use super::boilerplate;
use super::line::{Kind, Line, Proof};

/// Most lines over which programs break an introduction.
const MOST_LINES: usize = 6;

/// Longest introduction, in bytes.
const LONGEST: usize = 400;

/// Marks the lines of every introduction.
pub(super) fn mark(lines: &mut [Line<'_>]) {
    for end in 0..lines.len() {
        let Some((start, proof)) = ending_at(lines, end) else { continue };
        for line in lines.get_mut(start..=end).unwrap_or_default() {
            line.kind = Kind::Introduction(proof);
        }
    }
}

/// Where the introduction begins that ends with line `end`.
///
/// The nearest line above that begins with a date wins; without one the line has to do alone.
fn ending_at(lines: &[Line<'_>], end: usize) -> Option<(usize, Proof)> {
    let last = lines.get(end)?;
    if !may_end(last) {
        return None;
    }
    let mut joined = String::new();
    let mut alone = None;
    let mut longer = None;
    for start in (end.saturating_sub(MOST_LINES - 1)..=end).rev() {
        let line = lines.get(start)?;
        let may_join = start == end || may_continue(line, &joined);
        if !may_join || joined.len() + line.bare.len() > LONGEST {
            break;
        }
        joined = if joined.is_empty() { line.bare.clone() } else { format!("{} {joined}", line.bare) };
        let Some(proof) = proof(&joined) else { continue };
        if begins_with_date(&joined) {
            return Some((start, proof));
        }
        if start == end {
            alone = Some((start, proof));
        } else if start + 1 == end && has_moment(&joined) {
            longer = Some((start, proof));
        }
    }
    // A quoted line is an end only of something that began before the quote, and an address has a name before it.
    let is_whole = last.kind == Kind::Text && !last.bare.starts_with('<');
    alone.filter(|_| is_whole).or(longer).or(alone.filter(|_| last.kind == Kind::Text))
}

/// Whether an introduction may end with this line.
pub(super) fn may_end(line: &Line<'_>) -> bool {
    let bare = without_frame(&line.bare);
    match line.kind {
        Kind::Text if bare.is_empty() => false,
        Kind::Text => ends_with_colon(bare) || line.bare.ends_with("----") || begins_with_iso_date(bare),
        // `>` of an address that was broken over two lines.
        Kind::Quote => bare.len() < 30 && ends_with_colon(bare) && !bare.starts_with(">>"),
        _ => false,
    }
}

/// Whether `line` may stand above `joined` in one introduction; a blank line only before a lone address.
fn may_continue(line: &Line<'_>, joined: &str) -> bool {
    match line.kind {
        Kind::Text => !line.bare.is_empty() && !ends_with_colon(&line.bare),
        Kind::Blank => joined.starts_with(['<', '>']),
        _ => false,
    }
}

fn proof(joined: &str) -> Option<Proof> {
    let text = without_frame(joined);
    let has_evidence = text.contains(|c: char| c == '@' || c.is_ascii_digit());
    if !has_evidence || boilerplate::FIND_I_WROTE.is_in(text) {
        return None;
    }
    let has_verb = boilerplate::FIND_WROTE.is_in(text);
    let has_address = text.contains('@');
    let has_moment = has_moment(text);
    let is_dated = has_moment && begins_with_date(text);
    if ends_with_colon(text) {
        let ends_with_address = text.trim_end_matches([':', '：', ' ']).ends_with('>') && has_address;
        let is_sure = has_verb && (is_dated || has_address && has_moment || is_name_and_verb(text))
            || is_dated && ends_with_address;
        let is_likely =
            has_verb && (has_address || has_moment || digit_groups(text) >= 2) || has_address && has_moment;
        return if is_sure { Some(Proof::Sure) } else { is_likely.then_some(Proof::WithQuote) };
    }
    let is_framed = joined.starts_with("--") && joined.ends_with("--") && has_verb && has_moment;
    let is_sure = is_framed || begins_with_iso_date(text) && text.contains(" gmt") && has_time(text);
    let is_likely = begins_with_iso_date(text) && has_address && text.ends_with('>');
    if is_sure { Some(Proof::Sure) } else { is_likely.then_some(Proof::WithQuote) }
}

fn without_frame(text: &str) -> &str {
    text.trim_matches(['*', '_', '-', ' ', '\u{200e}', '\u{200f}'])
}

fn ends_with_colon(text: &str) -> bool {
    text.trim_end_matches(['*', '_', ' ']).ends_with([':', '：'])
}

/// `Ann <ann@example.org> wrote:` and nothing else.
fn is_name_and_verb(text: &str) -> bool {
    let Some((_, after)) = text.rsplit_once("> ") else { return false };
    text.contains('@') && boilerplate::WROTE.contains(after.trim_end_matches([':', '：', ' ']))
}

fn begins_with_date(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '*', '_', ' ', '[']);
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_start = first.ends_with(',') || boilerplate::DATE_STARTS.contains(first);
    is_start && rest.chars().take(30).any(|c| c.is_ascii_digit())
}

/// `2026-07-14` or `2026/7/4` in front.
fn begins_with_iso_date(text: &str) -> bool {
    let mut groups = text.splitn(3, ['-', '/']);
    let is_number = |text: &str, lengths: &[usize]| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let day = |rest: &str| rest.split(' ').next().is_some_and(|day| is_number(day, &[1, 2]));
    groups.next().is_some_and(|year| is_number(year, &[4]))
        && groups.next().is_some_and(|month| is_number(month, &[1, 2]))
        && groups.next().is_some_and(day)
}

/// A day together with a year or a time of day.
fn has_moment(text: &str) -> bool {
    let groups = digit_groups(text);
    (groups >= 2 && has_year(text)) || (groups >= 3 && has_time(text))
}

fn digit_groups(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count()
}

fn has_year(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|group| group.len() == 4 && (group.starts_with("19") || group.starts_with("20")))
}

/// Two digits behind a colon, or behind a dot or `h` as some languages write the time.
fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(4).any(|window| {
        matches!(window, [hour, b':' | b'.' | b'h', ten, one]
            if hour.is_ascii_digit() && ten.is_ascii_digit() && one.is_ascii_digit())
    })
}
