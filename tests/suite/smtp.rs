//! One SMTP connection against scripted servers.

mod ambiguity;
mod handover;
mod open;
mod script;

use std::net::SocketAddr;
use std::time::Duration;

use postkey::mail::Address;
use postkey::net::Login;
use postkey::smtp::{Accepted, Connection, Phase, SmtpError, SmtpErrorKind, Timeouts};

use crate::support::dialling::{dialler, plain};

const ANNA: &str = "anna@example.com";
const SECRET: &str = "secret";
const MAIL: &[u8] = b"Subject: hello\r\n\r\nhello\r\n";

/// Long enough for a busy machine.
const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(20),
    command: Duration::from_secs(20),
    data: Duration::from_secs(20),
    finish: Duration::from_secs(20),
};

/// Short enough to wait for.
const IMPATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(20),
    command: Duration::from_millis(300),
    data: Duration::from_millis(300),
    finish: Duration::from_millis(300),
};

fn password(password: &str) -> Login {
    Login::Password { username: ANNA.to_owned(), password: password.into() }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

async fn open_with(
    server: SocketAddr,
    login: Option<Login>,
    timeouts: &Timeouts,
) -> Result<Connection, SmtpError> {
    Connection::open(&dialler(&[server]), &plain(server), login, timeouts, "client.example.com").await
}

/// One mail from Anna to Bob.
async fn send(connection: Connection, mail: &[u8]) -> Result<(Connection, Accepted), SmtpError> {
    connection.offer(&address(ANNA), &address("bob@example.org")).await?.deliver(mail).await
}

/// Opens a connection without a login and sends one mail.
async fn send_to(server: SocketAddr, timeouts: &Timeouts, mail: &[u8]) -> Result<Accepted, SmtpError> {
    let connection = open_with(server, None, timeouts).await?;
    send(connection, mail).await.map(|(_, accepted)| accepted)
}

/// Phase and kind of an error.
fn place<T>(result: Result<T, SmtpError>) -> (Phase, SmtpErrorKind) {
    let error = result.err().expect("an error");
    (error.phase, error.kind)
}
