//! Mails, one after another.

use std::time::Duration;

use postkey::smtp::{Phase, SmtpErrorKind};

use super::script::{Act, OFFERED, follow, until_data};
use super::{ANNA, IMPATIENT, MAIL, PATIENT, address, open_with, place, send, send_to};
use crate::support::loopback::Encryption;
use crate::support::smtp_server::{Fault, Rule, SmtpServer, Step};

async fn server() -> SmtpServer {
    SmtpServer::start(Encryption::None).await
}

#[tokio::test]
async fn a_connection_carries_many_mails_byte_for_byte() {
    let server = server().await;
    let mails = [
        MAIL.to_vec(),
        b"a\r\n.\r\n..\r\n.b\r\n".to_vec(),
        b".\r\n".to_vec(),
        b"\r\n\r\n".to_vec(),
        [b"x".repeat(100_000), b"\r\n".to_vec()].concat(),
    ];
    let mut connection = open_with(server.address(), None, &PATIENT).await.unwrap();
    for (count, mail) in (1..).zip(&mails) {
        let accepted;
        (connection, accepted) = send(connection, mail).await.unwrap();
        assert_eq!((accepted.code, accepted.text.as_str()), (250, "2.0.0 taken"));
        assert_eq!((connection.served(), connection.is_reusable()), (count, true));
        connection = connection.reset_check().await.unwrap();
    }
    connection.quit().await;
    let got: Vec<_> = server.accepted().into_iter().map(|mail| mail.bytes).collect();
    assert_eq!(got, mails);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn lone_line_ends_cannot_smuggle_a_second_mail() {
    let server = server().await;
    for mail in [&b"a\n.\r\nMAIL FROM:<x@y>\r\n"[..], b"a\r.\rb", b"a\r\n.\nb"] {
        send_to(server.address(), &PATIENT, mail).await.unwrap();
    }
    let got: Vec<_> = server.accepted().into_iter().map(|mail| mail.bytes).collect();
    let expected = [&b"a\r\n.\r\nMAIL FROM:<x@y>\r\n"[..], b"a\r\n.\r\nb\r\n", b"a\r\n.\r\nb\r\n"];
    assert_eq!(got, expected);
}

#[tokio::test]
async fn an_offer_can_be_taken_back() {
    let server = server().await;
    let connection = open_with(server.address(), None, &PATIENT).await.unwrap();
    let offer = connection.offer(&address(ANNA), &address("bob@example.org")).await.unwrap();
    let connection = offer.withdraw().await.unwrap();
    send(connection, MAIL).await.unwrap();
    assert_eq!(server.accepted().len(), 1);
}

#[tokio::test]
async fn every_refusal_tells_where_it_came() {
    use SmtpErrorKind::{Closed, Credentials, Permanent, Timeout, Transient};
    let steps = [
        (Step::MailFrom, Phase::MailFrom),
        (Step::RcptTo, Phase::RcptTo),
        (Step::Data, Phase::Data),
        (Step::AfterDot, Phase::AfterDot),
    ];
    for (step, phase) in steps {
        for (fault, kind, enhanced) in [
            (Fault::Reply("421 4.3.2 later"), Transient(421), Some("4.3.2")),
            (Fault::Reply("451 later"), Transient(451), None),
            (Fault::Reply("550 5.7.60 not as this sender"), Permanent(550), Some("5.7.60")),
            (Fault::Reply("530 5.7.0 log in"), Credentials(530), Some("5.7.0")),
            (Fault::Cut, Closed, None),
            (Fault::Hang, Timeout, None),
        ] {
            let server = server().await;
            server.rule(Rule::at(step, fault));
            let got = send_to(server.address(), &IMPATIENT, MAIL).await.unwrap_err();
            let expected = (phase, kind, enhanced);
            assert_eq!((got.phase, got.kind, got.enhanced.as_deref()), expected, "{step:?} {fault:?}");
            let has_no_reply = matches!(kind, Closed | Timeout);
            assert_eq!(got.is_ambiguous(), step == Step::AfterDot && has_no_reply, "{step:?} {fault:?}");
            assert!(!got.to_string().contains("sender"), "no text of the server");
            assert!(server.accepted().is_empty());
        }
    }
}

#[tokio::test]
async fn a_connection_that_went_stale_is_no_attempt() {
    for fault in [Fault::Reply("421 4.4.2 idle for too long"), Fault::Cut] {
        for step in [Step::Reset, Step::MailFrom] {
            let server = server().await;
            let connection = open_with(server.address(), None, &PATIENT).await.unwrap();
            let (connection, _) = send(connection, MAIL).await.unwrap();
            server.rule(Rule::at(step, fault));
            let got = match step {
                Step::Reset => connection.reset_check().await.err(),
                _ => send(connection, MAIL).await.err(),
            };
            let got = got.unwrap();
            assert!(got.is_stale(), "{got:?}");
            // The same on a fresh connection is an answer.
            let fresh = send_to(server.address(), &PATIENT, MAIL).await;
            assert!(step == Step::Reset || !fresh.unwrap_err().is_stale());
        }
    }
}

#[tokio::test]
async fn a_server_that_closed_in_the_meantime_is_noticed() {
    let server = server().await;
    let connection = open_with(server.address(), None, &PATIENT).await.unwrap();
    let (connection, _) = send(connection, MAIL).await.unwrap();
    server.cut();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let got = connection.reset_check().await.err().unwrap();
    assert_eq!((got.phase, got.kind, got.is_stale()), (Phase::Reuse, SmtpErrorKind::Closed, true));
}

#[tokio::test]
async fn two_replies_to_one_command_never_shift_the_rest() {
    let script = vec![
        Act::Say("220 ready\r\n"),
        Act::Read,
        Act::Say("250 hello\r\n"),
        Act::Read,
        Act::Say("250 fine\r\n250 fine\r\n"),
        Act::Read,
        Act::Say("550 no such user\r\n"),
        Act::Hang,
    ];
    let server = follow(script).await;
    let got = place(send_to(server.address(), &PATIENT, MAIL).await);
    assert_eq!(got, (Phase::RcptTo, SmtpErrorKind::Protocol));
}

#[tokio::test]
async fn replies_without_text_or_beyond_ascii_are_understood() {
    let script = [
        until_data(),
        vec![Act::ReadMail, Act::Say("250-ok é\r\n250\r\n"), Act::Read, Act::Say("250 yes\r\n"), Act::Hang],
    ];
    let server = follow(script.concat()).await;
    let connection = open_with(server.address(), None, &PATIENT).await.unwrap();
    let (connection, accepted) = send(connection, MAIL).await.unwrap();
    assert_eq!(accepted.text.trim(), "ok ??");
    connection.reset_check().await.unwrap();
}

#[tokio::test]
async fn what_the_server_does_not_take_is_not_sent() {
    let offers = |hello| {
        [&[Act::Say("220 ready\r\n"), Act::Read, Act::Say(hello)], &OFFERED[3..], &[Act::Hang]].concat()
    };
    let server = follow(offers("250-hello\r\n250 SIZE 10\r\n")).await;
    let got = place(send_to(server.address(), &PATIENT, MAIL).await);
    assert_eq!(got, (Phase::Data, SmtpErrorKind::TooLarge));
    let server = follow(offers("250 hello\r\n")).await;
    let got = place(send_to(server.address(), &PATIENT, "\r\nü\r\n".as_bytes()).await);
    assert_eq!(got, (Phase::Data, SmtpErrorKind::NotOffered));
    let connection = open_with(server.address(), None, &PATIENT).await.unwrap();
    let got = place(connection.offer(&address(ANNA), &address("jürgen@example.org")).await);
    assert_eq!(got, (Phase::MailFrom, SmtpErrorKind::NotOffered));
}

#[tokio::test]
async fn an_endless_reply_ends() {
    let endless: &'static str = Box::leak("250-x\r\n".repeat(50_000).into_boxed_str());
    let server = follow(vec![Act::Say("220 ready\r\n"), Act::Read, Act::Say(endless), Act::Hang]).await;
    let got = place(open_with(server.address(), None, &PATIENT).await);
    assert_eq!(got, (Phase::Hello, SmtpErrorKind::Protocol));
}
