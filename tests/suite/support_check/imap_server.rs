//! The scripted IMAP server behaves, and misbehaves on command, towards a real client.

use std::time::Duration;

use async_imap::Client;
use async_imap::extensions::idle::IdleResponse;
use postkey::clock::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::imap_client::{LONG, dial, encrypt, fetch, idle, log_in, log_in_with_tls};
use crate::support::certificate::Certificate;
use crate::support::imap_server::{Fault, Idle, ImapServer, Rule};
use crate::support::loopback::Encryption;
use crate::support::wait;

const ANNA: &str = "anna@example.com";
const SECRET: &str = "a \"quoted\" \\ secret";
const MAIL: &[u8] = b"Message-ID: <1@example.org>\r\nSubject: hello\r\n\r\nhello\r\n";

async fn server_with_anna() -> ImapServer {
    let server = ImapServer::start(Encryption::None).await;
    server.add_account(ANNA, SECRET);
    server
}

#[tokio::test]
async fn mail_is_searched_and_fetched() {
    let server = server_with_anna().await;
    server.deliver(ANNA, MAIL);
    let uid = server.deliver_dated(ANNA, b"Subject: old\r\n\r\n", Timestamp::from_millis(1_000_000_000_000));
    let mut session = log_in(server.address(), ANNA, SECRET).await.unwrap();

    let inbox = session.select("INBOX").await.unwrap();
    assert_eq!((inbox.exists, inbox.uid_next), (2, Some(3)));
    assert_eq!(session.uid_search("UID 9:*").await.unwrap(), [uid].into(), "n:* names the last mail");
    let found = session.uid_search("HEADER Message-ID <1@example.org>").await.unwrap();
    assert_eq!(found, [1].into());

    let described = fetch(&mut session, "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)").await.unwrap();
    assert_eq!(described[0].size, Some(MAIL.len() as u32));
    assert_eq!(described[1].internal_date().unwrap().timestamp(), 1_000_000_000);
    let bodies = fetch(&mut session, "1", "BODY.PEEK[]").await.unwrap();
    assert_eq!(bodies[0].body(), Some(MAIL));
    let start = fetch(&mut session, "1", "BODY.PEEK[]<0.10>").await.unwrap();
    assert_eq!((start[0].uid, start[0].body()), (Some(1), Some(&MAIL[..10])));
    assert_eq!(server.count(ANNA, "UID FETCH"), 3);
    assert!(server.commands(ANNA)[0].starts_with("LOGIN"));
}

#[tokio::test]
async fn idle_tells_of_new_mail_unless_it_is_silent_or_missing() {
    let server = server_with_anna().await;
    let mut session = log_in(server.address(), ANNA, SECRET).await.unwrap();
    session.select("INBOX").await.unwrap();

    let (woken, _) = tokio::join!(idle(session, LONG), async {
        wait::until("IDLE", LONG, || async { server.count(ANNA, "IDLE") == 1 }).await;
        server.deliver(ANNA, MAIL)
    });
    let (session, woke) = woken;
    assert!(matches!(woke, IdleResponse::NewData(_)));

    server.set_idle(ANNA, Idle::Silent);
    server.deliver(ANNA, MAIL);
    let (mut session, woke) = idle(session, Duration::from_millis(50)).await;
    assert!(matches!(woke, IdleResponse::Timeout));

    server.set_idle(ANNA, Idle::Missing);
    assert!(!session.capabilities().await.unwrap().has_str("IDLE"));
}

#[tokio::test]
async fn appended_mail_is_kept_and_flags_are_stored() {
    let server = server_with_anna().await;
    let uid = server.deliver(ANNA, MAIL);
    let mut session = log_in(server.address(), ANNA, SECRET).await.unwrap();
    session.append("Sent", Some("(\\Seen)"), None, MAIL).await.unwrap();
    assert_eq!(server.sent(ANNA), [MAIL]);

    session.select("INBOX").await.unwrap();
    let stored = session.uid_store(uid.to_string(), "+FLAGS (\\Answered)").await.unwrap();
    drop(stored);
    session.noop().await.unwrap();
    assert_eq!(server.flags(ANNA, uid), ["\\Answered"]);
    server.remove(ANNA, uid);
    assert!(server.flags(ANNA, uid).is_empty());
}

