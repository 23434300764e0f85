//! Networks from which a credential is good, or not (SR-43).

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::error::ApiError;
use crate::store::WordList;

/// Networks in one list.
const MOST: usize = 100;
/// Bits before the IPv4 address in an IPv6 one that stands for it (RFC 4291 section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// A network, or a single address, in its shortest form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network(IpNet);

impl Network {
    /// An IPv4 network that is written as an IPv6 one is the IPv4 one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let network: IpNet = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
        let network = network.trunc();
        let mapped = match network {
            IpNet::V6(network) if network.prefix_len() >= MAPPED_PREFIX => network
                .addr()
                .to_ipv4_mapped()
                .and_then(|address| Ipv4Net::new(address, network.prefix_len() - MAPPED_PREFIX).ok()),
            _ => None,
        };
        Some(Self(mapped.map_or(network, IpNet::V4)))
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(text.trim())
            .ok_or_else(|| D::Error::custom("must be an address or a network, such as 192.0.2.0/24"))
    }
}

impl PartialSchema for Network {
    fn schema() -> RefOr<Schema> {
        let network = ObjectBuilder::new().schema_type(Type::String).max_length(Some(64));
        network.examples(["192.0.2.0/24", "2001:db8::7"]).into()
    }
}

impl ToSchema for Network {}

/// The list as it is stored.
pub(super) fn to_words(field: &str, networks: &[Network]) -> Result<WordList, ApiError> {
    if networks.len() > MOST {
        return Err(ApiError::field(field, &format!("must have at most {MOST} networks")));
    }
    Ok(WordList(networks.iter().map(|network| network.0.to_string()).collect()))
}

/// What was stored; `None` where that is no list of networks.
pub(super) fn from_words(words: &[String]) -> Option<Vec<IpNet>> {
    words.iter().map(|word| word.parse().ok()).collect()
}
