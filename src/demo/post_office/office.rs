//! What both servers share: who has an account, where a mail goes, and who is watching.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use secrecy::SecretString;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::account::{Account, Flags, StoredMail};
use super::event::{Envelope, Event};
use crate::clock::{Clock, Timestamp};

/// The room behind both counters.
pub(super) struct Office {
    clock: Clock,
    uid_validity: u32,
    accounts: RwLock<HashMap<String, Arc<Account>>>,
    watchers: Mutex<Vec<UnboundedSender<Event>>>,
}

impl Office {
    pub(super) fn new(clock: Clock) -> Self {
        // new at every start, since the mails of the last start are gone
        let seconds = clock.now().millis().div_euclid(1000);
        let uid_validity = u32::try_from(seconds).unwrap_or(1).max(1);
        Self { clock, uid_validity, accounts: RwLock::default(), watchers: Mutex::default() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn add_account(&self, address: &str, password: SecretString) {
        let address = address.to_lowercase();
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        match accounts.get(&address) {
            Some(account) => account.set_password(password),
            None => {
                let account = Account::new(&address, password, self.uid_validity);
                accounts.insert(address, Arc::new(account));
            }
        }
    }

    /// The account that mail for `address` goes to: its own, or that of the address without `+detail`.
    pub(super) fn find_account(&self, address: &str) -> Option<Arc<Account>> {
        let address = address.to_lowercase();
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(&address).or_else(|| accounts.get(&without_detail(&address)?)).cloned()
    }

    /// The account of this name, if the password is right.
    pub(super) fn log_in(&self, username: &str, password: &str) -> Option<Arc<Account>> {
        self.find_account(username).filter(|account| account.has_password(password))
    }

    /// Into the INBOX of `address`, as it is.
    pub(super) fn deliver(&self, address: &str, bytes: Arc<[u8]>) -> Option<u32> {
        let account = self.find_account(address)?;
        let at = self.now();
        let uid = account.inbox.add(StoredMail::new(Arc::clone(&bytes), at, Flags::default()));
        self.tell(|| Event::MailArrived { address: Arc::clone(&account.address), uid, bytes, at });
        Some(uid)
    }

    /// Takes a mail from SMTP: tells the watchers, and delivers to the recipients who have an account. For
    /// the others the event is the outbox: nothing leaves the machine.
    pub(super) fn accept(&self, envelope: Envelope, bytes: Arc<[u8]>) {
        let (envelope, at) = (Arc::new(envelope), self.now());
        self.tell(|| Event::MailAccepted { envelope: Arc::clone(&envelope), bytes: Arc::clone(&bytes), at });
        for recipient in &envelope.to {
            if self.find_account(recipient).is_some() {
                self.deliver(recipient, with_trace(&envelope, recipient, &bytes, at));
            }
        }
    }

    pub(super) fn subscribe(&self) -> UnboundedReceiver<Event> {
        let (sender, receiver) = unbounded_channel();
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    fn tell(&self, event: impl FnOnce() -> Event) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if !watchers.is_empty() {
            let event = event();
            watchers.retain(|watcher| watcher.send(event.clone()).is_ok());
        }
    }
}

fn without_detail(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let (name, _detail) = local.split_once('+')?;
    Some(format!("{name}@{domain}"))
}

/// What final delivery puts on top (RFC 5321 section 4.4): the return path, which the gate needs to see, and
/// a trace line.
fn with_trace(envelope: &Envelope, recipient: &str, bytes: &[u8], at: Timestamp) -> Arc<[u8]> {
    let from = envelope.from.as_deref().unwrap_or_default();
    let protocol = if envelope.submitted_by.is_some() { "ESMTPA" } else { "ESMTP" };
    let date = at.to_utc().to_rfc2822();
    let trace = format!(
        "Return-Path: <{from}>\r\nDelivered-To: {recipient}\r\n\
         Received: by post-office.localhost with {protocol} for <{recipient}>; {date}\r\n"
    );
    [trace.as_bytes(), bytes].concat().into()
}
