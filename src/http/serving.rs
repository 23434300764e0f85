//! Connections: so many at once, each with a limit for a call's head to arrive and for an answer to be taken, all let go
//! in order at the end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::client_address::Peer;
use super::unread::ReadToEnd;
use super::write_limit::WriteLimit;
use crate::config;

/// How long to wait where no connection can be accepted: probably too many files are open.
const CANNOT_ACCEPT: Duration = Duration::from_millis(200);

/// The open port.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Opens the port.
    ///
    /// # Errors
    /// Where the port is taken, or not for this account.
    pub async fn open(listen: &str) -> io::Result<Self> {
        let socket = TcpListener::bind(listen).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where it listens: also what a port of 0 has become.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until `stop`; then calls in progress may end within `grace`.
pub async fn serve_until(
    listener: Listener,
    router: Router,
    limits: config::Http,
    stop: CancellationToken,
    grace: Duration,
) {
    let room = Arc::new(Semaphore::new(usize::try_from(limits.connections).unwrap_or(usize::MAX >> 3)));
    let open = GracefulShutdown::new();
    tracing::info!(address = %listener.address, "the API is served");
    while let Some(Some((stream, peer, place))) = stop.run_until_cancelled(accept(&listener, &room)).await {
        let connection = connection(stream, peer, router.clone(), &limits);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off, or talks no HTTP, is its own business.
            let _ = connection.await;
            drop(place);
        });
    }
    let _ = tokio::time::timeout(grace, open.shutdown()).await;
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &Listener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    loop {
        match listener.socket.accept().await {
            Ok((stream, peer)) => return Some((stream, peer, place)),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(CANNOT_ACCEPT).await;
            }
        }
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: &config::Http,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + use<> {
    // Answers are small; waiting to fill a packet would cost more than it saves.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |request: hyper::Request<Incoming>| {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(Peer(peer));
        let body = Body::new(ReadToEnd::new(&parts.headers, body));
        hyper::Request::from_parts(parts, body)
    });
    let service = service.map_err(|error: Infallible| error);
    let stream = WriteLimit::new(stream, limits.write_timeout);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
}
