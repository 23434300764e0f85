//! A real IMAP client for checking servers: async-imap over a loopback connection.

use std::net::SocketAddr;
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use async_imap::types::Fetch;
use async_imap::{Client, Session};
use futures::TryStreamExt;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::certificate::Certificate;

/// Long enough for a busy machine, short enough to notice a hang.
pub const LONG: Duration = Duration::from_secs(10);

pub type Plain = Session<TcpStream>;

#[expect(clippy::disallowed_methods, reason = "the servers are checked without the product's dialler")]
pub async fn dial(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Connects, reads the greeting and logs in.
pub async fn log_in(
    address: SocketAddr,
    user: &str,
    secret: &str,
) -> Result<Plain, async_imap::error::Error> {
    let mut client = Client::new(dial(address).await);
    client.read_response().await.unwrap();
    client.login(user, secret).await.map_err(|(error, _)| error)
}

/// The same with TLS from the first byte.
pub async fn log_in_with_tls(
    address: SocketAddr,
    certificate: &Certificate,
    user: &str,
    secret: &str,
) -> Session<TlsStream<TcpStream>> {
    let stream = encrypt(certificate, dial(address).await).await;
    let mut client = Client::new(stream);
    client.read_response().await.unwrap();
    client.login(user, secret).await.map_err(|(error, _)| error).unwrap()
}

/// TLS as a client that trusts `certificate` alone.
pub async fn encrypt(certificate: &Certificate, stream: TcpStream) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    certificate.connector().connect(name, stream).await.unwrap()
}

/// `UID FETCH` to its end.
pub async fn fetch(
    session: &mut Plain,
    set: &str,
    items: &str,
) -> Result<Vec<Fetch>, async_imap::error::Error> {
    session.uid_fetch(set, items).await?.try_collect().await
}

/// Waits in IDLE for news, for a short while.
pub async fn idle(session: Plain, longest: Duration) -> (Plain, IdleResponse) {
    let mut idle = session.idle();
    idle.init().await.unwrap();
    let (wait, _stop) = idle.wait_with_timeout(longest);
    let woke = wait.await.unwrap();
    (idle.done().await.unwrap(), woke)
}
