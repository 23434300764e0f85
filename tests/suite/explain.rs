//! `postkey explain`, by the program itself. All mails here are our own words.

mod files;
mod lines;
mod page;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::support::program::{Ended, Program};

/// From a person, with an answer to something below.
const ASKED: &str = "\
From: Ann Miller <ann@example.org>
To: Shop <shop@postkey.example>, hello@postkey.example
Reply-To: ann.miller@example.org
Subject: Opening hours
Message-ID: <first@example.org>

When do you open?

On Mon, 13 Jul 2026 at 18:02, Shop <shop@postkey.example> wrote:
> Good evening.
";

/// From a program, with words all the same.
const AUTOMATIC: &str = "\
From: Ann Miller <ann@example.org>
Subject: Away
Auto-Submitted: auto-replied (vacation)

I am away until Monday.
";

/// A program in a folder whose configuration nobody could read.
fn program() -> Program {
    let program = Program::alone().with("POSTKEY_DATABASE__URL", "nonsense");
    program.write("workers.toml", "this is no configuration");
    program
}

/// What is printed about one mail as `mail.eml`, with more arguments.
async fn line(mail: impl AsRef<[u8]>, more: &str) -> Value {
    let program = program();
    program.write("mail.eml", mail.as_ref());
    one(&program.run(&format!("explain --json mail.eml {more}")).await.done())
}

fn one(lines: &str) -> Value {
    assert_eq!(lines.matches('\n').count(), 1, "{lines}");
    serde_json::from_str(lines).unwrap()
}

fn all(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs a command line with `input` on its standard input.
async fn with_input(program: &Program, arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
    let mut command = program.command(arguments);
    let pipe = std::process::Stdio::piped;
    let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
    let mut standard_input = child.stdin.take().unwrap();
    standard_input.write_all(input.as_ref()).await.unwrap();
    drop(standard_input);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
