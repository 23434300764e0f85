//! What the correspondent wrote now, and what their mail program repeated below it (EM-119, EM-121).
//!
//! A simple cut at the first sure sign of history. It errs towards keeping text: answers between quoted lines and
//! forwarded mails stay whole.

/// Ends of the line with which programs introduce a quote, in lower case.
const INTRODUCTION_ENDS: [&str; 18] = [
    "wrote:",
    "writes:",
    "schrieb:",
    "a écrit :",
    "a écrit:",
    "écrit :",
    "escribió:",
    "ha scritto:",
    "scrisse:",
    "schreef:",
    "skrev:",
    "escreveu:",
    "napisał(a):",
    "napisał:",
    "написал:",
    "写道：",
    "写道:",
    "kirjoitti:",
];

/// Verbs that stand before the name in some languages, so that the name ends the line.
const INTRODUCTION_VERBS: [&str; 4] = [" schrieb ", " schreef ", " skrev ", " kirjoitti "];

/// Titles of the line above a repeated mail, in lower case, without the dashes around them.
const HISTORY_TITLES: [&str; 9] = [
    "original message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "mensagem original",
    "ursprungligt meddelande",
];

/// Titles of a forward: what follows is the matter of the mail, not history (EM-121).
const FORWARD_TITLES: [&str; 5] = [
    "forwarded message",
    "begin forwarded message",
    "weitergeleitete nachricht",
    "message transféré",
    "mensaje reenviado",
];

/// First words of the header lines that Outlook repeats: sender, then time, in several languages.
const SENDER_LABELS: [&str; 6] = ["from:", "von:", "de:", "de :", "da:", "van:"];
const TIME_LABELS: [&str; 9] =
    ["sent:", "date:", "gesendet:", "datum:", "envoyé :", "envoyé:", "enviado:", "inviato:", "verzonden:"];

/// Splits `text` into the new words and the history; the second is empty when there is none.
pub(super) fn split(text: &str) -> (String, String) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(cut) = first_history_line(&lines) else {
        return (text.trim().to_owned(), String::new());
    };
    let join = |part: Option<&[&str]>| part.unwrap_or_default().join("\n").trim().to_owned();
    let (visible, quoted) = (join(lines.get(..cut)), join(lines.get(cut..)));
    if visible.is_empty() { (text.trim().to_owned(), String::new()) } else { (visible, quoted) }
}

fn first_history_line(lines: &[&str]) -> Option<usize> {
    for (at, line) in lines.iter().enumerate() {
        let rest = lines.get(at..).unwrap_or_default();
        if is_title(line, &FORWARD_TITLES) {
            return None;
        }
        if is_title(line, &HISTORY_TITLES) || is_header_block(rest) {
            return Some(at);
        }
        if let Some(length) = introduction(rest) {
            let below = rest.get(length..).unwrap_or_default();
            return (is_quote_to_the_end(below) || !has_quote_marks(below)).then_some(at);
        }
        if line.starts_with('>') {
            return is_quote_to_the_end(rest).then_some(at);
        }
    }
    None
}

fn is_title(line: &str, titles: &[&str]) -> bool {
    let bare = line.trim_matches(|c: char| c == '-' || c == '_' || c == '*' || c == ':' || c.is_whitespace());
    let is_marked = line.trim_start().starts_with(['-', '_']) || line.trim_end().ends_with(':');
    is_marked && bare.len() < 80 && titles.contains(&bare.to_lowercase().as_str())
}

fn is_header_block(lines: &[&str]) -> bool {
    let starts = |line: &str, labels: &[&str]| {
        let line = line.trim_start_matches('*').to_lowercase();
        labels.iter().any(|label| line.starts_with(label))
    };
    let Some((first, rest)) = lines.split_first() else { return false };
    first.len() < 400
        && starts(first, &SENDER_LABELS)
        && rest.iter().take(2).any(|line| line.len() < 400 && starts(line, &TIME_LABELS))
}

/// How many lines (one or two) introduce a quote here, such as `On Monday Ann wrote:`.
fn introduction(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim();
    let is_likely = !first.is_empty() && !first.starts_with('>') && first.len() < 300;
    if !is_likely {
        return None;
    }
    // A date or an address tells the program's line from a person's "my boss wrote:".
    let is_introduction = |text: &str| {
        let lower = text.to_lowercase();
        let has_verb = INTRODUCTION_ENDS.iter().any(|end| lower.ends_with(end))
            || (lower.ends_with(':') && INTRODUCTION_VERBS.iter().any(|verb| lower.contains(verb)));
        has_verb && (lower.contains('@') || lower.chars().filter(char::is_ascii_digit).count() >= 3)
    };
    if is_introduction(first) {
        return Some(1);
    }
    let second = lines.get(1).map(|line| line.trim()).filter(|line| !line.is_empty() && line.len() < 300)?;
    is_introduction(&format!("{first} {second}")).then_some(2).filter(|_| has_date_start(first))
}

/// The first of two introducing lines begins the date.
fn has_date_start(first: &str) -> bool {
    let starts = ["on ", "am ", "le ", "el ", "il ", "op ", "em ", "den ", "dne ", "w dniu "];
    let lower = first.to_lowercase();
    starts.iter().any(|start| lower.starts_with(start)) && lower.chars().any(|c| c.is_ascii_digit())
}

fn has_quote_marks(lines: &[&str]) -> bool {
    lines.iter().any(|line| line.starts_with('>'))
}

/// Only quoted and empty lines, and at most a short signature after them.
fn is_quote_to_the_end(lines: &[&str]) -> bool {
    let own = lines.iter().position(|line| line.trim_end() == "--");
    let lines = own.map_or(lines, |at| lines.get(..at).unwrap_or(lines));
    has_quote_marks(lines) && lines.iter().all(|line| line.starts_with('>') || line.trim().is_empty())
}
