//! What the scripted servers share: a listener on a free loopback port, and a connection read by lines.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;

/// Far more than a mail client sends in one line; a longer one is a mistake in the test.
const LONGEST_LINE: usize = 1 << 20;

/// How a scripted server uses TLS.
#[derive(Clone)]
pub enum Encryption {
    /// Never.
    None,
    /// From the first byte.
    Tls(TlsAcceptor),
    /// After the client asks with STARTTLS.
    StartTls(TlsAcceptor),
}

impl Encryption {
    /// TLS from the first byte.
    pub fn tls(certificate: &Certificate) -> Self {
        Self::Tls(certificate.acceptor())
    }

    /// TLS after STARTTLS.
    pub fn start_tls(certificate: &Certificate) -> Self {
        Self::StartTls(certificate.acceptor())
    }
}

/// A listener on `127.0.0.1`; it and its connections end when it is dropped.
pub struct Listener {
    address: SocketAddr,
    count: Arc<Count>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Count {
    accepted: AtomicUsize,
    open: AtomicUsize,
    cut: Notify,
}

impl Listener {
    /// Serves every connection with `serve`, which gets the connection's number, from 0.
    pub async fn start<F, Fut>(encryption: Encryption, serve: F) -> Self
    where
        F: Fn(usize, Wire) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let count = Arc::new(Count::default());
        let accepting = tokio::spawn(accept_all(listener, encryption, Arc::new(serve), Arc::clone(&count)));
        Self { address, count, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.count.accepted.load(Ordering::SeqCst)
    }

    /// How many of them are open now.
    pub fn open(&self) -> usize {
        self.count.open.load(Ordering::SeqCst)
    }

    /// Closes every open connection without a word.
    pub fn cut(&self) {
        self.count.cut.notify_waiters();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all<F, Fut>(listener: TcpListener, encryption: Encryption, serve: Arc<F>, count: Arc<Count>)
where
    F: Fn(usize, Wire) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut connections = JoinSet::new(); // dropped with this task, and all of them with it
    while let Ok((stream, _)) = listener.accept().await {
        let number = count.accepted.fetch_add(1, Ordering::SeqCst);
        count.open.fetch_add(1, Ordering::SeqCst);
        let (encryption, serve, count) = (encryption.clone(), Arc::clone(&serve), Arc::clone(&count));
        connections.spawn(async move {
            let conversation = async {
                let wire = Wire::accept(stream, encryption).await?;
                serve(number, wire).await
            };
            // A client that goes away is its own business: the test looks at what the client did.
            tokio::select! {
                _ = conversation => {}
                () = count.cut.notified() => {}
            }
            count.open.fetch_sub(1, Ordering::SeqCst);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// A byte stream in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A server's side of one connection.
pub struct Wire {
    stream: Box<dyn Duplex>,
    /// Read but not yet taken.
    buffer: Vec<u8>,
    /// What STARTTLS would use; `None` once encrypted or when it is not offered.
    upgrade: Option<TlsAcceptor>,
}

impl Wire {
    async fn accept(stream: TcpStream, encryption: Encryption) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (stream, upgrade): (Box<dyn Duplex>, _) = match encryption {
            Encryption::None => (Box::new(stream), None),
            Encryption::Tls(acceptor) => (Box::new(acceptor.accept(stream).await?), None),
            Encryption::StartTls(acceptor) => (Box::new(stream), Some(acceptor)),
        };
        Ok(Self { stream, buffer: Vec::new(), upgrade })
    }

    /// Whether STARTTLS is still to be had.
    pub fn offers_start_tls(&self) -> bool {
        self.upgrade.is_some()
    }

    /// Encrypts from here on; what came before is forgotten, as it must be.
    pub async fn start_tls(mut self) -> io::Result<Self> {
        let acceptor = self.upgrade.take().ok_or(io::ErrorKind::Unsupported)?;
        Ok(Self { stream: Box::new(acceptor.accept(self.stream).await?), buffer: Vec::new(), upgrade: None })
    }

    /// The bare stream, for one that does not speak in lines; only before anything was read.
    pub fn into_stream(self) -> Box<dyn Duplex> {
        self.stream
    }

    /// The next line without its CRLF. Nothing is lost when this is dropped before it is done.
    pub async fn read_line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.pop();
                line.pop_if(|byte| *byte == b'\r');
                return Ok(line);
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.read_more().await?;
        }
    }

    /// Exactly so many bytes.
    pub async fn read_exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            self.read_more().await?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// Sends all of it.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Never says anything again and waits until the client gives up.
    pub async fn hang(&mut self) -> io::Result<()> {
        loop {
            self.read_more().await?;
            self.buffer.clear();
        }
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
