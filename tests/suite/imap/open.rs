//! Greeting, TLS and login.

use postkey::imap::{CredentialFault, ImapError, Refused, Session, Step};
use postkey::net::{Login, NetError, Security, TlsFault};

use super::script::{Act, follow};
use super::{ANNA, IMPATIENT, PATIENT, SECRET, error, open_with, password, server};
use crate::support::certificate::Certificate;
use crate::support::dialling::{dialler, encrypted};
use crate::support::imap_server::{Fault, ImapServer, Rule};
use crate::support::loopback::Encryption;

#[tokio::test]
async fn a_password_opens_a_session_that_knows_what_the_server_can_do() {
    let server = server().await;
    let session = open_with(server.address(), password(SECRET), PATIENT).await.unwrap();
    let capabilities = session.capabilities();
    assert!(capabilities.idle && capabilities.has("imap4rev1"), "{:?}", capabilities.names());
    let (session, ()) = session.noop().await.unwrap();
    session.logout().await.unwrap();
    assert_eq!(server.count(ANNA, "NOOP"), 1);
}

#[tokio::test]
async fn every_character_of_a_password_arrives() {
    let server = ImapServer::start(Encryption::None).await;
    for secret in ["", "with space", r#"qu"ote\back\\slash""#, "pässwört 密码", "(){%*]~"] {
        server.add_account(ANNA, secret);
        let opened = open_with(server.address(), password(secret), PATIENT).await;
        assert!(opened.is_ok(), "{secret:?}: {:?}", opened.err());
        let wrong = open_with(server.address(), password(&format!("{secret}x")), PATIENT).await;
        assert!(error(wrong).is_credential());
    }
}

