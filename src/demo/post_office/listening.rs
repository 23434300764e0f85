//! The doors: listen, accept, and give every connection its own task until the office closes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::office::Office;
use super::wire::Wire;
use super::{imap, smtp};

/// Connections per server at once; a further one waits in the kernel's queue.
const MOST_CONNECTIONS: usize = 8192;

/// After a failed accept (no file descriptors left): long enough not to spin.
const BREATH: Duration = Duration::from_millis(50);

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Which conversation a port holds.
#[derive(Clone, Copy)]
pub(super) enum Service {
    Imap,
    Smtp,
}

/// What a connection needs to be served.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) closing: CancellationToken,
    pub(super) office: Arc<Office>,
}

/// Opens a free port of 127.0.0.1 and serves it in the background until the door closes.
pub(super) async fn open(door: Door, service: Service) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let closing = door.closing.clone();
    tokio::spawn(closing.run_until_cancelled_owned(accept(listener, door, service)));
    Ok(address)
}

async fn accept(listener: TcpListener, door: Door, service: Service) {
    let seats = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        let Ok((stream, _client)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let (closing, door) = (door.closing.clone(), door.clone());
        tokio::spawn(closing.run_until_cancelled_owned(async move {
            // a client that goes away in the middle is its own affair
            let _ended = serve(stream, door, service).await;
            drop(seat);
        }));
    }
}

async fn serve(stream: TcpStream, door: Door, service: Service) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match door.tls {
        None => converse(stream, door.office, service).await,
        Some(tls) => {
            let handshake = TlsAcceptor::from(tls).accept(stream);
            let stream = tokio::time::timeout(HANDSHAKE, handshake).await??;
            converse(stream, door.office, service).await
        }
    }
}

async fn converse<S>(stream: S, office: Arc<Office>, service: Service) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let wire = Wire::new(stream);
    match service {
        Service::Imap => imap::converse(wire, office).await,
        Service::Smtp => smtp::converse(wire, office).await,
    }
}
