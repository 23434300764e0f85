//! Accounts and their two folders, in memory.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::header::fields;
use crate::clock::Timestamp;

/// The UID of a folder's first mail. Not 1: a client that takes sequence numbers for UIDs shall notice.
const FIRST_UID: u32 = 1001;

/// One person's place here.
pub(super) struct Account {
    /// Lower-case; also the user name.
    pub(super) address: Arc<str>,
    password: RwLock<SecretString>,
    pub(super) inbox: Arc<Folder>,
    pub(super) sent: Arc<Folder>,
}

impl Account {
    pub(super) fn new(address: &str, password: SecretString, uid_validity: u32) -> Self {
        Self {
            address: Arc::from(address),
            password: RwLock::new(password),
            inbox: Arc::new(Folder::new("INBOX", uid_validity)),
            sent: Arc::new(Folder::new("Sent", uid_validity)),
        }
    }

    pub(super) fn set_password(&self, password: SecretString) {
        *self.password.write().unwrap_or_else(PoisonError::into_inner) = password;
    }

    pub(super) fn has_password(&self, offered: &str) -> bool {
        self.password.read().unwrap_or_else(PoisonError::into_inner).expose_secret() == offered
    }

    /// INBOX is the only folder name without case (RFC 3501 section 5.1).
    pub(super) fn find_folder(&self, name: &str) -> Option<&Arc<Folder>> {
        match name {
            "Sent" => Some(&self.sent),
            name if name.eq_ignore_ascii_case("INBOX") => Some(&self.inbox),
            _ => None,
        }
    }
}

/// Mails in order of arrival. Nothing is ever removed, so that a mail's index gives its sequence number and
/// its UID, and no client's view can go stale.
pub(super) struct Folder {
    pub(super) name: &'static str,
    pub(super) uid_validity: u32,
    mails: RwLock<Vec<StoredMail>>,
    length: watch::Sender<usize>,
}

/// A mail as it lies in a folder.
#[derive(Clone)]
pub(super) struct StoredMail {
    pub(super) bytes: Arc<[u8]>,
    pub(super) received: Timestamp,
    pub(super) flags: Flags,
    /// The header's value in lower case; kept because every sent copy is looked for by it.
    pub(super) message_id: Option<Arc<str>>,
}

impl StoredMail {
    pub(super) fn new(bytes: Arc<[u8]>, received: Timestamp, flags: Flags) -> Self {
        let message_id = fields(&bytes, "Message-ID").next().map(|id| id.to_lowercase().into());
        Self { bytes, received, flags, message_id }
    }
}

impl Folder {
    fn new(name: &'static str, uid_validity: u32) -> Self {
        Self { name, uid_validity, mails: RwLock::default(), length: watch::Sender::new(0) }
    }

    /// Adds a mail, wakes whoever idles here, and gives the UID.
    pub(super) fn add(&self, mail: StoredMail) -> u32 {
        let mut mails = self.change();
        mails.push(mail);
        let length = mails.len();
        // under the lock: lengths are announced in order
        self.length.send_replace(length);
        uid_at(length.saturating_sub(1))
    }

    pub(super) fn len(&self) -> usize {
        *self.length.borrow()
    }

    /// Tells the folder's length whenever it grows.
    pub(super) fn watch(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Vec<StoredMail>> {
        self.mails.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Vec<StoredMail>> {
        self.mails.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The UID that the next mail gets.
    pub(super) fn uid_next(&self) -> u32 {
        uid_at(self.len())
    }
}

/// The UID of the mail at `index`.
pub(super) fn uid_at(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(FIRST_UID)
}

/// The sequence number of the mail at `index`.
pub(super) fn sequence_at(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

/// The indexes among the first `length` mails whose number, as `number_at` counts (from `first` on), lies
/// within `low..=high`.
pub(super) fn indexes(numbers: (u32, u32), number_at: fn(usize) -> u32, length: usize) -> Range<usize> {
    let (low, high) = numbers;
    let first = number_at(0);
    let start = usize::try_from(low.saturating_sub(first)).unwrap_or(usize::MAX).min(length);
    let end = match high.checked_sub(first) {
        Some(last) => usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1).min(length),
        None => 0,
    };
    start..end.max(start)
}

/// System flags and keywords; most mails have none, which costs nothing.
#[derive(Clone, Default)]
pub(super) struct Flags(Vec<Box<str>>);

impl Flags {
    /// More than this many are not kept.
    const MOST: usize = 32;

    pub(super) fn of(names: &[String]) -> Self {
        let mut flags = Self::default();
        flags.set(names);
        flags
    }

    /// Flag names have no case (RFC 3501 section 9).
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|flag| flag.eq_ignore_ascii_case(name))
    }

    pub(super) fn set(&mut self, names: &[String]) {
        for name in names {
            if !self.has(name) && self.0.len() < Self::MOST {
                self.0.push(name.as_str().into());
            }
        }
    }

    pub(super) fn clear(&mut self, names: &[String]) {
        self.0.retain(|flag| !names.iter().any(|name| flag.eq_ignore_ascii_case(name)));
    }

    /// As IMAP writes them between the brackets.
    pub(super) fn joined(&self) -> String {
        self.0.join(" ")
    }
}