#[tokio::test]
async fn a_line_break_in_a_login_is_never_sent() {
    let server = server().await;
    for secret in ["a\r\nb", "a\nb", "a\0b"] {
        assert_eq!(
            error(open_with(server.address(), password(secret), PATIENT).await),
            ImapError::Unsendable
        );
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn a_token_is_shown_and_a_refused_one_is_a_credential_fault() {
    let server = server().await;
    let token =
        |token: &str| Login::Xoauth2 { username: ANNA.to_owned(), access_token: token.to_owned().into() };
    assert!(open_with(server.address(), token(SECRET), PATIENT).await.is_ok());
    assert!(error(open_with(server.address(), token("old"), PATIENT).await).is_credential());
}

#[tokio::test]
async fn wrong_passwords_and_busy_servers_are_told_apart() {
    use CredentialFault::{Authentication, Authorization, ContactAdministrator, Expired, Unstated};
    let bad = ImapError::BadCredentials;
    let not_understood = ImapError::Refused(Refused { step: Step::Login, is_bad: true, code: None });
    let cases = [
        (Fault::No("[AUTHENTICATIONFAILED] no"), bad(Authentication)),
        (Fault::No("[authorizationfailed] no"), bad(Authorization)),
        (Fault::No("[EXPIRED] old"), bad(Expired)),
        (Fault::No("[CONTACTADMIN] locked"), bad(ContactAdministrator)),
        (Fault::No("[ALERT] Application-specific password required"), bad(Unstated)),
        (Fault::No("LOGIN failed."), bad(Unstated)),
        (Fault::No("[UNAVAILABLE] later"), ImapError::Unavailable),
        (Fault::No("[INUSE] later"), ImapError::Unavailable),
        (Fault::No("[LIMIT] later"), ImapError::Unavailable),
        (Fault::No("[ALERT] Too many simultaneous connections. (Failure)"), ImapError::Unavailable),
        (Fault::Bad("User is authenticated but not connected."), ImapError::Unavailable),
        (Fault::Bad("what?"), not_understood),
        (Fault::Bye("[UNAVAILABLE] down"), ImapError::Bye),
        (Fault::Cut, ImapError::Closed),
    ];
    for (fault, expected) in cases {
        let server = server().await;
        server.rule(Rule::on("LOGIN", fault));
        let got = error(open_with(server.address(), password(SECRET), PATIENT).await);
        assert_eq!(got, expected, "{fault:?}");
        assert_eq!(got.is_transient(), !got.is_credential(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_each_step() {
    let steps = [
        ("GREETING", Step::Greeting),
        ("LOGIN", Step::Login),
        ("CAPABILITY", Step::Capability),
        ("ID", Step::Id),
    ];
    for (command, step) in steps {
        let server = server().await;
        server.rule(Rule::on(command, Fault::Hang));
        let got = open_with(server.address(), password(SECRET), IMPATIENT).await;
        // A server may tell its capabilities with the login; then nobody asks.
        if let Err(got) = got {
            assert_eq!(got, ImapError::Timeout(step));
        } else {
            assert_eq!((server.count(ANNA, command), step), (0, Step::Capability));
        }
    }
}

#[tokio::test]
async fn a_farewell_instead_of_a_greeting_is_transient() {
    let server = server().await;
    server.rule(Rule::on("GREETING", Fault::Bye("too many connections")));
    assert_eq!(error(open_with(server.address(), password(SECRET), PATIENT).await), ImapError::Bye);
}

#[tokio::test]
async fn preauth_and_rubbish_are_no_greetings() {
    for greeting in
        ["* PREAUTH welcome\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\x16\x03\x01\r\n", "* 1 EXISTS\r\n"]
    {
        let server = follow(vec![Act::Say(greeting), Act::Hang]).await;
        let got = error(open_with(server.address(), password(SECRET), PATIENT).await);
        assert_eq!(got, ImapError::Protocol, "{greeting}");
    }
}

#[tokio::test]
async fn an_answer_to_another_command_is_no_login() {
    let server = follow(vec![Act::Say("* OK hi\r\n"), Act::Read, Act::Say("X99 OK in\r\n"), Act::Hang]).await;
    assert_eq!(error(open_with(server.address(), password(SECRET), PATIENT).await), ImapError::Protocol);
}

#[tokio::test]
async fn both_kinds_of_tls_work_and_a_stranger_is_refused() {
    let certificate = Certificate::generate();
    for (encryption, security) in [
        (Encryption::tls(&certificate), Security::Tls),
        (Encryption::start_tls(&certificate), Security::StartTls),
    ] {
        let server = ImapServer::start(encryption).await;
        server.add_account(ANNA, SECRET);
        let dialler = dialler(&[server.address()]);
        let endpoint = encrypted(server.address(), security, &certificate);
        let session = Session::open(&dialler, &endpoint, password(SECRET), PATIENT).await.unwrap();
        session.logout().await.unwrap();
        assert!(
            server
                .commands("")
                .iter()
                .all(|line| security == Security::Tls || !line.contains(SECRET) || line.starts_with("LOGIN"))
        );

        let stranger = encrypted(server.address(), security, &Certificate::generate());
        let got = error(Session::open(&dialler, &stranger, password(SECRET), PATIENT).await);
        assert_eq!(got, ImapError::Net(NetError::Tls(TlsFault::Issuer)));
        assert!(!got.is_transient());
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_password() {
    let server = server().await;
    let endpoint = encrypted(server.address(), Security::StartTls, &Certificate::generate());
    let got = Session::open(&dialler(&[server.address()]), &endpoint, password(SECRET), PATIENT).await;
    assert!(matches!(error(got), ImapError::Refused(Refused { step: Step::StartTls, .. })));
    assert!(server.commands("").iter().all(|line| !line.starts_with("LOGIN")));
}

#[tokio::test]
async fn words_put_in_before_tls_are_refused() {
    for injected in [
        "TAG OK go on\r\n* OK [CAPABILITY IMAP4rev1] mine\r\n",
        "TAG OK go on\r\nP1 OK in\r\n",
        "TAG OK go on\r\n* ",
    ] {
        let server = follow(vec![Act::Say("* OK hi\r\n"), Act::Read, Act::Say(injected), Act::Hang]).await;
        let endpoint = encrypted(server.address(), Security::StartTls, &Certificate::generate());
        let got = Session::open(&dialler(&[server.address()]), &endpoint, password(SECRET), PATIENT).await;
        assert_eq!(error(got), ImapError::Protocol, "{injected}");
    }
}
