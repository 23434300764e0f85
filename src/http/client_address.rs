//! From which address a call comes (SR-43): the peer's, or what a proxy that the operator trusts says of it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;

use super::error::ApiError;

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Where a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// As which one is counted whoever is there: one client has a whole network of 64 bits of IPv6.
    pub(super) fn counted(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
        }
    }
}

/// The proxies whose word counts.
pub(super) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// From the operator's list; the configuration has checked its entries.
    pub(super) fn new(entries: &[String]) -> Self {
        let networks = entries.iter().filter_map(|entry| {
            entry.parse::<IpNet>().ok().or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from))
        });
        Self(networks.collect())
    }

    /// The right-most address of the way that is no proxy of ours. What an untrusted peer says changes nothing.
    pub(super) fn find_client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut client = peer.to_canonical();
        // Bytes: what a client wrote may be no text, and must not hide what a proxy added behind it.
        let said: Vec<&[u8]> = headers
            .get_all("x-forwarded-for")
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .collect();
        for address in said.into_iter().rev() {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = parse(address) else { break };
            client = address.to_canonical();
        }
        ClientAddress(client)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn parse(address: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(address).ok()?.trim().parse().ok()
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Every connection says who is at its other end.
        parts.extensions.get().copied().ok_or_else(ApiError::internal)
    }
}
