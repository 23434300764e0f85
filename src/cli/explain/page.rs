//! One mail for people: the decision first, then the letterhead, then the words.

use super::super::table::{Table, or_dash};
use super::seen::{File, Seen};

/// A few lines with an empty one at the end.
pub(super) fn render(seen: &Seen) -> String {
    let mut page = format!("{}\n  {}\n", printable(&seen.file), decision(seen));
    for line in letterhead(seen).lines() {
        page.push_str(&format!("  {line}\n"));
    }
    for line in seen.visible_text.lines() {
        page.push_str(format!("  | {line}").trim_end());
        page.push('\n');
    }
    page.push('\n');
    page
}

fn decision(seen: &Seen) -> String {
    let opening = match seen.decision {
        "answer" => "Would be answered.",
        "hold" => "Held for a person.",
        _ => "Not answered.",
    };
    let source = match (seen.reason, seen.rule) {
        (Some(reason), Some(rule)) => format!(" ({reason}, {rule})"),
        (Some(reason), None) => format!(" ({reason})"),
        (None, _) => String::new(),
    };
    format!("{opening} {}{source}", seen.sentence)
}

fn letterhead(seen: &Seen) -> String {
    let mut table = Table::bare();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            table.row([name.to_owned(), value]);
        }
    };
    line("from", or_dash(seen.from.as_ref()));
    let reply_to = if seen.decision == "answer" { "answer to" } else { "reply to" };
    line(reply_to, seen.reply_to.clone().unwrap_or_default());
    line("to", seen.to.join(", "));
    line("subject", seen.subject.clone());
    line("message id", seen.message_id.clone().unwrap_or_default());
    for file in &seen.attachments {
        line("attachment", attachment(file));
    }
    line("failed", seen.failed_recipients.join(", "));
    line("noticed", seen.flags.join(", "));
    match seen.quoted_text.lines().count() {
        0 => {}
        1 => line("history", "1 line left out".to_owned()),
        lines => line("history", format!("{lines} lines left out")),
    }
    table.render()
}

fn attachment(file: &File) -> String {
    format!("{} ({}, {} bytes)", file.name, file.kind, file.bytes)
}

/// One line that cannot steer the terminal it is printed on.
pub(super) fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
