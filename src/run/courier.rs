//! SMTP connections that wait for the next mail: few per mailbox, never shared between mailboxes (EM-150).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::error::RunError;
use super::meter::Meter;
use super::turnstile::{Pass, Turnstiles};
use crate::clock::{Clock, Timestamp};
use crate::config;
use crate::mail::Address;
use crate::net::{Dialler, Tokens};
use crate::smtp::{Connection, Offer, SmtpError, Timeouts};
use crate::store::{Mailbox, MailboxId};
use crate::vault::Vault;

/// The connections of this process.
pub(super) struct Couriers {
    dialler: Arc<Dialler>,
    tokens: Tokens,
    clock: Clock,
    config: config::Smtp,
    turnstiles: Turnstiles<MailboxId>,
    meter: Meter,
    shelf: Arc<Mutex<Shelf>>,
    refused: Mutex<HashMap<MailboxId, Refused>>,
}

/// For how long a refused password is not tried again: a queue full of mail must not look like somebody guessing.
const REFUSED_REST: Duration = Duration::from_secs(30);

/// A login that the server refused a moment ago.
struct Refused {
    /// The settings that it was tried with.
    version: Timestamp,
    since: Instant,
    error: SmtpError,
}

struct Waiting {
    connection: Connection,
    /// The settings that it was opened with.
    version: Timestamp,
    since: Instant,
}

/// The connections that wait for their next mail.
#[derive(Default)]
struct Shelf {
    waiting: HashMap<MailboxId, Vec<Waiting>>,
    /// Whether somebody takes away what has waited for too long.
    is_tidied: bool,
}

/// A connection on which the server has agreed to take a mail.
pub(super) struct Courier {
    pub(super) offer: Offer,
    pub(super) pass: Pass,
}

impl Couriers {
    pub(super) fn new(dialler: Arc<Dialler>, tokens: Tokens, clock: Clock, config: config::Smtp) -> Self {
        let turnstiles = Turnstiles::new(config.connections_per_account);
        let meter = Meter::new(config.messages_per_minute);
        Self {
            dialler,
            tokens,
            clock,
            config,
            turnstiles,
            meter,
            shelf: Arc::default(),
            refused: Mutex::default(),
        }
    }

    /// Gets the server to agree to a mail from `from` to `to`. A connection that went stale while it waited is
    /// replaced at once and is no failure (EM-148).
    pub(super) async fn offer(
        &self,
        mailbox: &Mailbox,
        vault: &Vault,
        from: &Address,
        to: &Address,
    ) -> Result<Courier, RunError> {
        self.meter.count(mailbox.id, self.clock.now()).map_err(RunError::TooManyPerMinute)?;
        let pass = self.turnstiles.pass(mailbox.id).await;
        while let Some(connection) = self.take(mailbox) {
            match connection.offer(from, to).await {
                Ok(offer) => return Ok(Courier { offer, pass }),
                Err(error) if error.is_stale() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let connection = self.open(mailbox, vault, from.domain()).await?;
        Ok(Courier { offer: connection.offer(from, to).await?, pass })
    }

    /// Keeps a connection for the next mail, if it is good for one.
    pub(super) fn put_back(&self, mailbox: &Mailbox, connection: Connection) {
        if !connection.is_reusable() || connection.served() >= self.config.messages_per_connection {
            tokio::spawn(connection.quit());
            return;
        }
        let waiting = Waiting { connection, version: mailbox.updated_at, since: Instant::now() };
        let mut shelf = lock(&self.shelf);
        shelf.waiting.entry(mailbox.id).or_default().push(waiting);
        if !std::mem::replace(&mut shelf.is_tidied, true) {
            tokio::spawn(tidy_until_empty(Arc::downgrade(&self.shelf), self.config.idle));
        }
    }

    fn take(&self, mailbox: &Mailbox) -> Option<Connection> {
        let mut shelf = lock(&self.shelf);
        let connections = shelf.waiting.get_mut(&mailbox.id)?;
        connections.retain(|waiting| {
            waiting.version == mailbox.updated_at && waiting.since.elapsed() < self.config.idle
        });
        connections.pop().map(|waiting| waiting.connection)
    }

    async fn open(&self, mailbox: &Mailbox, vault: &Vault, hello: &str) -> Result<Connection, RunError> {
        if let Some(error) = self.find_refused(mailbox) {
            return Err(error.into());
        }
        let (endpoint, credentials) = mailbox.smtp_access(vault)?;
        let login = self.tokens.login(mailbox.id.uuid(), credentials).await?;
        let timeouts = Timeouts::from(&self.config);
        let opened = Connection::open(&self.dialler, &endpoint, Some(login), &timeouts, hello).await;
        if let Err(error) = &opened
            && error.is_credential()
        {
            self.tokens.forget(mailbox.id.uuid());
            self.note_refused(mailbox, error);
        }
        Ok(opened?)
    }

    fn find_refused(&self, mailbox: &Mailbox) -> Option<SmtpError> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|_, refused| refused.since.elapsed() < REFUSED_REST);
        let found = refused.get(&mailbox.id).filter(|refused| refused.version == mailbox.updated_at)?;
        Some(found.error.clone())
    }

    /// An access token is fetched anew instead.
    fn note_refused(&self, mailbox: &Mailbox, error: &SmtpError) {
        if mailbox.oauth.is_none() {
            let refused =
                Refused { version: mailbox.updated_at, since: Instant::now(), error: error.clone() };
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(mailbox.id, refused);
        }
    }
}

/// Says goodbye on connections that nobody has wanted for so long.
async fn tidy_until_empty(shelf: Weak<Mutex<Shelf>>, idle: Duration) {
    loop {
        tokio::time::sleep(idle).await;
        let Some(shelf) = shelf.upgrade() else { return };
        let mut shelf = lock(&shelf);
        for connections in shelf.waiting.values_mut() {
            for old in connections.extract_if(.., |waiting| waiting.since.elapsed() >= idle) {
                tokio::spawn(old.connection.quit());
            }
        }
        shelf.waiting.retain(|_, connections| !connections.is_empty());
        if shelf.waiting.is_empty() {
            shelf.is_tidied = false;
            return;
        }
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    // Every critical section leaves it whole, so a poisoned lock is still good.
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
