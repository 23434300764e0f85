//! `postkey explain`: what Postkey sees in a mail and what it would do; no database, no network, no configuration.
//!
//! The only command that prints words of mails: it was given the mails by the person who reads the answer.

mod files;
mod page;
mod seen;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use self::files::Source;
use self::seen::{Known, Seen};
use super::CliError;
use crate::mail::{Address, RfcMessageId};

#[derive(Args)]
pub(super) struct Explain {
    /// Mails, or folders of them; `-`, or none at all, is a mail on standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object per mail and line.
    #[arg(long)]
    json: bool,
    /// An address of the mailbox that got the mails; rules that need one apply only with it. May be repeated.
    #[arg(long = "self", value_name = "ADDRESS", value_parser = address)]
    own: Vec<Address>,
    /// The Message-ID of a mail that we sent. May be repeated.
    #[arg(long, value_name = "ID", value_parser = message_id)]
    sent: Vec<RfcMessageId>,
}

/// Prints each mail as soon as it is read; one that cannot be read is told as such and does not end it.
pub(super) fn run(command: &Explain) -> Result<String, CliError> {
    let mut output = BufWriter::new(io::stdout().lock());
    match explain(command, &mut output).and_then(|unread| output.flush().map(|()| unread)) {
        Ok(0) => Ok(String::new()),
        Ok(unread) => Err(CliError::Unread(unread)),
        // A reader that has seen enough (`| head`) is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(String::new()),
        Err(error) => Err(CliError::Output(error)),
    }
}

/// How many files could not be read.
fn explain(command: &Explain, output: &mut impl Write) -> io::Result<usize> {
    let known = Known { own: &command.own, sent: &command.sent };
    let mut unread = 0;
    for source in Source::find(&command.files) {
        let name = source.name();
        let seen = match source.read() {
            Ok(raw) => seen::look(&name, &raw, &known),
            Err(error) => {
                unread += 1;
                let _ = writeln!(io::stderr(), "postkey: {}: {error}", page::printable(&name));
                Seen::unread(&name)
            }
        };
        write(&seen, command.json, output)?;
    }
    Ok(unread)
}

fn write(seen: &Seen, is_json: bool, output: &mut impl Write) -> io::Result<()> {
    if is_json {
        serde_json::to_writer(&mut *output, seen)?;
        output.write_all(b"\n")
    } else {
        output.write_all(page::render(seen).as_bytes())
    }
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).ok_or_else(|| "this is no address such as ann@example.org".to_owned())
}

fn message_id(text: &str) -> Result<RfcMessageId, String> {
    RfcMessageId::parse(text).ok_or_else(|| "this is no Message-ID such as <1234@example.org>".to_owned())
}
