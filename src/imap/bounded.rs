//! A stream that ends where the limits are, before the parser makes room for what a server announces, and that gives away
//! whole lines: of a part of one the parser would read everything again with every byte that comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framer::Framer;
use crate::net::Stream;

/// How much is read at once, in bytes.
const AT_ONCE: usize = 4 * 1024;

/// The connection, read through the [`Framer`]; a breach is the `io::Error` of that read.
#[derive(Debug)]
pub(super) struct Bounded {
    stream: Stream,
    pub framer: Framer,
    /// What has come and is not given away yet, from `given` on.
    held: Vec<u8>,
    given: usize,
}

impl Bounded {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, framer: Framer::new(), held: Vec::new(), given: 0 }
    }

    /// Where to write.
    pub(super) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Gives away what is whole; answers whether there was anything.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let whole = self.held.len().saturating_sub(self.framer.unfinished());
        let ready = self.held.get(self.given..whole).unwrap_or_default();
        let (now, _) = ready.split_at(ready.len().min(buf.remaining()));
        buf.put_slice(now);
        self.given += now.len();
        let has_given = !now.is_empty();
        if self.given == whole && whole > 0 {
            // A connection that waits keeps no room.
            let unfinished = self.held.split_off(whole);
            self.held = unfinished;
            self.given = 0;
        }
        has_given
    }
}

impl AsyncRead for Bounded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.give(buf) {
            let mut block = [0; AT_ONCE];
            let mut block = ReadBuf::new(&mut block);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut block))?;
            if block.filled().is_empty() {
                break;
            }
            this.framer.feed(block.filled()).map_err(io::Error::other)?;
            this.held.extend_from_slice(block.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
