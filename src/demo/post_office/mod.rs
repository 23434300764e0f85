//! A post office on loopback: accounts with an INBOX and a Sent folder, an IMAP4rev1 and an SMTP server.
//!
//! What it leaves out, it says: mail is never removed (EXPUNGE answers NO), there are no other folders, and
//! STARTTLS is not offered (TLS, where wanted, begins with the first byte).

mod account;
mod event;
mod header;
mod imap;
mod listening;
mod office;
mod smtp;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use event::{Envelope, Event};

use crate::clock::Clock;
use office::Office;

/// The largest mail that is taken, by SMTP or APPEND, in bytes: above Postkey's own limit, so that Postkey's
/// is the one that is met.
pub const LARGEST_MAIL: usize = 64 * 1024 * 1024;

/// A running post office; dropping it ends both servers and every connection.
pub struct PostOffice {
    /// Where IMAP answers.
    pub imap: SocketAddr,
    /// Where SMTP answers: as the MX of the local accounts, and as submission for those who log in.
    pub smtp: SocketAddr,
    office: Arc<Office>,
    _open: DropGuard,
}

impl PostOffice {
    /// Opens on two free ports of 127.0.0.1, with TLS from the first byte where `tls` is given.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(clock: Clock, tls: Option<Arc<rustls::ServerConfig>>) -> io::Result<Self> {
        let office = Arc::new(Office::new(clock));
        let closing = CancellationToken::new();
        let door = listening::Door { tls, closing: closing.clone(), office: Arc::clone(&office) };
        let imap = listening::open(door.clone(), listening::Service::Imap).await?;
        let smtp = listening::open(door, listening::Service::Smtp).await?;
        Ok(Self { imap, smtp, office, _open: closing.drop_guard() })
    }

    /// Makes an account with an empty INBOX and Sent folder; one that exists only gets the new password.
    /// Its address is the user name on both servers; `name+detail@domain` is delivered to `name@domain`.
    pub fn add_account(&self, address: &str, password: SecretString) {
        self.office.add_account(address, password);
    }

    /// Puts `bytes` into the INBOX of `address` exactly as they are, and gives the UID; `None` when there is
    /// no such account. Idle clients hear of it at once.
    pub fn deliver(&self, address: &str, bytes: impl Into<Arc<[u8]>>) -> Option<u32> {
        self.office.deliver(address, bytes.into())
    }

    /// Everything that happens from now on, in order; nothing is dropped if the reader is slow (the mails
    /// are shared with the folders, not copied).
    pub fn subscribe(&self) -> UnboundedReceiver<Event> {
        self.office.subscribe()
    }

    /// How many mails `folder` ("INBOX" or "Sent") of `address` holds; `None` when there is no such thing.
    pub fn count(&self, address: &str, folder: &str) -> Option<usize> {
        Some(self.office.find_account(address)?.find_folder(folder)?.len())
    }
}
