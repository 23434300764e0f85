//! Whom an owner means in a list of senders: one address, or everybody of a domain.

use std::fmt;

use super::address::Address;

/// An address, or a domain with its subdomains.
#[derive(Clone, PartialEq, Eq)]
pub enum SenderRule {
    /// This address and its plus forms.
    Address(Address),
    /// Every address of this domain and its subdomains; an A-label in lower case.
    Domain(String),
}

impl SenderRule {
    /// Reads `ann@example.com`, `example.com` or `@example.com`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix('@') {
            None if text.contains('@') => Address::parse(text).map(Self::Address),
            domain => comparable_domain(domain.unwrap_or(text)).map(Self::Domain),
        }
    }

    /// Whether this sender is meant.
    pub fn matches(&self, sender: &Address) -> bool {
        match self {
            Self::Address(address) => address.is_same(sender) || address.is_same(&sender.without_detail()),
            Self::Domain(domain) => {
                let of = comparable_domain(sender.domain()).unwrap_or_default();
                of.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

impl fmt::Display for SenderRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(&address.normalized()),
            Self::Domain(domain) => f.write_str(domain),
        }
    }
}

/// A domain as addresses are compared by it (EM-64); `None` where no address can have it.
pub fn comparable_domain(domain: &str) -> Option<String> {
    let address = Address::parse(&format!("x@{}", domain.trim()))?.normalized();
    address.rsplit_once('@').map(|(_, domain)| domain.to_owned())
}
