//! Mail servers that users enter, told at once what the guard would refuse at every connection (SR-58, SR-59).

use super::endpoint::Security;
use super::guard::{Guard, Use};
use super::host::Host;
use super::trust::trust_only;

/// A setting of a mail server that cannot be, with the rest of a sentence that begins with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFault {
    /// The host.
    Host(String),
    /// The port.
    Port(String),
    /// How TLS begins.
    Security(String),
}

impl Use {
    /// The usual port (RFC 8314, RFC 3501, RFC 6409).
    pub fn usual_port(self, security: Security) -> u16 {
        match (self, security) {
            (Self::Provider, _) => 443,
            (Self::Imap, Security::Tls) => 993,
            (Self::Imap, _) => 143,
            (Self::Smtp, Security::Tls) => 465,
            (Self::Smtp, _) => 587,
        }
    }

    fn ports(self) -> &'static str {
        match self {
            Self::Provider => "443",
            Self::Imap => "993 or 143",
            Self::Smtp => "465, 587, 2525 or 25",
        }
    }
}

impl Guard {
    /// What would be refused at every connection to this server.
    pub fn check_mail_server(
        &self,
        purpose: Use,
        (host, port): (&str, u16),
        security: Security,
    ) -> Vec<ServerFault> {
        let mut faults = Vec::new();
        if self.is_private_endpoint(host, port) {
            return faults;
        }
        if Host::parse(host).is_ok_and(|host| host.is_private_address()) {
            faults.push(ServerFault::Host(not_public(host, port)));
        }
        if security == Security::None {
            faults.push(ServerFault::Security(format!(
                "none would send the password in the clear; it is only for hosts that the operator listed, and \
                 {host}:{port} is not in network.private_endpoints"
            )));
        }
        if !purpose.allows(port) {
            let ports = purpose.ports();
            faults.push(ServerFault::Port(format!(
                "must be {ports} ({host}:{port} is not in network.private_endpoints)"
            )));
        }
        faults
    }
}

/// An address that no user may choose.
pub(super) fn not_public(host: &str, port: u16) -> String {
    format!("must be on the public internet ({host}:{port} is not in network.private_endpoints)")
}

/// Whether a text is the name or the address of a host.
pub fn is_host(text: &str) -> bool {
    Host::parse(text).is_ok()
}

/// Whether a text holds certificates of authorities, in PEM form.
pub fn is_authority(pem: &str) -> bool {
    trust_only(pem).is_ok()
}
