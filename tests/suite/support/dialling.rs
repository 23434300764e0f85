//! The way to servers on loopback, as an operator would list them.

use std::net::SocketAddr;

use postkey::config;
use postkey::net::{Dialler, Endpoint, Guard, Security};

use super::certificate::Certificate;

/// A dialler that may reach exactly these servers.
pub fn dialler(servers: &[SocketAddr]) -> Dialler {
    let private_endpoints = servers.iter().map(ToString::to_string).collect();
    let network = config::Network { private_endpoints, ..config::Network::default() };
    Dialler::new(Guard::new(&network).unwrap()).unwrap()
}

/// A server without TLS.
pub fn plain(server: SocketAddr) -> Endpoint {
    Endpoint { host: server.ip().to_string(), port: server.port(), security: Security::None, ca_pem: None }
}

/// A server with TLS, trusted by its own certificate.
pub fn encrypted(server: SocketAddr, security: Security, certificate: &Certificate) -> Endpoint {
    Endpoint { security, ca_pem: Some(certificate.certificate_pem()), ..plain(server) }
}
