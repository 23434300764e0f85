//! One IMAP session against scripted servers and a real Dovecot.

mod dovecot;
mod hostile;
mod idle;
mod open;
mod reading;
mod script;

use std::net::SocketAddr;
use std::time::Duration;

use postkey::imap::{ImapError, Session, Timeouts};
use postkey::net::Login;

use crate::support::dialling::{dialler, plain};
use crate::support::imap_server::{INBOX, ImapServer};
use crate::support::loopback::Encryption;

const ANNA: &str = "anna@example.com";
const SECRET: &str = "secret";

/// Long enough for a busy machine.
const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(20),
    command: Duration::from_secs(20),
    done: Duration::from_secs(20),
};

/// Short enough to wait for.
const IMPATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(20),
    command: Duration::from_millis(300),
    done: Duration::from_millis(300),
};

fn password(password: &str) -> Login {
    Login::Password { username: ANNA.to_owned(), password: password.into() }
}

async fn open_with(server: SocketAddr, login: Login, timeouts: Timeouts) -> Result<Session, ImapError> {
    Session::open(&dialler(&[server]), &plain(server), login, timeouts).await
}

/// An honest server with Anna's account.
async fn server() -> ImapServer {
    let server = ImapServer::start(Encryption::None).await;
    server.add_account(ANNA, SECRET);
    server
}

/// A session with the INBOX open.
async fn inbox(server: &ImapServer, timeouts: Timeouts) -> Session {
    let session = open_with(server.address(), password(SECRET), timeouts).await.unwrap();
    session.select(INBOX).await.unwrap().0
}

/// The error of a step, since a `Session` has no `Debug`.
fn error<T>(result: Result<T, ImapError>) -> ImapError {
    result.err().expect("an error")
}
