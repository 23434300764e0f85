//! Before or after the final dot: the difference between sending again and asking a person.

use postkey::smtp::{Phase, SmtpError, SmtpErrorKind};

use super::script::{Act, follow, until_data};
use super::{IMPATIENT, MAIL, PATIENT, send_to};
use crate::support::loopback::Encryption;
use crate::support::smtp_server::{Fault, Rule, SmtpServer, Step};

/// More than the buffers between two processes hold.
fn large() -> Vec<u8> {
    b"0123456789abcde\r\n".repeat(2_000_000)
}

async fn fails_with(script: Vec<Act>, mail: &[u8]) -> SmtpError {
    let server = follow(script).await;
    send_to(server.address(), &IMPATIENT, mail).await.unwrap_err()
}

#[tokio::test]
async fn lost_or_late_after_the_dot_is_ambiguous() {
    for (end, kind) in [
        (vec![], SmtpErrorKind::Closed),
        (vec![Act::Hang], SmtpErrorKind::Timeout),
        (vec![Act::Say("250-2.0.0 al"), Act::Hang], SmtpErrorKind::Timeout),
        (vec![Act::Say("250-2.0.0 almost\r\n")], SmtpErrorKind::Closed),
        (vec![Act::Say("what?\r\n"), Act::Hang], SmtpErrorKind::Protocol),
    ] {
        let got = fails_with([until_data(), vec![Act::ReadMail], end].concat(), MAIL).await;
        assert_eq!((got.phase, got.kind), (Phase::AfterDot, kind));
        assert!(got.is_ambiguous() && !got.is_transient());
    }
}

#[tokio::test]
async fn a_reply_after_the_dot_is_never_ambiguous() {
    for (reply, kind) in [
        ("451 4.3.0 later\r\n", SmtpErrorKind::Transient(451)),
        ("554-5.7.1 spam\r\n554 5.7.1 no\r\n", SmtpErrorKind::Permanent(554)),
    ] {
        let got = fails_with([until_data(), vec![Act::ReadMail, Act::Say(reply)]].concat(), MAIL).await;
        assert_eq!((got.phase, got.kind, got.is_ambiguous()), (Phase::AfterDot, kind, false));
    }
}

#[tokio::test]
async fn a_server_that_took_the_mail_and_left_has_it() {
    let server = SmtpServer::start(Encryption::None).await;
    server.rule(Rule::at(Step::Taken, Fault::Cut));
    let got = send_to(server.address(), &PATIENT, MAIL).await.unwrap_err();
    assert!(got.is_ambiguous());
    assert_eq!(server.accepted().len(), 1);
}

#[tokio::test]
async fn before_the_dot_nothing_is_ambiguous() {
    let mail = large();
    for (end, kind) in [
        (vec![Act::Read], SmtpErrorKind::Closed),
        (vec![Act::Read, Act::Freeze], SmtpErrorKind::Timeout),
        (vec![Act::Read, Act::Say("452 4.2.2 full\r\n"), Act::Hang], SmtpErrorKind::Transient(452)),
        (vec![Act::Read, Act::Say("552 5.3.4 too large\r\n"), Act::Hang], SmtpErrorKind::Permanent(552)),
    ] {
        let got = fails_with([until_data(), end].concat(), &mail).await;
        assert_eq!((got.phase, got.kind, got.is_ambiguous()), (Phase::Body, kind, false));
    }
}

#[tokio::test]
async fn a_second_reply_to_data_keeps_the_dot_back() {
    let data = [&until_data()[..8], &[Act::Say("354 go\r\n250 taken\r\n"), Act::Hang]].concat();
    let got = fails_with(data, MAIL).await;
    assert_eq!((got.phase, got.kind, got.is_ambiguous()), (Phase::Body, SmtpErrorKind::Protocol, false));
}

#[tokio::test]
async fn a_small_mail_that_is_on_its_way_with_its_dot_is_ambiguous() {
    let server = SmtpServer::start(Encryption::None).await;
    server.rule(Rule::at(Step::Body, Fault::Hang));
    let got = send_to(server.address(), &IMPATIENT, MAIL).await.unwrap_err();
    assert!(got.is_ambiguous());
}
