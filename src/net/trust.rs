//! Whose certificates count, and the one crypto provider.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::error::{NetError, TlsFault};

/// Installs the crypto provider (ring) for everything in this process that speaks TLS; safe to repeat.
///
/// Whatever a dependency brings along, the first provider that is installed stays, so `main` calls this first.
pub fn install_crypto() {
    // An error only says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Trust in the public authorities (Mozilla's list, built in).
pub(super) fn trust_public() -> Result<ClientConfig, NetError> {
    trust(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
}

/// Trust in the given authorities alone.
pub(super) fn trust_only(pem: &str) -> Result<ClientConfig, NetError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| NetError::Tls(TlsFault::Authority))?;
        roots.add(certificate).map_err(|_| NetError::Tls(TlsFault::Authority))?;
    }
    if roots.is_empty() { Err(NetError::Tls(TlsFault::Authority)) } else { trust(roots) }
}

/// Trust in nobody: every handshake fails.
pub(super) fn trust_nobody() -> Result<ClientConfig, NetError> {
    trust(RootCertStore::empty())
}

fn trust(roots: RootCertStore) -> Result<ClientConfig, NetError> {
    // The provider is named here and not taken from the process, so that no order of calls can change it.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|_| NetError::Tls(TlsFault::Handshake))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
