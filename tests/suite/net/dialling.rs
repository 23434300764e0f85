//! Connections to mail servers.

use std::sync::Arc;
use std::time::Duration;

use postkey::net::{Dialler, Endpoint, NetError, Refusal, Security, TlsFault, Use};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Names;

const LIMIT: Duration = Duration::from_secs(3);

/// A server that answers `*` to each connection; with TLS at once, or after one line of clear text.
struct Server {
    port: u16,
    ca_pem: String,
}

impl Server {
    async fn start(security: Security) -> Self {
        Self::start_with(security, certificate_for("mail.internal")).await
    }

    async fn start_with(security: Security, certificate: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let made = certificate.self_signed(&key).unwrap();
        let key = key.serialize_der().try_into().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), security));
        Self { port, ca_pem: made.pem() }
    }

    fn endpoint(&self, security: Security) -> Endpoint {
        let ca_pem = Some(self.ca_pem.clone());
        Endpoint { host: "mail.internal".into(), port: self.port, security, ca_pem }
    }

    fn dialler(&self) -> Dialler {
        let names =
            Names::default().then("mail.internal", &["127.0.0.1"]).then("other.internal", &["127.0.0.1"]);
        let entries = ["mail.internal", "other.internal"].map(|host| format!("{host}:{}", self.port));
        Dialler::new(names.guard(&entries.each_ref().map(String::as_str))).unwrap()
    }
}

fn certificate_for(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, security: Security) {
    while let Ok((mut tcp, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if security != Security::Tls {
                tcp.write_all(b"*").await.unwrap();
                if tcp.read_u8().await.is_err() || security == Security::None {
                    return;
                }
            }
            if let Ok(mut tls) = acceptor.accept(tcp).await {
                let _ = tls.write_all(b"*").await;
                let _ = tls.read_u8().await;
            }
        });
    }
}

#[tokio::test]
async fn tls_from_the_first_byte_is_spoken_with_the_owners_own_authority() {
    let server = Server::start(Security::Tls).await;
    let dialler = server.dialler();
    for _ in 0..2 {
        let mut stream = dialler.connect(&server.endpoint(Security::Tls), Use::Imap, LIMIT).await.unwrap();
        assert!(stream.is_encrypted());
        assert_eq!(stream.peer_addr().unwrap().port(), server.port);
        assert_eq!(stream.read_u8().await.unwrap(), b'*');
    }
}

#[tokio::test]
async fn starttls_begins_in_the_clear_and_is_upgraded_once() {
    let server = Server::start(Security::StartTls).await;
    let (dialler, endpoint) = (server.dialler(), server.endpoint(Security::StartTls));
    let mut stream = dialler.connect(&endpoint, Use::Smtp, LIMIT).await.unwrap();
    assert!(!stream.is_encrypted());
    assert_eq!(stream.read_u8().await.unwrap(), b'*');
    stream.write_all(b"S").await.unwrap();
    let mut stream = dialler.upgrade(&endpoint, stream, LIMIT).await.unwrap();
    assert!(stream.is_encrypted());
    assert_eq!(stream.read_u8().await.unwrap(), b'*');
    let again = dialler.upgrade(&endpoint, stream, LIMIT).await.unwrap_err();
    assert_eq!(again, NetError::Tls(TlsFault::Handshake));
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_or_for_another_name_is_refused() {
    let server = Server::start(Security::Tls).await;
    let dialler = server.dialler();
    let trusted = server.endpoint(Security::Tls);
    let unknown = Endpoint { ca_pem: None, ..trusted.clone() };
    let other_name = Endpoint { host: "other.internal".into(), ..trusted.clone() };
    for (endpoint, fault) in [(unknown, TlsFault::Issuer), (other_name, TlsFault::Name)] {
        let error = dialler.connect(&endpoint, Use::Imap, LIMIT).await.unwrap_err();
        assert_eq!(error, NetError::Tls(fault));
        assert!(!error.is_transient());
    }
    for unreadable in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let endpoint = Endpoint { ca_pem: Some(unreadable.into()), ..trusted.clone() };
        let error = dialler.connect(&endpoint, Use::Imap, LIMIT).await.unwrap_err();
        assert_eq!(error, NetError::Tls(TlsFault::Authority));
    }
}

