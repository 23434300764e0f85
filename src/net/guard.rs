//! Which destinations a user may choose.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::error::{NetError, Refusal};
use super::host::Host;
use super::public::is_public;
use crate::config;

/// More addresses than this of one name are not tried.
const MOST_ADDRESSES: usize = 8;

/// Decides where connections may go (SR-58); cheap to clone.
#[derive(Clone)]
pub struct Guard {
    rules: Arc<Rules>,
}

struct Rules {
    private: HashSet<(Host, u16)>,
    timeout: Duration,
    lookup: Box<dyn Lookup>,
}

/// How names become addresses: the machine's resolver, or a test's.
pub trait Lookup: Send + Sync {
    /// All addresses of a name.
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

struct MachineLookup;

impl Lookup for MachineLookup {
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(look_up_by_machine(name))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine's resolver")]
async fn look_up_by_machine(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

/// What a connection is for; it decides the ports (SR-58, SR-59).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// A model's HTTP interface: 443.
    Provider,
    /// Reading mail: 143, 993.
    Imap,
    /// Sending mail: 25, 465, 587, 2525.
    Smtp,
}

impl Use {
    /// Whether this port is one of the purpose's own.
    pub fn allows(self, port: u16) -> bool {
        match self {
            Self::Provider => port == 443,
            Self::Imap => matches!(port, 143 | 993),
            Self::Smtp => matches!(port, 25 | 465 | 587 | 2525),
        }
    }
}

impl Guard {
    /// A guard that asks the machine's resolver.
    ///
    /// # Errors
    /// [`NetError::PrivateEndpoint`] for an entry that is not `host:port`.
    pub fn new(network: &config::Network) -> Result<Self, NetError> {
        Self::with_lookup(network, MachineLookup)
    }

    /// A guard with another source of addresses, so that a test can answer for any name.
    ///
    /// # Errors
    /// As [`Guard::new`].
    pub fn with_lookup(network: &config::Network, lookup: impl Lookup + 'static) -> Result<Self, NetError> {
        let entries = network.private_endpoints.iter().enumerate();
        let private = entries
            .map(|(index, entry)| Host::parse_with_port(entry).ok_or(NetError::PrivateEndpoint(index)))
            .collect::<Result<_, _>>()?;
        let rules = Rules { private, timeout: network.resolve_timeout, lookup: Box::new(lookup) };
        Ok(Self { rules: Arc::new(rules) })
    }

    /// Where to connect for this host and port; a name is looked up exactly once.
    ///
    /// # Errors
    /// [`NetError::Refused`] for a host, port or address that is not allowed (one private address among public
    /// ones is enough), [`NetError::Dns`] and [`NetError::Timeout`] for a name that cannot be resolved.
    pub async fn resolve(&self, host: &str, port: u16, purpose: Use) -> Result<Vec<SocketAddr>, NetError> {
        let host = Host::parse(host)?;
        let is_listed = self.lists(&host, port);
        if !is_listed && !purpose.allows(port) {
            return Err(NetError::Refused(Refusal::Port));
        }
        let addresses =
            if is_listed { self.look_up(&host).await? } else { self.look_up_public(&host).await? };
        let tried = addresses.into_iter().take(MOST_ADDRESSES);
        Ok(tried.map(|address| SocketAddr::new(address, port)).collect())
    }

    /// Whether the operator listed exactly this host and port: it may be private and speak without TLS.
    pub fn is_private_endpoint(&self, host: &str, port: u16) -> bool {
        Host::parse(host).is_ok_and(|host| self.lists(&host, port))
    }

    pub(super) fn lists(&self, host: &Host, port: u16) -> bool {
        self.rules.private.contains(&(host.clone(), port))
    }

    /// The addresses of a host, all of them public.
    pub(super) async fn look_up_public(&self, host: &Host) -> Result<Vec<IpAddr>, NetError> {
        let addresses = self.look_up(host).await?;
        if addresses.iter().all(|address| is_public(*address)) {
            Ok(addresses)
        } else {
            Err(NetError::Refused(Refusal::PrivateAddress))
        }
    }

    /// The addresses of a host, at least one; only for endpoints that the operator listed.
    pub(super) async fn look_up(&self, host: &Host) -> Result<Vec<IpAddr>, NetError> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        let answer = tokio::time::timeout(self.rules.timeout, self.rules.lookup.addresses(name)).await;
        let addresses = answer.map_err(|_| NetError::Timeout)?.map_err(|_| NetError::Dns)?;
        if addresses.is_empty() { Err(NetError::Dns) } else { Ok(addresses) }
    }
}
