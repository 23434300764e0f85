//! Which addresses may be dialled.

use std::time::Duration;

use super::quantity::{MINUTE, SECOND};
use super::setting::{Setting, Slot};

/// Section `[network]` (SR-58).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Exact `host:port` entries that may be private addresses and may speak without TLS; none.
    pub private_endpoints: Vec<String>,
    /// Limit for one name look-up; 5 s.
    pub resolve_timeout: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self { private_endpoints: Vec::new(), resolve_timeout: Duration::from_secs(5) }
    }
}

impl Network {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "private_endpoints", slot: Slot::List(&mut self.private_endpoints, endpoint) },
            Setting {
                name: "resolve_timeout",
                slot: Slot::Duration(&mut self.resolve_timeout, SECOND..=MINUTE * 10),
            },
        ]
    }
}

/// `host:port`, where an IPv6 address stands in brackets.
fn endpoint(text: &str) -> Result<(), String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let bare_ipv6 = |host: &str| host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    match parts.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?))) {
        Some((host, port)) if port > 0 && !bare_ipv6(host) && !host.contains(['/', '*', '@', ' ']) => Ok(()),
        _ => Err("must be exact host:port entries, such as \"localhost:1143\" or \"[::1]:1143\"".to_owned()),
    }
}
