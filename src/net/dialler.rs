//! The one way to a mail server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::endpoint::{Endpoint, Security};
use super::error::{NetError, Refusal, TlsFault, find_tls_fault};
use super::guard::{Guard, Use};
use super::host::Host;
use super::stream::Stream;
use super::trust::{trust_only, trust_public};

/// Owners' own authorities that are kept ready; more than this many begin anew.
const MOST_AUTHORITIES: usize = 64;

/// Connects to mail servers, past the guard; share one in an `Arc`.
pub struct Dialler {
    guard: Guard,
    public: Arc<ClientConfig>,
    own: Mutex<HashMap<String, Arc<ClientConfig>>>,
}

impl Dialler {
    /// A dialler that trusts the public certificate authorities, and an endpoint's own where it names some.
    ///
    /// # Errors
    /// [`NetError::Tls`] if TLS cannot be set up at all.
    pub fn new(guard: Guard) -> Result<Self, NetError> {
        Ok(Self { guard, public: Arc::new(trust_public()?), own: Mutex::default() })
    }

    /// A connection to the endpoint, with TLS on it for [`Security::Tls`] and still in the clear otherwise.
    ///
    /// # Errors
    /// Everything in [`NetError`]; [`Security::None`] is refused unless the operator listed the endpoint.
    pub async fn connect(
        &self,
        endpoint: &Endpoint,
        purpose: Use,
        limit: Duration,
    ) -> Result<Stream, NetError> {
        timeout(limit, self.dial(endpoint, purpose, limit)).await.map_err(|_| NetError::Timeout)?
    }

    /// Puts TLS on a connection in the clear, after the other side agreed to `STARTTLS`.
    ///
    /// The caller must have read everything that came before: bytes it still holds were not protected.
    ///
    /// # Errors
    /// [`NetError::Tls`], [`NetError::Timeout`]; a connection that has TLS already is a handshake fault.
    pub async fn upgrade(
        &self,
        endpoint: &Endpoint,
        stream: Stream,
        limit: Duration,
    ) -> Result<Stream, NetError> {
        let tcp = stream.into_plain().ok_or(NetError::Tls(TlsFault::Handshake))?;
        timeout(limit, self.secure(endpoint, tcp)).await.map_err(|_| NetError::Timeout)?
    }

    async fn dial(&self, endpoint: &Endpoint, purpose: Use, limit: Duration) -> Result<Stream, NetError> {
        let is_listed = self.guard.is_private_endpoint(&endpoint.host, endpoint.port);
        if endpoint.security == Security::None && !is_listed {
            return Err(NetError::Refused(Refusal::PlainText));
        }
        let addresses = self.guard.resolve(&endpoint.host, endpoint.port, purpose).await?;
        let tcp = connect_first(&addresses, limit).await?;
        match endpoint.security {
            Security::Tls => self.secure(endpoint, tcp).await,
            Security::StartTls | Security::None => Ok(Stream::plain(tcp)),
        }
    }

    async fn secure(&self, endpoint: &Endpoint, tcp: TcpStream) -> Result<Stream, NetError> {
        let name = server_name(&endpoint.host)?;
        let connector = TlsConnector::from(self.trust(endpoint.ca_pem.as_deref())?);
        match connector.connect(name, tcp).await {
            Ok(tls) => Ok(Stream::tls(tls)),
            Err(error) => Err(NetError::Tls(find_tls_fault(&error).unwrap_or(TlsFault::Handshake))),
        }
    }

    fn trust(&self, authorities: Option<&str>) -> Result<Arc<ClientConfig>, NetError> {
        let Some(pem) = authorities else { return Ok(Arc::clone(&self.public)) };
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = own.get(pem) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(trust_only(pem)?);
        if own.len() >= MOST_AUTHORITIES {
            own.clear();
        }
        own.insert(pem.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

/// The name that the certificate must be for.
fn server_name(host: &str) -> Result<ServerName<'static>, NetError> {
    match Host::parse(host)? {
        Host::Address(address) => Ok(ServerName::from(address)),
        Host::Name(name) => ServerName::try_from(name).map_err(|_| NetError::Refused(Refusal::Host)),
    }
}

/// Tries the addresses in the resolver's order; each gets an equal share of the time, so that one that swallows
/// packets does not starve the next.
async fn connect_first(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, NetError> {
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = NetError::Connect;
    for address in addresses {
        match timeout(share, connect_one(*address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => last = error,
            Err(_) => last = NetError::Timeout,
        }
    }
    Err(last)
}

#[expect(clippy::disallowed_methods, reason = "the one place that dials")]
async fn connect_one(address: SocketAddr) -> Result<TcpStream, NetError> {
    let tcp = TcpStream::connect(address).await.map_err(|_| NetError::Connect)?;
    // Mail is dialogue: waiting to fill a packet would delay every command.
    tcp.set_nodelay(true).map_err(|_| NetError::Connect)?;
    Ok(tcp)
}
