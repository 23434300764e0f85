//! An account's folders and mails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use postkey::clock::Timestamp;

use super::{INBOX, Idle, SENT};

/// One login and what it owns.
pub struct Account {
    /// The password, and the access token for XOAUTH2.
    pub secret: String,
    pub idle: Idle,
    /// The RFC822.SIZE that every mail is said to have.
    pub size_lie: Option<u32>,
    /// Whether INTERNALDATE is left out of the answers.
    pub hides_dates: bool,
    /// Whether RFC822.SIZE is left out of the answers.
    pub hides_sizes: bool,
    folders: BTreeMap<String, Folder>,
}

/// One folder, oldest mail first.
pub struct Folder {
    pub uid_validity: u32,
    pub uid_next: u32,
    pub mails: Vec<StoredMail>,
}

#[derive(Clone)]
pub struct StoredMail {
    pub uid: u32,
    pub bytes: Arc<[u8]>,
    pub flags: BTreeSet<String>,
    pub arrived: Timestamp,
}

impl Account {
    pub fn new(secret: &str) -> Self {
        let folders = [INBOX, SENT].map(|name| (name.to_owned(), Folder::new()));
        Self {
            secret: secret.to_owned(),
            idle: Idle::Pushes,
            size_lie: None,
            hides_dates: false,
            hides_sizes: false,
            folders: folders.into(),
        }
    }

    /// One of the folders that every account has.
    pub fn folder(&mut self, name: &str) -> &mut Folder {
        self.find_folder(name).expect("every account has it")
    }

    /// By name; INBOX in any case (RFC 9051 section 5.1).
    pub fn find_folder(&mut self, name: &str) -> Option<&mut Folder> {
        let name = if name.eq_ignore_ascii_case(INBOX) { INBOX } else { name };
        self.folders.get_mut(name)
    }
}

impl Folder {
    fn new() -> Self {
        Self { uid_validity: 1_000, uid_next: 1, mails: Vec::new() }
    }

    /// Adds a mail and returns its UID.
    pub fn append(&mut self, bytes: &[u8], arrived: Timestamp, flags: &[&str]) -> u32 {
        let uid = self.uid_next;
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self.mails.push(StoredMail { uid, bytes: bytes.into(), flags, arrived });
        self.uid_next += 1;
        uid
    }

    /// Another UIDVALIDITY, and UIDs from 1 again.
    pub fn renumber(&mut self) {
        self.uid_validity += 1;
        for (uid, mail) in (1..).zip(&mut self.mails) {
            mail.uid = uid;
        }
        self.uid_next = self.mails.len() as u32 + 1;
    }
}

/// The UIDs of `mails` that a sequence set such as `1,4:6,9:*` names, where `*` is the last one, so that
/// `n:*` always names the last mail, even one before `n` (RFC 9051 section 9, "seq-range").
pub fn uids_in_set(mails: &[StoredMail], set: &str) -> BTreeSet<u32> {
    let last = mails.last().map_or(0, |mail| mail.uid);
    let number = |text: &str| if text == "*" { last } else { text.parse().unwrap_or(0) };
    let ranges: Vec<(u32, u32)> = set
        .split(',')
        .map(|part| part.split_once(':').unwrap_or((part, part)))
        .map(|(from, to)| (number(from), number(to)))
        .map(|(from, to)| (from.min(to), from.max(to)))
        .collect();
    let named = |uid: &u32| ranges.iter().any(|(from, to)| (from..=to).contains(&uid));
    mails.iter().map(|mail| mail.uid).filter(named).collect()
}