#[tokio::test]
async fn rules_fail_the_commands_they_name_and_no_others() {
    let server = server_with_anna().await;
    server.rule(Rule::on("LOGIN", Fault::No("[UNAVAILABLE] later")).account(ANNA).times(1));
    let refused = log_in(server.address(), ANNA, SECRET).await.unwrap_err();
    assert!(
        refused.to_string().contains("Unavailable") || refused.to_string().contains("later"),
        "{refused}"
    );
    let wrong = log_in(server.address(), ANNA, "wrong").await.unwrap_err();
    assert!(wrong.to_string().contains("wrong name or password"), "{wrong}");

    server.rule(Rule::on("NOOP", Fault::Bad("what?")).connection(0));
    server.rule(Rule::on("UID FETCH", Fault::No("not now")).containing("BODY"));
    server.deliver(ANNA, MAIL);
    let mut session = log_in(server.address(), ANNA, SECRET).await.unwrap();
    session.noop().await.unwrap();
    session.select("INBOX").await.unwrap();
    assert_eq!(fetch(&mut session, "1", "FLAGS").await.unwrap().len(), 1);
    // async-imap's stream hides the NO: nothing comes, and no error either.
    assert_eq!(fetch(&mut session, "1", "BODY.PEEK[]").await.unwrap().len(), 0);
    server.clear_rules();
    assert_eq!(fetch(&mut session, "1", "BODY.PEEK[]").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_literal_is_cut_in_the_middle() {
    let server = server_with_anna().await;
    server.deliver(ANNA, MAIL);
    server.rule(Rule::on("UID FETCH", Fault::CutInLiteral));
    let mut stream = dial(server.address()).await;
    let login = format!("a LOGIN {ANNA} {{{}}}\r\n", SECRET.len());
    stream.write_all(login.as_bytes()).await.unwrap();
    stream
        .write_all(format!("{SECRET}\r\nb SELECT inbox\r\nc UID FETCH 1 BODY[]\r\n").as_bytes())
        .await
        .unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    let end = format!("BODY[] {{{}}}\r\n", MAIL.len()).into_bytes();
    assert!(
        heard.ends_with(&[&end, &MAIL[..MAIL.len() / 2]].concat()),
        "{}",
        String::from_utf8_lossy(&heard)
    );
}

#[tokio::test]
async fn silence_cuts_and_farewells_are_as_ordered() {
    let server = server_with_anna().await;
    server.rule(Rule::on("GREETING", Fault::Bye("too many")).connection(0));
    server.rule(Rule::on("GREETING", Fault::Cut).connection(1));
    server.rule(Rule::on("GREETING", Fault::Say(b"* OK hm\r\n")).connection(2).times(1));
    server.rule(Rule::on("NOOP", Fault::SayAndHang(b"* 7 EXISTS\r\n")));
    server.rule(Rule::on("CAPABILITY", Fault::Hang));
    assert_eq!(heard_until_closed(&server, "").await, "* BYE too many\r\n");
    assert_eq!(heard_until_closed(&server, "").await, "");
    let farewell = heard_until_closed(&server, "a LOGOUT\r\n").await;
    assert_eq!(farewell, "* OK hm\r\n* OK ready\r\n* BYE until next time\r\na OK done\r\n");

    for (command, expected) in
        [("a NOOP\r\n", "* OK ready\r\n* 7 EXISTS\r\n"), ("a CAPABILITY\r\n", "* OK ready\r\n")]
    {
        let heard = tokio::spawn(say_and_listen(server.address(), command));
        wait::until("an open connection", LONG, || async { server.open() == 1 }).await;
        let sent = wait::until("the command", LONG, || async { server.count("", &command[2..6]) == 1 });
        sent.await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        server.cut();
        assert_eq!(heard.await.unwrap(), expected);
    }
    assert_eq!(server.accepted(), 5);
}

#[tokio::test]
async fn sizes_and_uid_validity_can_lie() {
    let server = server_with_anna().await;
    server.deliver(ANNA, MAIL);
    server.remove(ANNA, 1);
    server.deliver(ANNA, MAIL);
    server.lie_about_size(ANNA, Some(5));
    let mut session = log_in(server.address(), ANNA, SECRET).await.unwrap();
    let before = session.select("INBOX").await.unwrap();
    assert_eq!(fetch(&mut session, "2", "RFC822.SIZE").await.unwrap()[0].size, Some(5));
    server.change_uid_validity(ANNA);
    let after = session.select("INBOX").await.unwrap();
    assert_ne!(before.uid_validity, after.uid_validity);
    assert_eq!(session.uid_search("ALL").await.unwrap(), [1].into());
}

#[tokio::test]
async fn both_kinds_of_tls_work() {
    let certificate = Certificate::generate();
    let server = ImapServer::start(Encryption::tls(&certificate)).await;
    server.add_account(ANNA, SECRET);
    log_in_with_tls(server.address(), &certificate, ANNA, SECRET).await.noop().await.unwrap();

    let server = ImapServer::start(Encryption::start_tls(&certificate)).await;
    server.add_account(ANNA, SECRET);
    let mut client = Client::new(dial(server.address()).await);
    client.read_response().await.unwrap();
    client.run_command_and_check_ok("STARTTLS", None).await.unwrap();
    let client = Client::new(encrypt(&certificate, client.into_inner()).await);
    let session = client.authenticate("XOAUTH2", &Token).await.map_err(|(error, _)| error);
    session.unwrap().noop().await.unwrap();
}

struct Token;

impl async_imap::Authenticator for &Token {
    type Response = String;

    fn process(&mut self, _: &[u8]) -> String {
        format!("user={ANNA}\x01auth=Bearer {SECRET}\x01\x01")
    }
}

async fn heard_until_closed(server: &ImapServer, command: &'static str) -> String {
    say_and_listen(server.address(), command).await
}

async fn say_and_listen(address: std::net::SocketAddr, command: &'static str) -> String {
    let mut stream = dial(address).await;
    stream.write_all(command.as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    heard
}
