//! Which addresses may be dialled.

use std::time::Duration;

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
