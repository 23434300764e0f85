//! A host in its one normal form.

use std::net::{IpAddr, Ipv6Addr};

use super::error::{NetError, Refusal};
use super::public::is_public;

/// A host that was parsed; every spelling of one address is the same value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Host {
    /// A literal address in any spelling: `127.1`, `0x7f000001`, `[::1]`.
    Address(IpAddr),
    /// A name in lower-case ASCII (IDNA) without the dot at its end.
    Name(String),
}

impl Host {
    /// Reads a host the way browsers do (WHATWG URL), so that no later reader can understand it differently.
    pub(super) fn parse(text: &str) -> Result<Self, NetError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        // A percent sign is an escape to some readers and a zone to others; neither is a host here.
        if text.contains('%') {
            return Err(NetError::Refused(Refusal::Host));
        }
        match url::Host::parse(text) {
            Ok(url::Host::Ipv4(address)) => Ok(Self::Address(IpAddr::V4(address))),
            Ok(url::Host::Ipv6(address)) => Ok(Self::Address(IpAddr::V6(address))),
            Ok(url::Host::Domain(name)) => Self::name(&name),
            Err(_) => Err(NetError::Refused(Refusal::Host)),
        }
    }

    /// The host of a parsed URL.
    pub(super) fn of_url(url: &url::Url) -> Result<Self, NetError> {
        match url.host() {
            Some(url::Host::Ipv4(address)) => Ok(Self::Address(IpAddr::V4(address))),
            Some(url::Host::Ipv6(address)) => Ok(Self::Address(IpAddr::V6(address))),
            Some(url::Host::Domain(name)) => Self::name(name),
            None => Err(NetError::Refused(Refusal::Host)),
        }
    }

    /// A literal address that is not on the public internet.
    pub(super) fn is_private_address(&self) -> bool {
        matches!(self, Self::Address(address) if !is_public(*address))
    }

    fn name(text: &str) -> Result<Self, NetError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_valid = name.len() <= 253 && name.split('.').all(is_label);
        if is_valid { Ok(Self::Name(name.to_owned())) } else { Err(NetError::Refused(Refusal::Host)) }
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub(super) fn parse_with_port(text: &str) -> Option<(Self, u16)> {
        let (host, port) = text.trim().rsplit_once(':')?;
        // `::1:8080` could be read in two ways, so IPv6 needs its brackets.
        if host.parse::<Ipv6Addr>().is_ok() {
            return None;
        }
        Some((Self::parse(host).ok()?, port.parse().ok().filter(|port| *port > 0)?))
    }
}

/// Letters, digits and hyphens inside (RFC 1123); an underscore as well, which names in private networks have.
fn is_label(label: &str) -> bool {
    let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}
