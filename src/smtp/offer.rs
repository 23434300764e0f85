//! A mail whose sender and recipient are accepted, and its hand-over.

use std::borrow::Cow;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::extension::Extension;
use lettre::transport::smtp::response::Response;
use tokio::time::{sleep, timeout};

use super::body::with_crlf_only;
use super::connection::Connection;
use super::error::{Phase, SmtpError, SmtpErrorKind};

/// Bytes of the mail that are written at once.
const BLOCK: usize = 32 * 1024;
/// The slowest transfer that is not called hanging, in bytes per second.
const SLOWEST: usize = 8 * 1024;
/// What is kept of the final reply, in characters.
const KEPT_TEXT: usize = 200;

/// A connection on which the server waits for `DATA`.
pub struct Offer {
    pub(super) connection: Connection,
}

/// A connection on which the server waits for the bytes of this mail.
pub struct GoAhead<'a> {
    connection: Connection,
    mail: Cow<'a, [u8]>,
}

/// The server's word that it has taken the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The reply code, usually 250.
    pub code: u16,
    /// The reply's text, one line of at most 200 ASCII characters; often it names the server's queue id.
    pub text: String,
}

impl Offer {
    /// Asks for the mail to be taken (`DATA`). Nothing of the mail itself is sent: dropping the [`GoAhead`] closes the
    /// connection, and the server forgets the mail (RFC 5321 section 4.1.1.10).
    ///
    /// # Errors
    /// Any [`SmtpError`] of [`Phase::Data`]; none of them is ambiguous.
    pub async fn begin(self, bytes: &[u8]) -> Result<GoAhead<'_>, SmtpError> {
        let mut connection = self.connection;
        let mail = with_crlf_only(bytes);
        check_mail(&connection, &mail)?;
        let reply = connection.command(Phase::Data, 3, "DATA\r\n").await?;
        if !reply.has_code(354) {
            return Err(connection.failed(Phase::Data, SmtpErrorKind::Protocol));
        }
        Ok(GoAhead { connection, mail })
    }

    /// Hands the mail over: [`Offer::begin`] and [`GoAhead::deliver`].
    ///
    /// # Errors
    /// Any [`SmtpError`] from [`Phase::Data`] on; ask [`SmtpError::is_ambiguous`] first.
    pub async fn deliver(self, bytes: &[u8]) -> Result<(Connection, Accepted), SmtpError> {
        self.begin(bytes).await?.deliver().await
    }

    /// Takes the offer back (`RSET`); nothing was sent.
    ///
    /// # Errors
    /// An [`SmtpError`] of [`Phase::Reuse`].
    pub async fn withdraw(mut self) -> Result<Connection, SmtpError> {
        self.connection.command(Phase::Reuse, 2, "RSET\r\n").await?;
        Ok(self.connection)
    }
}

impl GoAhead<'_> {
    /// Hands the mail over: the bytes, the final dot, and the reply to it.
    ///
    /// Lone CR and LF become CRLF on the wire (EM-158). Before the dot leaves, a server that has spoken or left
    /// already is noticed, so that failure is not ambiguous.
    ///
    /// # Errors
    /// Any [`SmtpError`] from [`Phase::Body`] on; ask [`SmtpError::is_ambiguous`] first.
    pub async fn deliver(self) -> Result<(Connection, Accepted), SmtpError> {
        let Self { mut connection, mail } = self;
        let reply = send(&mut connection, &mail).await?;
        if !reply.code().to_string().starts_with('2') {
            return Err(connection.failed(Phase::AfterDot, SmtpErrorKind::Protocol));
        }
        connection.served += 1;
        let text = reply.message().collect::<Vec<_>>().join(" ").chars().take(KEPT_TEXT).collect();
        Ok((connection, Accepted { code: reply.code().into(), text }))
    }
}

/// Refuses what the server said that it does not take (EM-157).
fn check_mail(connection: &Connection, mail: &[u8]) -> Result<(), SmtpError> {
    let size = u64::try_from(mail.len()).unwrap_or(u64::MAX);
    if connection.size_limit().is_some_and(|limit| size > limit) {
        return Err(connection.failed(Phase::Data, SmtpErrorKind::TooLarge));
    }
    let takes_8bit = connection.dialogue.server_info().supports_feature(Extension::EightBitMime);
    if !mail.is_ascii() && !takes_8bit {
        return Err(connection.failed(Phase::Data, SmtpErrorKind::NotOffered));
    }
    Ok(())
}

/// Writes body and dot and reads the reply.
async fn send(connection: &mut Connection, mail: &[u8]) -> Result<Response, SmtpError> {
    connection.seen.begin_mail();
    let result = hand_over(connection, mail).await;
    let phase = if connection.seen.marks().dot_left { Phase::AfterDot } else { Phase::Body };
    match result {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(error)) => Err(connection.explain(phase, &error)),
        None => Err(connection.failed(phase, SmtpErrorKind::Timeout)),
    }
}

/// The two parts have their own deadlines (EM-145); `None` if one of them passed.
async fn hand_over(connection: &mut Connection, mail: &[u8]) -> Option<Result<Response, Error>> {
    let Connection { dialogue, seen, timeouts, .. } = connection;
    // The dialogue writes `CRLF . CRLF` after the body, whose own last line end would then be an empty line.
    let body = mail.strip_suffix(b"\r\n").unwrap_or(mail);
    let end = std::iter::once_with(|| {
        seen.end_body();
        &[][..]
    });
    let handover = dialogue.message_iter(body.chunks(BLOCK).chain(end));
    tokio::pin!(handover);
    tokio::select! {
        result = &mut handover => Some(result),
        () = seen.wait_for_dot() => timeout(timeouts.finish, &mut handover).await.ok(),
        () = seen.wait_for_standstill(timeouts.command) => None,
        () = sleep(timeouts.command + time_for(mail)) => None,
    }
}

fn time_for(mail: &[u8]) -> Duration {
    Duration::from_secs(u64::try_from(mail.len() / SLOWEST).unwrap_or(u64::MAX))
}
