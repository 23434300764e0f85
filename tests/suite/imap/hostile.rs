//! Servers that want memory, or to be read in two ways.

use std::time::Duration;

use postkey::imap::{ImapError, Timeouts};

use super::script::{Act, after_select, follow};
use super::{PATIENT, SECRET, error, open_with, password};
use crate::support::timing::processor_time;

/// What comes of a fetch (limit 1,000 bytes each) that is answered with these bytes.
async fn fetch_answered_with(bytes: Vec<u8>) -> ImapError {
    let (_server, address) = after_select(vec![Act::Bytes(bytes), Act::Hang]).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (session, _) = session.select("INBOX").await.unwrap();
    error(session.fetch(&[1], 1000).await)
}

#[tokio::test]
async fn an_announced_size_is_not_believed() {
    for announced in ["1001", "500000000", "4294967295", "99999999999999999999", "00000000000000000005"] {
        let answer = format!("* 1 FETCH (UID 1 BODY[] {{{announced}}}\r\n");
        assert_eq!(fetch_answered_with(answer.into()).await, ImapError::TooLarge, "{announced}");
    }
    let twice = "* 1 FETCH (UID 1 BODY[] {600}\r\n".to_owned() + &"x".repeat(600) + " BODY[] {600}\r\n";
    assert_eq!(fetch_answered_with(twice.into()).await, ImapError::TooLarge);
}

#[tokio::test]
async fn a_literal_is_taken_only_where_nobody_can_read_it_otherwise() {
    for hidden in [
        "* OK [BADCHARSET ({500000000}\r\n",
        "* OK hello {500}\r\n",
        "P3 OK hello {500}\r\n",
        "+ hello {500}\r\n",
        "* 1 FETCH (UID 1 X (BODY[] {500}\r\n",
        "* 1 FETCH (UID 1 X \")\" Y (BODY[] {500}\r\n",
        "* 1 FETCH (UID 1 X (\r\n",
        "* 1 FETCH (UID 1 ENVELOPE {500}\r\n",
        "* 1 FETCH (UID 1 XBODY[] {500}\r\n",
        "* ID (\"name\" {500}\r\n",
        "* SEARCH 1 2\n",
    ] {
        assert_eq!(fetch_answered_with(hidden.into()).await, ImapError::Protocol, "{hidden}");
    }
}

#[tokio::test]
async fn an_endless_line_or_answer_ends() {
    let line = [b"* OK ".to_vec(), vec![b'x'; 200_000]].concat();
    assert_eq!(fetch_answered_with(line).await, ImapError::TooLarge);
    let lines = b"* OK still here\r\n".repeat(100_000);
    assert_eq!(fetch_answered_with(lines).await, ImapError::TooLarge);
}

#[tokio::test]
async fn what_the_parser_cannot_take_ends_the_session_only() {
    for poison in ["* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n", "* OK [ALERT]é\r\n", "* GARBAGE\r\n"] {
        assert_eq!(fetch_answered_with(poison.into()).await, ImapError::Protocol, "{poison}");
    }
}

/// Answers whose brackets the parser would follow to the end of any stack, one call for each.
fn deep_answers() -> [String; 4] {
    let deep = "(".repeat(60_000);
    let part = "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL";
    [
        format!("* 1 FETCH (BODYSTRUCTURE {deep}"),
        format!("* 1 FETCH (BODYSTRUCTURE {part} {deep}"),
        // Where quotes begin and end is a matter of opinion.
        format!("* 1 FETCH (X a\"b BODYSTRUCTURE {deep}\")\r\n"),
        format!("* 1 FETCH (X a\"b BODYSTRUCTURE {part} {}", "(\")\" ".repeat(12_000)),
    ]
}

#[tokio::test]
async fn brackets_within_brackets_end_the_session_only() {
    for deep in deep_answers() {
        assert_eq!(fetch_answered_with(deep.clone().into()).await, ImapError::Protocol);
        let greeting = follow(vec![Act::Bytes(deep.into()), Act::Hang]).await;
        let got = error(open_with(greeting.address(), password(SECRET), PATIENT).await);
        assert_eq!(got, ImapError::Protocol);
    }
}

#[tokio::test]
async fn as_many_brackets_as_an_answer_may_have_are_read_on_any_stack() {
    let depth = 31;
    let part = "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL";
    let nested = format!("{part}{}{})", " (1".repeat(depth - 1), ")".repeat(depth - 1));
    let answer = format!("* 1 FETCH (BODYSTRUCTURE {nested})\r\n* 1 FETCH (FLAGS (\\Seen) MODSEQ (7))\r\n")
        .repeat(100);
    let body = "* 1 FETCH (UID 1 BODY[] {40}\r\n".to_owned() + &"(".repeat(40) + ")\r\nP3 OK done\r\n";
    let (_server, address) = after_select(vec![Act::Bytes((answer + &body).into()), Act::Hang]).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (session, _) = session.select("INBOX").await.unwrap();
    let (_, mails) = session.fetch(&[1], 1000).await.unwrap();
    assert_eq!(mails, [(1, vec![b'('; 40])]);
}

#[tokio::test]
async fn a_line_that_comes_byte_by_byte_is_not_read_anew_with_every_byte() {
    let line = format!("* SEARCH{}\r\n", " 7".repeat(30_000));
    let script = vec![Act::Drip(line.into()), Act::Say("TAG OK done\r\n"), Act::Hang];
    let (_server, address) = after_select(script).await;
    // The processor tells, and not a deadline on a busy machine.
    let patient = Timeouts { command: Duration::from_secs(240), ..PATIENT };
    let session = open_with(address, password(SECRET), patient).await.unwrap();
    let (session, _) = session.select("INBOX").await.unwrap();
    let before = processor_time();
    let (_, uids) = session.uids_from(1).await.unwrap();
    assert_eq!(uids, [7]);
    assert!(processor_time() - before < Duration::from_secs(10), "{:?}", processor_time() - before);
}
