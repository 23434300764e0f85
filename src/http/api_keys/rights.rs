//! What a platform API key may do, from where and until when (SR-43, SR-44).

use std::net::IpAddr;

use ipnet::IpNet;

use crate::clock::Timestamp;
use crate::http::access::Scope;
use crate::http::networks;
use crate::store::{ApiKeyId, ApiKeySettings, StoreError};

/// The limits of a platform API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Until when; for ever if unset.
    pub expires_at: Option<Timestamp>,
    /// From where only; from everywhere if there is none.
    pub allowed: Vec<IpNet>,
    /// From where not; that comes first.
    pub denied: Vec<IpNet>,
}

impl Rights {
    /// What a stored key gives. A scope that is not known any more gives nothing; a network that cannot be read would
    /// open a key to everybody.
    pub(in crate::http) fn of(id: ApiKeyId, settings: &ApiKeySettings) -> Result<Self, StoreError> {
        let impossible = |column| StoreError::Impossible { table: "api_keys", column, id: id.to_string() };
        Ok(Self {
            scopes: settings.scopes.0.iter().filter_map(|name| Scope::parse(name)).collect(),
            expires_at: settings.expires_at,
            allowed: networks::from_words(&settings.ip_allow.0).ok_or_else(|| impossible("ip_allow"))?,
            denied: networks::from_words(&settings.ip_deny.0).ok_or_else(|| impossible("ip_deny"))?,
        })
    }

    /// Whether it has this right.
    pub(in crate::http) fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it is good at this address (a canonical one, SR-43).
    pub(in crate::http) fn admits(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        !is_in(&self.denied) && (self.allowed.is_empty() || is_in(&self.allowed))
    }

    /// Whether whoever has these rights may give those: nothing that is not within them (SR-44).
    pub(in crate::http) fn cover(&self, other: &Self) -> bool {
        let lasts = match (self.expires_at, other.expires_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => other <= own,
        };
        let is_allowed = |network: &IpNet| self.allowed.iter().any(|own| own.contains(network));
        let stays_inside =
            self.allowed.is_empty() || (!other.allowed.is_empty() && other.allowed.iter().all(is_allowed));
        let is_denied = |network: &IpNet| other.denied.iter().any(|denied| denied.contains(network));
        lasts
            && stays_inside
            && self.denied.iter().all(is_denied)
            && other.scopes.iter().all(|scope| self.has(*scope))
    }
}
