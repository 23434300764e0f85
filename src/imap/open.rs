//! From an address to a session: greeting, TLS, login, capabilities, ID.

use async_imap::imap_proto::{Response, Status};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;

use super::capabilities::Capabilities;
use super::error::{ImapError, Step};
use super::name::{is_quotable, quote};
use super::session::Session;
use super::timeouts::Timeouts;
use super::wire::{Tag, Wire, judge};
use crate::net::{Dialler, Endpoint, Login, Security, Use};

/// What we say about ourselves; Google asks for it (EM-101).
const ID: &str = concat!("ID (\"name\" \"Postkey\" \"version\" \"", env!("CARGO_PKG_VERSION"), "\")");

impl Session {
    /// Connects, logs in and asks what the server can do.
    ///
    /// With [`Security::StartTls`] nothing but `STARTTLS` is sent before TLS is up, and a server that says more than
    /// its `OK` before TLS is refused (EM-103).
    ///
    /// # Errors
    /// Any [`ImapError`]; [`ImapError::BadCredentials`] and [`ImapError::Unavailable`] as in EM-90.
    pub async fn open(
        dialler: &Dialler,
        endpoint: &Endpoint,
        login: Login,
        timeouts: Timeouts,
    ) -> Result<Self, ImapError> {
        if !login.is_sendable() {
            return Err(ImapError::Unsendable);
        }
        let stream = dialler.connect(endpoint, Use::Imap, timeouts.connect).await?;
        let mut wire = Wire::new(stream, timeouts);
        expect_greeting(&mut wire).await?;
        if endpoint.security == Security::StartTls {
            wire = start_tls(wire, dialler, endpoint).await?;
        }
        let said = log_in(&mut wire, &login).await?;
        let capabilities = match said {
            Some(capabilities) => capabilities,
            None => ask_capabilities(&mut wire).await?,
        };
        identify(&mut wire, &capabilities).await?;
        Ok(Self { wire, capabilities, uid_next: None })
    }
}

async fn expect_greeting(wire: &mut Wire) -> Result<(), ImapError> {
    wire.begin(wire.timeouts().command);
    let greeting = wire.next(Step::Greeting, |answer| match answer {
        Response::Data { status: Status::Ok, .. } => Ok(()),
        Response::Data { status: Status::Bye, .. } => Err(ImapError::Bye),
        // `PREAUTH` would let us read somebody's mail without a login, or go on without TLS: never wanted.
        _ => Err(ImapError::Protocol),
    });
    greeting.await?
}

async fn start_tls(mut wire: Wire, dialler: &Dialler, endpoint: &Endpoint) -> Result<Wire, ImapError> {
    wire.command(Step::StartTls, "STARTTLS", |_| ()).await?;
    // More than the `OK` may have been put in by somebody on the way, to be believed once TLS is up.
    if !wire.is_drained() {
        return Err(ImapError::Protocol);
    }
    let timeouts = wire.timeouts();
    let stream = dialler.upgrade(endpoint, wire.into_stream(), timeouts.connect).await?;
    Ok(Wire::new(stream, timeouts))
}

/// Logs in; gives the capabilities if the server tells them with its `OK`.
async fn log_in(wire: &mut Wire, login: &Login) -> Result<Option<Capabilities>, ImapError> {
    wire.begin(wire.timeouts().command);
    let tag = match login {
        Login::Password { username, password } => {
            send_login(wire, [username, password.expose_secret()]).await?
        }
        Login::Xoauth2 { username, access_token } => {
            send_token(wire, username, access_token.expose_secret()).await?
        }
    };
    let mut said = None;
    let mut see = |answer: &Response<'_>| {
        said = Capabilities::of(answer).or(said.take());
        (judge(Step::Login, &tag, answer), matches!(answer, Response::Continue(_)))
    };
    loop {
        match wire.next(Step::Login, &mut see).await? {
            (Some(end), _) => return end.map(|()| said),
            // The reason for a refused token; the tagged `NO` comes after an empty answer (EM-102).
            (None, true) => wire.write(Step::Login, b"\r\n").await?,
            (None, false) => {}
        }
    }
}

/// `LOGIN`; what cannot be quoted goes as a literal, so that every password works (EM-99).
async fn send_login(wire: &mut Wire, values: [&str; 2]) -> Result<Tag, ImapError> {
    let tag = wire.tag();
    let mut line = tag.begin("LOGIN");
    for value in values {
        line.push(' ');
        if is_quotable(value) {
            line.push_str(&quote(value)?);
        } else {
            line.push_str(&format!("{{{}}}\r\n", value.len()));
            wire.write(Step::Login, line.as_bytes()).await?;
            wire.await_continue(Step::Login, &tag).await?;
            value.clone_into(&mut line);
        }
    }
    line.push_str("\r\n");
    wire.write(Step::Login, line.as_bytes()).await?;
    Ok(tag)
}

/// `AUTHENTICATE XOAUTH2` (EM-102).
async fn send_token(wire: &mut Wire, username: &str, token: &str) -> Result<Tag, ImapError> {
    let tag = wire.tag();
    let line = tag.begin("AUTHENTICATE XOAUTH2\r\n");
    wire.write(Step::Login, line.as_bytes()).await?;
    wire.await_continue(Step::Login, &tag).await?;
    let proof = STANDARD.encode(format!("user={username}\x01auth=Bearer {token}\x01\x01"));
    wire.write(Step::Login, format!("{proof}\r\n").as_bytes()).await?;
    Ok(tag)
}

async fn ask_capabilities(wire: &mut Wire) -> Result<Capabilities, ImapError> {
    let mut said = None;
    let keep = |answer: &Response<'_>| said = Capabilities::of(answer).or(said.take());
    wire.command(Step::Capability, "CAPABILITY", keep).await?;
    said.ok_or(ImapError::Protocol)
}

/// Says who we are; a server that declines to know is fine.
async fn identify(wire: &mut Wire, capabilities: &Capabilities) -> Result<(), ImapError> {
    if !capabilities.id {
        return Ok(());
    }
    match wire.command(Step::Id, ID, |_| ()).await {
        Err(ImapError::Refused(_)) => Ok(()),
        other => other,
    }
}
