//! What is left of a body that nobody wants: it is read and forgotten, within limits, since whoever still sends when a
//! connection is closed may never see why the call was refused (RFC 9112 section 9.6). Whoever waits to be asked for the
//! body has sent nothing, and is neither asked nor waited for (RFC 9110 section 10.1.1).

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;

/// Bytes that are still taken: the largest body that a server may be set to take (`http.max_body_bytes`).
const MOST: u64 = 64 * 1024 * 1024;
/// Time for it.
const LONGEST: Duration = Duration::from_secs(10);

/// A body that is read to its end, also where it is dropped before.
pub(super) struct ReadToEnd {
    body: Option<Incoming>,
    /// Whether the client sends it, unasked or since it was asked; reading asks.
    is_sent: bool,
}

impl ReadToEnd {
    /// The body of a call with these headers.
    pub(super) fn new(headers: &HeaderMap, body: Incoming) -> Self {
        Self { body: Some(body), is_sent: !headers.contains_key(EXPECT) }
    }
}

impl Body for ReadToEnd {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_sent = true;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for ReadToEnd {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| self.is_sent && !body.is_end_stream()) else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LONGEST, forget(body)));
        }
    }
}

async fn forget(mut body: Incoming) {
    let mut left = MOST;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX)) {
            Some(still) => left = still,
            None => return,
        }
    }
}
