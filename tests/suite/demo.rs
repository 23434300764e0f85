//! `postkey demo`, as a person runs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use crate::support::provider_server::{Answer, ProviderServer};

const KEY: &str = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz";

/// The demo as a person with an empty environment would start it, leaving its folders in `temporary`.
fn demo(arguments: &[&str], temporary: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postkey"));
    command.arg("demo").args(arguments).env_clear().env("TMPDIR", temporary.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(mut command: Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

fn assert_is_empty(folder: &tempfile::TempDir) {
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// Every key that is shown is cut to its first ten characters.
fn assert_keys_are_masked(out: &str) {
    let keys: Vec<&str> =
        out.split(|c: char| c.is_whitespace() || c == ',').filter(|w| w.starts_with("sk-")).collect();
    assert!(keys.len() >= 8, "{out}");
    for key in keys {
        assert!(key.len() <= 13 && key.ends_with("..."), "{key}");
    }
}

fn lines_with<'a>(out: &'a str, word: &str) -> Vec<&'a str> {
    out.lines().filter(|line| line.contains(word)).collect()
}

#[test]
fn the_demo_answers_four_mails_of_six_and_says_why_not_the_others() {
    let temporary = tempfile::tempdir().unwrap();
    let (output, out, err) = run(demo(&["--once"], &temporary));
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(err, "", "nothing is logged unless it is asked for");
    assert!(out.contains("6 mails received = 4 replied + 2 skipped"), "{out}");
    assert_eq!(lines_with(&out, "→ arrived").len(), 6, "{out}");
    assert_eq!(lines_with(&out, "· resolved").len(), 4, "{out}");
    assert_eq!(lines_with(&out, "$ paid").len(), 4, "{out}");
    assert_eq!(lines_with(&out, "✓ replied").len(), 4, "{out}");
    assert_eq!(lines_with(&out, "– skipped").len(), 2, "{out}");
    assert!(
        out.contains("It is a bounce: it has no sender to return to.  (null_return_path, EM-1)"),
        "{out}"
    );
    assert!(out.contains("It says that a program sent it.  (auto_submitted, EM-2)"), "{out}");
    assert_eq!(lines_with(&out, "the same").len(), 2, "the provider counted otherwise: {out}");
    assert!(out.contains("stand-ins inside this process"), "{out}");
    assert!(!out.contains('\x1b'), "colours are for terminals: {out}");
    assert_keys_are_masked(&out);
    assert_is_empty(&temporary);
}

#[test]
fn a_mail_of_ones_own_is_answered_until_a_signal_ends_the_demo() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = demo(&[], &temporary).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut out = read_until(&mut lines, "Ctrl-C ends the demo");
    let smtp = out.split("SMTP ").nth(1).unwrap().split_whitespace().next().unwrap();
    submit(smtp, "you@home.example", "orders@kettles.example", "Do you sell teapots, too?");
    out.push_str(&read_until(&mut lines, "Do you sell teapots, too?"));
    assert!(out.contains("to you@home.example after"), "{out}");
    interrupt(&child);
    lines.read_to_string(&mut out).unwrap();
    assert!(child.wait().unwrap().success(), "{out}");
    assert!(out.contains("7 mails received = 5 replied + 2 skipped"), "{out}");
    assert_is_empty(&temporary);
}

#[test]
fn a_live_demo_without_a_key_says_what_is_missing() {
    let temporary = tempfile::tempdir().unwrap();
    let (output, out, err) = run(demo(&["--live", "--once"], &temporary));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out, "");
    assert!(err.contains("set OPENAI_API_KEY"), "{err}");
    assert_is_empty(&temporary);
}

#[test]
fn a_live_demo_with_a_bad_address_or_key_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    for (base_url, key, named) in
        [("nope", KEY, "--base-url"), ("http://127.0.0.1:9/v1", "a b", "OPENAI_API_KEY")]
    {
        let mut command = demo(&["--live", "--once", "--base-url", base_url], &temporary);
        command.env("OPENAI_API_KEY", key);
        let (output, _, err) = run(command);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(named), "{err}");
    }
}

#[test]
fn a_model_without_live_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let (output, _, err) = run(demo(&["--model", "gpt-5"], &temporary));
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("--live"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_demo_asks_the_named_model_with_the_key_from_the_environment() {
    let provider = ProviderServer::start().await;
    let (output, out, err) = run_live(&provider).await;
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("LIVE"), "{out}");
    assert!(out.contains("6 mails received = 4 replied + 2 skipped"), "{out}");
    let calls = provider.calls_of(KEY);
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.request["model"] == "some-model"));
    assert_eq!(provider.calls().len(), 4, "another key was used");
    assert_keys_are_masked(&out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_demo_with_a_refused_key_ends_early_and_says_so() {
    let provider = ProviderServer::start().await;
    provider.always(KEY, Answer::status(401, r#"{"error":{"message":"no","code":"invalid_api_key"}}"#));
    let (output, out, err) = run_live(&provider).await;
    assert_eq!(output.status.code(), Some(1), "{out}\n{err}");
    assert!(out.contains("the provider refuses the owner's key"), "{out}");
    assert!(out.contains("3 mails received = 0 replied + 0 skipped + 3 waiting"), "{out}");
    assert!(err.contains("3 mails are neither replied to nor skipped"), "{err}");
}

async fn run_live(provider: &ProviderServer) -> (Output, String, String) {
    let base_url = provider.base_url();
    tokio::task::spawn_blocking(move || {
        let temporary = tempfile::tempdir().unwrap();
        let arguments = ["--once", "--live", "--model", "some-model", "--base-url", &base_url];
        let mut command = demo(&arguments, &temporary);
        command.env("OPENAI_API_KEY", KEY);
        let ran = run(command);
        assert_is_empty(&temporary);
        ran
    })
    .await
    .unwrap()
}

/// Everything up to the line with `word`; the demo's own end is the deadline.
fn read_until(lines: &mut BufReader<ChildStdout>, word: &str) -> String {
    let mut read = String::new();
    while !read.contains(word) {
        let before = read.len();
        lines.read_line(&mut read).unwrap();
        assert!(read.len() > before, "the demo ended before {word:?}: {read}");
    }
    read
}

fn interrupt(child: &Child) {
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
}

/// Hands a mail over as a plain mail server would.
fn submit(smtp: &str, from: &str, to: &str, words: &str) {
    let stream = TcpStream::connect(smtp).unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut stream = stream;
    let mail = format!("From: {from}\r\nTo: {to}\r\nSubject: Teapots\r\n\r\n{words}\r\n.");
    let (sender, recipient) = (format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"));
    expect(&mut replies, "220");
    for (line, code) in [
        ("HELO home.example", "250"),
        (&sender, "250"),
        (&recipient, "250"),
        ("DATA", "354"),
        (&mail, "250"),
        ("QUIT", "221"),
    ] {
        write!(stream, "{line}\r\n").unwrap();
        expect(&mut replies, code);
    }
}

/// Reads one reply of one or more lines.
fn expect(replies: &mut impl Iterator<Item = std::io::Result<String>>, code: &str) {
    loop {
        let line = replies.next().unwrap().unwrap();
        assert!(line.starts_with(code), "{line}");
        if !line[3..].starts_with('-') {
            return;
        }
    }
}
