//! What may be said about a connection that failed.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// Why there is no connection; a closed set without any text from the other side, so that a form that shows it
/// is no port scanner (SR-59).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NetError {
    /// The guard does not allow this destination; asking again changes nothing.
    #[error("the destination is not allowed: {0}")]
    Refused(Refusal),
    /// The name has no address, or the look-up failed.
    #[error("the host name could not be resolved")]
    Dns,
    /// No address of the host accepted the connection.
    #[error("the host could not be reached")]
    Connect,
    /// TLS could not be set up.
    #[error("TLS failed: {0}")]
    Tls(TlsFault),
    /// The time limit passed.
    #[error("the host did not answer in time")]
    Timeout,
    /// The connection ended in the middle of an exchange.
    #[error("the connection was lost")]
    Closed,
    /// The operator's list has an entry that is not `host:port`; counted from 0.
    #[error("entry {0} of network.private_endpoints is not of the form host:port")]
    PrivateEndpoint(usize),
}

impl NetError {
    /// A stable code for rows and answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls(fault) => fault.code(),
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::PrivateEndpoint(_) => "private_endpoint",
        }
    }

    /// Whether trying again later can help, without anybody changing a setting.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Refused(_) | Self::PrivateEndpoint(_) => false,
            Self::Tls(fault) => fault == TlsFault::Handshake,
            Self::Dns | Self::Connect | Self::Timeout | Self::Closed => true,
        }
    }
}

/// Why the guard refused a destination (SR-58, SR-59).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Not a host name and not an address.
    #[error("not a valid host")]
    Host,
    /// The address is no plain `https://host[:port]/path`: it has a user, a password, a query or a fragment.
    #[error("not a plain address")]
    Address,
    /// Not `https`, or a mail server without TLS.
    #[error("TLS is required")]
    PlainText,
    /// A port that is not used for this purpose.
    #[error("this port is not allowed")]
    Port,
    /// At least one address of the host is not public.
    #[error("the host is not on the public internet")]
    PrivateAddress,
    /// A request for another server than the one the client was made for.
    #[error("the request is for another server")]
    OtherServer,
}

impl Refusal {
    /// A stable code for rows and answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::Host => "refused_host",
            Self::Address => "refused_address",
            Self::PlainText => "refused_plain_text",
            Self::Port => "refused_port",
            Self::PrivateAddress => "refused_private_address",
            Self::OtherServer => "refused_other_server",
        }
    }
}

/// What went wrong with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TlsFault {
    /// The certificate's time is over or has not begun.
    #[error("the certificate has expired or is not valid yet")]
    Expired,
    /// Nobody whom we trust has signed the certificate.
    #[error("the certificate comes from an issuer that is not trusted")]
    Issuer,
    /// The certificate is another host's.
    #[error("the certificate is for another host name")]
    Name,
    /// The certificate is one that signs others, as those are that `openssl req -x509` makes.
    #[error(
        "the certificate is an authority's own (CA:TRUE), which a server must not present; let the authority sign one \
         for the server, or make the server's with CA:FALSE"
    )]
    AuthorityAsServer,
    /// Something else is wrong with the certificate.
    #[error("the certificate is not valid")]
    Certificate,
    /// The other side does not speak TLS as we do, or left.
    #[error("no common TLS")]
    Handshake,
    /// The certificate authority that the owner gave cannot be read (PEM).
    #[error("the given certificate authority cannot be read")]
    Authority,
}

impl TlsFault {
    /// A stable code for rows and answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "tls_expired",
            Self::Issuer => "tls_issuer",
            Self::Name => "tls_name",
            Self::AuthorityAsServer => "tls_authority_as_server",
            Self::Certificate => "tls_certificate",
            Self::Handshake => "tls_handshake",
            Self::Authority => "tls_authority",
        }
    }
}

/// The TLS fault somewhere in a chain of errors, if there is one.
pub(super) fn find_tls_fault(error: &(dyn Error + 'static)) -> Option<TlsFault> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(match tls {
            rustls::Error::InvalidCertificate(error) => certificate_fault(error),
            _ => TlsFault::Handshake,
        });
    }
    // An `io::Error` hides the error that it carries from `source`.
    let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let next = match carried {
        Some(carried) => Some(carried as &(dyn Error + 'static)),
        None => error.source(),
    };
    next.and_then(find_tls_fault)
}

fn certificate_fault(error: &CertificateError) -> TlsFault {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TlsFault::Expired,
        // A bad signature is one by an issuer that only has the name of one we trust.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::Issuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::Name,
        // webpki's own error has no variant in rustls, and its type is not to be had from there.
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            TlsFault::AuthorityAsServer
        }
        _ => TlsFault::Certificate,
    }
}
