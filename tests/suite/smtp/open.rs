//! Greeting, TLS and login.

use postkey::net::{Login, NetError, Security, TlsFault};
use postkey::smtp::{Connection, Phase, SmtpError, SmtpErrorKind};

use super::script::{Act, follow};
use super::{ANNA, IMPATIENT, MAIL, PATIENT, SECRET, open_with, password, place, send};
use crate::support::certificate::Certificate;
use crate::support::dialling::{dialler, encrypted};
use crate::support::loopback::Encryption;
use crate::support::smtp_server::{Fault, Rule, SmtpServer, Step};

async fn server() -> SmtpServer {
    let server = SmtpServer::start(Encryption::None).await;
    server.add_account(ANNA, SECRET);
    server
}

#[tokio::test]
async fn passwords_of_all_characters_and_tokens_log_in() {
    for secret in ["", "with space", r#"qu"ote\back"#, "pässwört 密码"] {
        let server = SmtpServer::start(Encryption::None).await;
        server.add_account(ANNA, secret);
        let token = Login::Xoauth2 { username: ANNA.to_owned(), access_token: secret.into() };
        for login in [password(secret), token] {
            let connection = open_with(server.address(), Some(login), &PATIENT).await.unwrap();
            send(connection, MAIL).await.unwrap().0.quit().await;
        }
        assert_eq!(server.accepted().iter().filter(|mail| mail.user.as_deref() == Some(ANNA)).count(), 2);
    }
}

#[tokio::test]
async fn login_is_spoken_where_plain_is_not() {
    let script = vec![
        Act::Say("220 ready\r\n"),
        Act::Read,
        Act::Say("250-hello\r\n250 AUTH LOGIN\r\n"),
        Act::Read,
        Act::Say("334 QmVudXR6ZXI6\r\n"),
        Act::Read,
        Act::Say("334 S2VubndvcnQ6\r\n"),
        Act::Read,
        Act::Say("235 in\r\n"),
        Act::Hang,
    ];
    let server = follow(script).await;
    assert!(open_with(server.address(), Some(password(SECRET)), &PATIENT).await.is_ok());
}

#[tokio::test]
async fn a_line_break_in_a_login_is_never_sent() {
    let server = server().await;
    let got = place(open_with(server.address(), Some(password("a\r\nb")), &PATIENT).await);
    assert_eq!(got, (Phase::Login, SmtpErrorKind::Unsendable));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_refused_login_is_told_from_a_busy_server() {
    let server = server().await;
    let token = Login::Xoauth2 { username: ANNA.to_owned(), access_token: "old".into() };
    for login in [password("wrong"), token] {
        let got = open_with(server.address(), Some(login), &PATIENT).await.err().unwrap();
        assert_eq!((got.phase, got.kind), (Phase::Login, SmtpErrorKind::Credentials(535)));
        assert!(got.is_credential() && !got.is_transient() && !got.is_ambiguous());
    }
    for (reply, kind) in [
        ("454 4.7.0 later", SmtpErrorKind::Transient(454)),
        ("421 4.7.0 too many", SmtpErrorKind::Transient(421)),
        ("534 5.7.9 application password", SmtpErrorKind::Credentials(534)),
        ("550 5.7.1 disabled", SmtpErrorKind::Credentials(550)),
        ("504 5.5.4 what?", SmtpErrorKind::Permanent(504)),
        ("334 again?", SmtpErrorKind::Protocol),
        ("rubbish", SmtpErrorKind::Protocol),
    ] {
        let server = self::server().await;
        server.rule(Rule::at(Step::Auth, Fault::Reply(reply)));
        let got = open_with(server.address(), Some(password(SECRET)), &PATIENT).await;
        assert_eq!(place(got), (Phase::Login, kind), "{reply}");
    }
}

#[tokio::test]
async fn a_server_without_a_way_to_log_in_gets_no_password() {
    let script = vec![Act::Say("220 ready\r\n"), Act::Read, Act::Say("250 hello\r\n"), Act::Hang];
    let server = follow(script).await;
    let got = place(open_with(server.address(), Some(password(SECRET)), &PATIENT).await);
    assert_eq!(got, (Phase::Login, SmtpErrorKind::NotOffered));
}

#[tokio::test]
async fn each_step_has_its_faults_and_its_deadline() {
    use SmtpErrorKind::{Closed, Permanent, Timeout, Transient};
    for (step, phase) in
        [(Step::Connect, Phase::Greeting), (Step::Hello, Phase::Hello), (Step::Auth, Phase::Login)]
    {
        for (fault, kind) in [
            (Fault::Reply("421 4.3.2 later"), Transient(421)),
            (Fault::Reply("451 4.3.2 later"), Transient(451)),
            (Fault::Reply("500 5.5.1 never"), Permanent(500)),
            (Fault::Cut, Closed),
            (Fault::Hang, Timeout),
        ] {
            let server = server().await;
            server.rule(Rule::at(step, fault));
            let got = open_with(server.address(), Some(password(SECRET)), &IMPATIENT).await;
            assert_eq!(place(got), (phase, kind), "{step:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn both_kinds_of_tls_work_and_a_stranger_is_refused() {
    let certificate = Certificate::generate();
    for (encryption, security, phase) in [
        (Encryption::tls(&certificate), Security::Tls, Phase::Connect),
        (Encryption::start_tls(&certificate), Security::StartTls, Phase::StartTls),
    ] {
        let server = SmtpServer::start(encryption).await;
        server.add_account(ANNA, SECRET);
        let dialler = dialler(&[server.address()]);
        let open = async |certificate: &Certificate| {
            let endpoint = encrypted(server.address(), security, certificate);
            Connection::open(&dialler, &endpoint, Some(password(SECRET)), &PATIENT, "client").await
        };
        let connection = open(&certificate).await.unwrap();
        send(connection, MAIL).await.unwrap();
        let got: (Phase, SmtpErrorKind) = place(open(&Certificate::generate()).await);
        assert_eq!(got, (phase, SmtpErrorKind::Net(NetError::Tls(TlsFault::Issuer))));
    }
}

#[tokio::test]
async fn starttls_is_required_and_words_before_it_are_refused() {
    let open = async |script: Vec<Act>| -> SmtpError {
        let server = follow(script).await;
        let endpoint = encrypted(server.address(), Security::StartTls, &Certificate::generate());
        let dialler = dialler(&[server.address()]);
        let got = Connection::open(&dialler, &endpoint, Some(password(SECRET)), &PATIENT, "client").await;
        got.err().unwrap()
    };
    let greeting = [Act::Say("220 ready\r\n"), Act::Read];
    let without = [&greeting[..], &[Act::Say("250-hello\r\n250 AUTH PLAIN\r\n"), Act::Hang]].concat();
    let got = open(without).await;
    assert_eq!((got.phase, got.kind), (Phase::StartTls, SmtpErrorKind::NotOffered));
    for injected in ["220 go\r\n250-hello\r\n250 AUTH PLAIN\r\n", "220 go\r\n2"] {
        let hello = [Act::Say("250-hello\r\n250 STARTTLS\r\n"), Act::Read, Act::Say(injected), Act::Hang];
        let got = open([&greeting[..], &hello[..]].concat()).await;
        assert_eq!((got.phase, got.kind), (Phase::StartTls, SmtpErrorKind::Protocol));
    }
}
