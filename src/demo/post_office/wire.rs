//! Lines in, answers out: bounded reading, and one write for everything that was said since the last wait.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// How long a client may stay silent (RFC 3501 section 5.4: at least 30 minutes), or not take its answer.
const PATIENCE: Duration = Duration::from_secs(31 * 60);

/// Per connection; small, since a thousand of them may idle.
const READ_BUFFER: usize = 4 * 1024;

/// An answer that grows beyond this is sent in pieces.
const WRITE_BUFFER: usize = 256 * 1024;

/// What an idle connection may keep of its write buffer.
const KEPT_BUFFER: usize = 8 * 1024;

/// One client's connection.
pub(super) struct Wire<S> {
    stream: BufReader<S>,
    line: Vec<u8>,
    out: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        let stream = BufReader::with_capacity(READ_BUFFER, stream);
        Self { stream, line: Vec::new(), out: Vec::new() }
    }

    /// The next line without its end, which must be CRLF or LF; `None` when the client has gone. What was
    /// said is sent first if there is no line to be had at once. May be dropped and called again without
    /// losing anything.
    ///
    /// # Errors
    /// `InvalidData` for a line of more than `most` bytes; what the connection says.
    pub(super) async fn read_line(&mut self, most: usize) -> io::Result<Option<Vec<u8>>> {
        Ok(self.read_raw_line(most).await?.map(|mut line| {
            line.pop_if(|last| *last == b'\n');
            line.pop_if(|last| *last == b'\r');
            line
        }))
    }

    /// As [`Wire::read_line`], with the line end as it came.
    pub(super) async fn read_raw_line(&mut self, most: usize) -> io::Result<Option<Vec<u8>>> {
        loop {
            if !self.stream.buffer().contains(&b'\n') {
                self.flush().await?;
            }
            let read = timeout(PATIENCE, self.stream.fill_buf()).await??;
            let (taken, ended) = match read.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end.saturating_add(1), true),
                None => (read.len(), false),
            };
            self.line.extend_from_slice(read.get(..taken).unwrap_or_default());
            self.stream.consume(taken);
            if self.line.len() > most {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without end"));
            }
            if ended {
                return Ok(Some(std::mem::take(&mut self.line)));
            }
            if taken == 0 {
                return Ok(None);
            }
        }
    }

    /// Exactly `count` bytes; memory grows with what comes, not with what was promised.
    pub(super) async fn read_bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        self.flush().await?;
        let mut bytes = Vec::new();
        let mut part = (&mut self.stream).take(u64::try_from(count).unwrap_or(u64::MAX));
        timeout(PATIENCE, part.read_to_end(&mut bytes)).await??;
        if bytes.len() < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    /// Says a line; it goes out with the next wait for the client.
    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// Says bytes as they are; sends what has gathered when it is much.
    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.out.len().saturating_add(bytes.len()) > WRITE_BUFFER {
            self.flush().await?;
        }
        if bytes.len() > WRITE_BUFFER {
            return timeout(PATIENCE, self.stream.write_all(bytes)).await?;
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Sends what was said.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        timeout(PATIENCE, async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        })
        .await??;
        self.out.clear();
        self.out.shrink_to(KEPT_BUFFER);
        Ok(())
    }
}