#[tokio::test]
async fn a_certificate_out_of_its_time_or_of_an_authority_says_so() {
    let mut over = certificate_for("mail.internal");
    over.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let mut not_yet = certificate_for("mail.internal");
    not_yet.not_before = rcgen::date_time_ymd(4000, 1, 1);
    let mut authority = certificate_for("mail.internal");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (certificate, fault, said) in [
        (over, TlsFault::Expired, "expired"),
        (not_yet, TlsFault::Expired, "not valid yet"),
        (authority, TlsFault::AuthorityAsServer, "CA:FALSE"),
    ] {
        let server = Server::start_with(Security::Tls, certificate).await;
        let endpoint = server.endpoint(Security::Tls);
        let error = server.dialler().connect(&endpoint, Use::Imap, LIMIT).await.unwrap_err();
        assert_eq!(error, NetError::Tls(fault));
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_a_handshake_fault_or_a_timeout() {
    let server = Server::start(Security::None).await;
    let endpoint = server.endpoint(Security::Tls);
    let error = server.dialler().connect(&endpoint, Use::Imap, LIMIT).await.unwrap_err();
    assert_eq!(error, NetError::Tls(TlsFault::Handshake));

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server { port: silent.local_addr().unwrap().port(), ..server };
    let short = Duration::from_millis(50);
    let error = server.dialler().connect(&server.endpoint(Security::Tls), Use::Imap, short).await;
    assert_eq!(error.unwrap_err(), NetError::Timeout);
}

#[tokio::test]
async fn no_tls_is_for_listed_endpoints_only() {
    let names = Names::default().then("mail.example", &["93.184.216.34"]);
    let dialler = Dialler::new(names.guard(&[])).unwrap();
    let endpoint =
        Endpoint { host: "mail.example".into(), port: 143, security: Security::None, ca_pem: None };
    let error = dialler.connect(&endpoint, Use::Imap, LIMIT).await.unwrap_err();
    assert_eq!(error, NetError::Refused(Refusal::PlainText));

    let server = Server::start(Security::None).await;
    let stream = server.dialler().connect(&server.endpoint(Security::None), Use::Imap, LIMIT).await;
    assert!(!stream.unwrap().is_encrypted());
}

#[tokio::test]
async fn the_next_address_is_tried_when_the_first_refuses() {
    let server = Server::start(Security::None).await;
    let names = Names::default().then("mail.internal", &["127.0.0.2", "::1", "127.0.0.1"]);
    let guard = names.guard(&[&format!("mail.internal:{}", server.port)]);
    let endpoint = server.endpoint(Security::None);
    assert!(Dialler::new(guard).unwrap().connect(&endpoint, Use::Imap, LIMIT).await.is_ok());
}

#[tokio::test]
async fn nobody_listening_is_a_connect_error() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let names = Names::default();
    let dialler = Dialler::new(names.guard(&[&format!("127.0.0.1:{free}")])).unwrap();
    let endpoint =
        Endpoint { host: "127.0.0.1".into(), port: free, security: Security::StartTls, ca_pem: None };
    let error = dialler.connect(&endpoint, Use::Smtp, LIMIT).await.unwrap_err();
    assert_eq!(error, NetError::Connect);
}

#[test]
fn security_is_read_and_written_in_one_form() {
    for security in [Security::Tls, Security::StartTls, Security::None] {
        assert_eq!(security.as_str().parse(), Ok(security));
        assert_eq!(serde_json::to_value(security).unwrap(), security.as_str());
    }
    assert!("TLS".parse::<Security>().is_err());
}
