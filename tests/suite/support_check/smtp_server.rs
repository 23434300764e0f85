//! The scripted SMTP server takes mail, and misbehaves on command, towards a real client.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate as Trusted, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::support::certificate::Certificate;
use crate::support::loopback::Encryption;
use crate::support::smtp_server::{AcceptedMail, Fault, Rule, SmtpServer, Step};

const MAIL: &[u8] = b"Subject: hello\r\n\r\n.a line with a dot\r\n..\r\nend";

async fn server_with_anna(encryption: Encryption) -> SmtpServer {
    let server = SmtpServer::start(encryption).await;
    server.add_account("anna", "secret");
    server
}

fn client(
    server: &SmtpServer,
    secret: &str,
    mechanism: Mechanism,
    tls: Tls,
) -> AsyncSmtpTransport<Tokio1Executor> {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(server.address().port())
        .credentials(Credentials::new("anna".into(), secret.into()))
        .authentication(vec![mechanism])
        .tls(tls)
        .build()
}

/// Sends on a connection of its own.
async fn send(server: &SmtpServer) -> Result<(), Error> {
    send_with(&client(server, "secret", Mechanism::Plain, Tls::None)).await
}

async fn send_with(client: &AsyncSmtpTransport<Tokio1Executor>) -> Result<(), Error> {
    let from = "anna@example.com".parse().unwrap();
    let envelope = Envelope::new(Some(from), vec!["bob@example.org".parse().unwrap()]).unwrap();
    client.send_raw(&envelope, MAIL).await.map(drop)
}

fn taken() -> AcceptedMail {
    AcceptedMail {
        from: "anna@example.com".to_owned(),
        to: vec!["bob@example.org".to_owned()],
        // lettre ends every mail with a CRLF of its own.
        bytes: [MAIL, b"\r\n"].concat(),
        user: Some("anna".to_owned()),
    }
}

#[tokio::test]
async fn mail_is_taken_byte_for_byte_after_each_kind_of_login() {
    let server = server_with_anna(Encryption::None).await;
    for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::Xoauth2] {
        send_with(&client(&server, "secret", mechanism, Tls::None)).await.unwrap();
    }
    assert_eq!(server.accepted(), [taken(), taken(), taken()]);
    assert_eq!(server.connections(), 3);
    let refused = send_with(&client(&server, "wrong", Mechanism::Plain, Tls::None)).await.unwrap_err();
    assert_eq!(refused.status().map(|code| code.to_string()).as_deref(), Some("535"));
}

#[tokio::test]
async fn both_kinds_of_tls_work() {
    let certificate = Certificate::generate();
    let trusted = Trusted::from_pem(certificate.certificate_pem().as_bytes()).unwrap();
    let parameters =
        TlsParameters::builder("127.0.0.1".into()).add_root_certificate(trusted).build().unwrap();
    for (encryption, tls) in [
        (Encryption::tls(&certificate), Tls::Wrapper(parameters.clone())),
        (Encryption::start_tls(&certificate), Tls::Required(parameters)),
    ] {
        let server = server_with_anna(encryption).await;
        send_with(&client(&server, "secret", Mechanism::Plain, tls)).await.unwrap();
        assert_eq!(server.accepted(), [taken()]);
    }
}

#[tokio::test]
async fn every_step_can_be_refused_cut_or_left_hanging() {
    const STEPS: [Step; 9] = [
        Step::Connect,
        Step::Hello,
        Step::Auth,
        Step::MailFrom,
        Step::RcptTo,
        Step::Data,
        Step::Body,
        Step::AfterDot,
        Step::Taken,
    ];
    let server = server_with_anna(Encryption::None).await;
    for step in STEPS {
        server.rule(Rule::at(step, Fault::Reply("451 4.3.0 later")).times(1));
        let refused = send(&server).await.expect_err(&format!("{step:?}"));
        // In the middle of the content nobody listens for a reply; the close is what a client sees.
        assert!(refused.is_transient() || step == Step::Body, "{step:?}: {refused:?}");
    }
    for step in STEPS {
        server.rule(Rule::at(step, Fault::Cut).times(1));
        let cut = send(&server).await.expect_err(&format!("{step:?}"));
        assert!(!cut.is_transient() && !cut.is_permanent(), "{step:?}: {cut:?}");
    }
    for step in [Step::Connect, Step::AfterDot] {
        server.rule(Rule::at(step, Fault::Hang).times(1));
        let hung = tokio::time::timeout(Duration::from_millis(100), send(&server)).await;
        assert!(hung.is_err(), "{step:?}");
    }
    assert_eq!(server.accepted(), [taken(), taken()], "only a lost answer leaves the mail taken");
    send(&server).await.unwrap();
}

#[tokio::test]
async fn a_rule_befalls_only_the_account_and_connection_it_names() {
    let server = server_with_anna(Encryption::None).await;
    server.rule(Rule::at(Step::RcptTo, Fault::Reply("550 5.1.1 nobody")).account("bob"));
    server.rule(Rule::at(Step::RcptTo, Fault::Reply("550 5.1.1 nobody")).connection(1));
    send(&server).await.unwrap();
    assert!(send(&server).await.unwrap_err().is_permanent());
    server.clear_rules();
    send(&server).await.unwrap();
}

#[tokio::test]
async fn a_refused_start_tls_and_a_cut_connection_are_seen() {
    let certificate = Certificate::generate();
    let server = server_with_anna(Encryption::start_tls(&certificate)).await;
    server.rule(Rule::at(Step::StartTls, Fault::Reply("454 4.7.0 not now")));
    let parameters = TlsParameters::new("127.0.0.1".into()).unwrap();
    let required = client(&server, "secret", Mechanism::Plain, Tls::Required(parameters));
    assert!(send_with(&required).await.is_err());

    let server = server_with_anna(Encryption::None).await;
    server.rule(Rule::at(Step::MailFrom, Fault::Hang));
    let (sent, ()) = tokio::join!(send(&server), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.cut();
    });
    assert!(sent.is_err());
    server.rule(Rule::at(Step::Reset, Fault::Cut));
}
