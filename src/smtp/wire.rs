//! The stream below the dialogue: it knows when the final dot leaves.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::FutureExt;
use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::error::Enhanced;
use super::replies::Replies;
use crate::net::Stream;

/// What the stream saw; shared between it and the connection, which cannot reach it through the dialogue.
#[derive(Debug, Default)]
pub(super) struct Seen {
    marks: Mutex<Marks>,
    dot_left: Notify,
}

/// A copy of what the stream saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// The body was written; what comes now is the dot.
    pub body_ended: bool,
    /// At least one byte of the dot's line was taken by the network.
    pub dot_left: bool,
    /// Bytes that the network took.
    pub written: u64,
    /// The server closed its side.
    pub closed: bool,
    /// The server spoke without being asked.
    pub out_of_turn: bool,
    /// The code and enhanced code of the last complete reply.
    pub reply: Option<(u16, Option<Enhanced>)>,
    /// The largest mail that the server takes, in bytes.
    pub size_limit: Option<u64>,
}

impl Seen {
    pub(super) fn marks(&self) -> Marks {
        *self.lock()
    }

    /// Says that the next bytes are the final dot.
    pub(super) fn end_body(&self) {
        self.lock().body_ended = true;
    }

    /// Forgets the last mail.
    pub(super) fn begin_mail(&self) {
        // The last mail's notice may still wait for somebody.
        let _old = self.dot_left.notified().now_or_never();
        let mut marks = self.lock();
        (marks.body_ended, marks.dot_left) = (false, false);
    }

    /// Waits until the dot has left.
    pub(super) async fn wait_for_dot(&self) {
        self.dot_left.notified().await;
    }

    /// Waits until the network takes nothing for as long as `patience`.
    pub(super) async fn wait_for_standstill(&self, patience: Duration) {
        let mut before = None;
        while before != Some(self.marks().written) {
            before = Some(self.marks().written);
            sleep(patience).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection as the dialogue sees it.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    replies: Replies,
    seen: Arc<Seen>,
}

impl Wire {
    /// A connection whose greeting was read already; the dialogue gets another one, since it wants to read it.
    pub(super) fn greeted(stream: Stream) -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen::default());
        (Self { stream, replies: Replies::with_greeting(), seen: Arc::clone(&seen) }, seen)
    }

    /// Reads what is there; true at the end of the stream.
    fn poll_replies(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [0; 1024];
        let mut buf = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        let is_end = buf.filled().is_empty();
        let fed = self.replies.feed(buf.filled()).map_err(io::Error::other);
        let mut marks = self.seen.lock();
        marks.closed |= is_end;
        marks.out_of_turn |= self.replies.has_surplus() || fed.is_err();
        marks.size_limit = self.replies.size_limit();
        marks.reply = self.replies.code().map(|code| (code, self.replies.enhanced()));
        Poll::Ready(fed.map(|()| is_end))
    }

    /// Before the dot: a server that has already answered or left cannot have taken the mail, so the dot stays here.
    fn check_before_dot(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.poll_replies(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(_)) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// Before the first byte of a command or of the body: nothing of the last reply may be left.
    fn check_turn(&mut self) -> io::Result<()> {
        if self.replies.is_complete() && !self.replies.expect_next() {
            self.seen.lock().out_of_turn = true;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.seen.lock().reply = None;
        Ok(())
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let ready = this.replies.take(buf.remaining());
            if !ready.is_empty() {
                buf.put_slice(&ready);
                return Poll::Ready(Ok(()));
            }
            if ready!(this.poll_replies(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_turn()?;
        let Marks { body_ended, dot_left, .. } = this.seen.marks();
        if body_ended && !dot_left {
            this.check_before_dot(cx)?;
        }
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, buf))?;
        let mut marks = this.seen.lock();
        marks.written = marks.written.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        if body_ended && !dot_left && written > 0 {
            marks.dot_left = true;
            this.seen.dot_left.notify_one();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
