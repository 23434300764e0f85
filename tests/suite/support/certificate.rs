//! A certificate for servers on loopback.

use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A self-signed certificate for `localhost` and `127.0.0.1`.
pub struct Certificate {
    signed: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Certificate {
    /// A fresh one.
    pub fn generate() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        Self { signed: rcgen::generate_simple_self_signed(names).unwrap() }
    }

    /// For clients that should trust it: what `Endpoint.ca_pem` takes.
    pub fn certificate_pem(&self) -> String {
        self.signed.cert.pem()
    }

    /// For servers that present it.
    pub fn key_pem(&self) -> String {
        self.signed.signing_key.serialize_pem()
    }

    /// The server's side.
    pub fn acceptor(&self) -> TlsAcceptor {
        let key = PrivatePkcs8KeyDer::from(self.signed.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let chain = vec![self.signed.cert.der().clone()];
        let config = builder.with_no_client_auth().with_single_cert(chain, key.into()).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// The side of a client that trusts nothing but this.
    pub fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.signed.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}
