//! The story, a line for each step.

use std::io::{self, Write};
use std::time::Duration;

use super::cast::Owner;
use super::screen::{Look, Screen, excerpt};
use super::stage::{Asked, Stage};
use super::watch::{News, Step};
use crate::vault::mask;

/// What a line of words may take, in characters.
const WIDTH: usize = 78;

/// What stands where, and what is only a stand-in.
pub(super) fn open<W: Write>(screen: &mut Screen<W>, stage: &Stage) -> io::Result<()> {
    let title = screen.paint(Look::Bold, "Postkey demo");
    screen.line(&format!("\n{title}   mail comes in, the owner's own key pays, the reply goes out\n"))?;
    let office =
        format!("stand-in on this machine, IMAP {}, SMTP {}", stage.post_office.imap, stage.post_office.smtp);
    let provider = match &stage.asked {
        Asked::StandIn(model) => format!("stand-in on this machine, {}; nothing is spent", model.base_url()),
        Asked::Live(live) => {
            let warning = format!("LIVE: {live}; your key pays, for both owners");
            screen.paint(Look::Money, &warning)
        }
    };
    for (name, words) in [
        ("service", "the real one, as `postkey serve` runs it"),
        ("post office", office.as_str()),
        ("provider", provider.as_str()),
        ("database", "a temporary SQLite file with a fresh vault key, removed at the end"),
    ] {
        let name = screen.paint(Look::Dim, &format!("{name:<13}"));
        screen.line(&format!("  {name}{words}"))?;
    }
    screen.line("")?;
    let heading = format!("  {:<13}{:<27}{:<15}KEY", "OWNER", "MAILBOX", "AGENT");
    screen.line(&screen.paint(Look::Dim, &heading))?;
    stage.owners.iter().try_for_each(|owner| screen.line(&introduce(owner)))
}

fn introduce(owner: &Owner) -> String {
    let Owner { name, address, agent, key, .. } = owner;
    format!("  {name:<13}{address:<27}{agent:<15}{}", mask(key))
}

/// One step of one mail.
pub(super) fn tell<W: Write>(screen: &mut Screen<W>, at: Duration, news: &News) -> io::Result<()> {
    let (mark, look, verb) = heading(&news.step);
    if matches!(news.step, Step::Arrived { .. }) {
        screen.line("")?;
    }
    let time = screen.paint(Look::Dim, &format!("{:>6.2} s", at.as_secs_f64()));
    let verb = screen.paint(look, &format!("{mark} {verb:<12}"));
    let number = format!("#{}", news.number);
    let (words, more) = words(screen, &news.step);
    screen.line(&format!("{time}  {number:<4}{verb}{words}"))?;
    match more {
        Some(more) => screen.line(&format!("{:<28}{more}", "")),
        None => Ok(()),
    }
}

fn heading(step: &Step) -> (char, Look, &'static str) {
    match step {
        Step::Arrived { .. } => ('→', Look::New, "arrived"),
        Step::Queued { .. } => ('·', Look::Dim, "queued"),
        Step::Resolved { .. } => ('·', Look::Dim, "resolved"),
        Step::Paid { .. } => ('$', Look::Money, "paid"),
        Step::CallFailed { .. } => ('!', Look::Bad, "asked"),
        Step::Replied { .. } => ('✓', Look::Good, "replied"),
        Step::Skipped { .. } => ('–', Look::Calm, "skipped"),
        Step::Troubled { state, .. } => ('!', Look::Bad, state.as_str()),
    }
}

/// What stands beside the verb, and what stands below.
fn words<W: Write>(screen: &Screen<W>, step: &Step) -> (String, Option<String>) {
    match step {
        Step::Arrived { from, to, subject, client } => {
            let client = client.map(|client| screen.paint(Look::Dim, &format!("  ({client})")));
            let line = format!("{} to {to}{}", excerpt(from, 30), client.unwrap_or_default());
            (line, Some(format!("\"{}\"", excerpt(subject, WIDTH))))
        }
        Step::Queued { run } => (screen.paint(Look::Dim, &format!("run {run}")), None),
        Step::Resolved { agent, owner } => (format!("agent {agent}, owner {owner}"), None),
        Step::Paid { payer, key, input, output } => {
            (format!("by the key of {payer}, {key}   {input} tokens in, {output} out"), None)
        }
        Step::CallFailed { class } => (format!("in vain: {class}"), None),
        Step::Replied { to, after, words } => {
            let line = format!("to {to} after {:.2} s", after.as_secs_f64());
            (line, Some(screen.paint(Look::Dim, &excerpt(words, WIDTH))))
        }
        Step::Skipped { sentence } | Step::Troubled { sentence, .. } => (excerpt(sentence, 2 * WIDTH), None),
    }
}

/// How to send a mail of one's own.
pub(super) fn invite<W: Write>(screen: &mut Screen<W>, stage: &Stage) -> io::Result<()> {
    let smtp = stage.post_office.smtp;
    let to = stage.owners.first().map_or("", |owner| owner.address);
    let title = screen.paint(Look::Bold, "Now you");
    screen.line(&format!(
        "\n{title}   send a mail of your own to {} and watch it here.\n",
        stage.owners.iter().map(|owner| owner.address).collect::<Vec<_>>().join(" or ")
    ))?;
    screen.line(&format!(
        "  Any mail program will do: SMTP server {}, port {}, no encryption, no login. Or in another terminal:\n",
        smtp.ip(),
        smtp.port()
    ))?;
    screen.line(&format!(
        "  printf 'From: You <you@home.example>\\nTo: {to}\\nSubject: Hello\\n\\nDo you sell teapots, too?\\n' |\n    \
         curl --crlf smtp://{smtp} --mail-from you@home.example --mail-rcpt {to} -T -\n"
    ))?;
    screen.line(
        &screen
            .paint(Look::Dim, "  Replies stay on this machine. Ctrl-C ends the demo and prints the table."),
    )
}
