//! A TCP proxy on loopback that can take a server away and bring it back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::loopback::{Encryption, Listener};

/// Passes bytes both ways between its clients and one server.
pub struct Proxy {
    listener: Listener,
    gone: Arc<AtomicBool>,
    silence: watch::Sender<u32>,
}

impl Proxy {
    /// Starts one in front of `server`.
    pub async fn start(server: SocketAddr) -> Self {
        let gone = Arc::new(AtomicBool::new(false));
        let away = Arc::clone(&gone);
        let silence = watch::Sender::new(0);
        let silences = silence.subscribe();
        let serve = move |_, wire: super::loopback::Wire| {
            let away = Arc::clone(&away);
            let mut silences = silences.clone();
            silences.mark_unchanged();
            async move {
                if away.load(Ordering::SeqCst) {
                    return Ok(());
                }
                let mut upstream = connect(server).await?;
                let mut downstream = wire.into_stream();
                tokio::select! {
                    passed = tokio::io::copy_bidirectional(&mut downstream, &mut upstream) => passed.map(drop),
                    _ = silences.changed() => {
                        drop(upstream);
                        std::future::pending::<()>().await;
                        drop(downstream);
                        Ok(())
                    }
                }
            }
        };
        Self { listener: Listener::start(Encryption::None, serve).await, gone, silence }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.listener.accepted()
    }

    /// From now on the server is gone: open connections are cut, new ones closed at once.
    pub fn take_away(&self) {
        self.gone.store(true, Ordering::SeqCst);
        self.listener.cut();
    }

    /// What clients have open stays open, and not a byte comes over it any more, as where the server's machine has died
    /// and another one has taken its place.
    pub fn fall_silent(&self) {
        self.silence.send_modify(|silences| *silences += 1);
    }

    /// The server is back.
    pub fn bring_back(&self) {
        self.gone.store(false, Ordering::SeqCst);
    }
}

#[expect(clippy::disallowed_methods, reason = "the proxy is no part of the product")]
async fn connect(server: SocketAddr) -> std::io::Result<TcpStream> {
    TcpStream::connect(server).await
}
