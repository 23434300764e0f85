//! From an address to a connection: greeting, TLS, `EHLO`, login.

use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::connection::{Connection, explain, refusal_kind};
use super::error::{Phase, SmtpError, SmtpErrorKind};
use super::replies::Replies;
use super::timeouts::Timeouts;
use super::wire::Wire;
use crate::net::{Dialler, Endpoint, Login, Security, Stream, Use};

/// What we call ourselves if the caller's name is no name.
const NAMELESS: &str = "[127.0.0.1]";

impl Connection {
    /// Connects, takes TLS as the endpoint says, and logs in.
    ///
    /// `hello` is our name for `EHLO`. `login` is `None` only for servers that take mail from us without one. With
    /// [`Security::StartTls`] a server that does not offer it, or that says more than its `220` before TLS, is
    /// refused (EM-154); without TLS the dialler lets only listed endpoints through.
    ///
    /// # Errors
    /// Any [`SmtpError`] up to [`Phase::Login`].
    pub async fn open(
        dialler: &Dialler,
        endpoint: &Endpoint,
        login: Option<Login>,
        timeouts: &Timeouts,
        hello: &str,
    ) -> Result<Self, SmtpError> {
        if login.as_ref().is_some_and(|login| !login.is_sendable()) {
            return Err(SmtpError::new(Phase::Login, SmtpErrorKind::Unsendable));
        }
        let hello = client_name(hello);
        let stream = dialler.connect(endpoint, Use::Smtp, timeouts.connect).await;
        let stream = stream.map_err(|error| SmtpError::new(Phase::Connect, error.into()))?;
        let mut plain = Plain { stream, limit: timeouts.command };
        plain.expect(Phase::Greeting, 220, "").await?;
        if endpoint.security == Security::StartTls {
            plain = plain.start_tls(dialler, endpoint, &hello, timeouts.connect).await?;
        }
        let mut connection = say_hello(plain.stream, hello, *timeouts).await?;
        if let Some(login) = login {
            connection.log_in(&login).await?;
        }
        Ok(connection)
    }
}

/// Hands the connection over to the dialogue, which begins with `EHLO`.
async fn say_hello(stream: Stream, hello: String, timeouts: Timeouts) -> Result<Connection, SmtpError> {
    let (wire, seen) = Wire::greeted(stream);
    let hello = ClientId::Domain(hello);
    let dialogue = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello);
    match timeout(timeouts.command, dialogue).await {
        Err(_) => Err(SmtpError::new(Phase::Hello, SmtpErrorKind::Timeout)),
        Ok(Err(error)) => Err(explain(&seen, Phase::Hello, &error)),
        Ok(Ok(dialogue)) => Ok(Connection { dialogue, seen, timeouts, served: 0 }),
    }
}

fn client_name(hello: &str) -> String {
    let is_name = !hello.is_empty()
        && hello.len() <= 255
        && hello.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if is_name { hello.to_owned() } else { NAMELESS.to_owned() }
}

/// The connection before the dialogue proper, where TLS can still be put on.
struct Plain {
    stream: Stream,
    limit: Duration,
}

impl Plain {
    /// RFC 3207; whatever was said before TLS is forgotten.
    async fn start_tls(
        mut self,
        dialler: &Dialler,
        endpoint: &Endpoint,
        hello: &str,
        connect: Duration,
    ) -> Result<Self, SmtpError> {
        let offers = self.expect(Phase::Hello, 250, &format!("EHLO {hello}\r\n")).await?;
        if !offers.lines().any(|line| line.get(4..).is_some_and(|word| word.eq_ignore_ascii_case("STARTTLS")))
        {
            return Err(SmtpError::new(Phase::StartTls, SmtpErrorKind::NotOffered));
        }
        self.expect(Phase::StartTls, 220, "STARTTLS\r\n").await?;
        let stream = dialler.upgrade(endpoint, self.stream, connect).await;
        let stream = stream.map_err(|error| SmtpError::new(Phase::StartTls, error.into()))?;
        Ok(Self { stream, limit: self.limit })
    }

    /// Writes a command and gives the reply's lines if it has the wanted code.
    async fn expect(&mut self, phase: Phase, code: u16, command: &str) -> Result<String, SmtpError> {
        let limit = self.limit;
        let exchange = timeout(limit, self.exchange(command)).await;
        let replies = exchange.unwrap_or(Err(SmtpErrorKind::Timeout));
        let mut replies = replies.map_err(|kind| SmtpError::new(phase, kind))?;
        match replies.code() {
            // Said before it was asked: perhaps put in by somebody on the way (EM-103).
            _ if replies.has_surplus() => Err(SmtpError::new(phase, SmtpErrorKind::Protocol)),
            Some(found) if found == code => {
                Ok(String::from_utf8_lossy(&replies.take(usize::MAX)).into_owned())
            }
            Some(found @ 400..600) => Err(SmtpError {
                enhanced: replies.enhanced().map(|code| code.to_string()),
                ..SmtpError::new(phase, refusal_kind(phase, found))
            }),
            _ => Err(SmtpError::new(phase, SmtpErrorKind::Protocol)),
        }
    }

    async fn exchange(&mut self, command: &str) -> Result<Replies, SmtpErrorKind> {
        self.stream.write_all(command.as_bytes()).await.map_err(|_| SmtpErrorKind::Closed)?;
        self.stream.flush().await.map_err(|_| SmtpErrorKind::Closed)?;
        let mut replies = Replies::default();
        let mut space = [0; 1024];
        while !replies.is_complete() {
            let read = self.stream.read(&mut space).await.map_err(|_| SmtpErrorKind::Closed)?;
            let bytes = space.get(..read).filter(|bytes| !bytes.is_empty()).ok_or(SmtpErrorKind::Closed)?;
            replies.feed(bytes).map_err(|_| SmtpErrorKind::Protocol)?;
        }
        Ok(replies)
    }
}
