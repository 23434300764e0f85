//! Which mails are asked for together, and how carefully: one bad mail never blocks the next (EM-83).
//!
//! A connection that is lost while a mail is in hand may be the mail's fault or the server's. So a suspect is asked
//! for alone and last, and a failure counts against it only while the server is known to hand over other mails.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::imap::{ByteLimit, ImapError, Summary};

/// Counted failures after which only the beginning of a mail is asked for.
const WHOLE: u32 = 3;
/// Counted failures after which a mail is given up.
const BEGINNING: u32 = 5;
/// A mail that has failed for so long is to blame, even where nothing else can be asked for.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// Summaries asked for with one command.
const MOST_SUMMARIES: usize = 500;
/// How much smaller a group gets each time it fails: three failures find the one among all.
const NARROWER: usize = 8;
/// The most bytes that one command asks for; one mail may be larger.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much is taken of a mail that is too large or too difficult: its header and the first words.
pub(super) const BEGINNING_BYTES: usize = 1024 * 1024;
/// Sizes are told wrongly, some by a little: so much more may come for each command, and an eighth of what was said.
const SLACK: usize = 64 * 1024;

/// What is remembered of a folder's mails from one connection to the next.
pub(super) struct Care {
    uid_validity: u32,
    troubles: HashMap<u32, Trouble>,
    /// Dealt with, although the cursor waits for one before them.
    settled: BTreeSet<u32>,
    /// One that the server handed over: if it does so again, the server is not to blame for another.
    sound: Option<u32>,
    is_server_sound: bool,
    /// Until it has sent more than it said.
    believes_sizes: bool,
    group: usize,
}

struct Trouble {
    failures: u32,
    since: Instant,
}

/// What to ask for with one command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Portion {
    /// These mails, whole.
    Whole(Vec<Summary>),
    /// The beginning of this one.
    Beginning(Summary),
}

/// Mails that are described, fetched and taken in before the next ones.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// To be asked for.
    Described(Vec<u32>),
    /// It cannot be had, whatever we try.
    Hopeless(u32),
}

impl Default for Care {
    fn default() -> Self {
        Self {
            uid_validity: 0,
            troubles: HashMap::new(),
            settled: BTreeSet::new(),
            sound: None,
            is_server_sound: false,
            believes_sizes: true,
            group: MOST_SUMMARIES,
        }
    }
}

impl Care {
    /// A folder was opened. Under another UIDVALIDITY its UIDs are other mails.
    pub(super) fn open(&mut self, uid_validity: u32) {
        if self.uid_validity != uid_validity {
            *self = Self { uid_validity, ..Self::default() };
        }
        self.is_server_sound = false;
    }

    /// The server counts its UIDs anew without saying so.
    pub(super) fn forget(&mut self) {
        *self = Self { uid_validity: self.uid_validity, ..Self::default() };
    }

    /// The mails that are not dealt with.
    pub(super) fn pending(&self, uids: &[u32]) -> BTreeSet<u32> {
        uids.iter().copied().filter(|uid| !self.settled.contains(uid)).collect()
    }

    /// Splits mails into groups: the good ones together and first, each suspect alone, the worst last.
    pub(super) fn groups(&self, pending: &BTreeSet<u32>) -> Vec<Group> {
        let (mut suspects, good): (Vec<u32>, Vec<u32>) =
            pending.iter().copied().partition(|uid| self.troubles.contains_key(uid));
        suspects.sort_by_key(|uid| self.failures(*uid));
        let alone = |uid| match self.failures(uid) >= BEGINNING {
            true => Group::Hopeless(uid),
            false => Group::Described(vec![uid]),
        };
        let together = good.chunks(self.group).map(|uids| Group::Described(uids.to_vec()));
        together.chain(suspects.into_iter().map(alone)).collect()
    }

    /// Splits a group into portions, in order.
    pub(super) fn portions(&self, mails: Vec<Summary>, most: usize, max_bytes: usize) -> Vec<Portion> {
        let mut portions = Vec::new();
        let mut together: Vec<Summary> = Vec::new();
        let mut bytes: usize = 0;
        for mail in mails {
            let size = size(&mail);
            let only_its_beginning = size > max_bytes || self.failures(mail.uid) >= WHOLE;
            let alone = only_its_beginning || self.troubles.contains_key(&mail.uid);
            let is_full = together.len() >= most || bytes.saturating_add(size) > MOST_BYTES;
            if !together.is_empty() && (alone || is_full) {
                portions.push(Portion::Whole(std::mem::take(&mut together)));
                bytes = 0;
            }
            if only_its_beginning {
                portions.push(Portion::Beginning(mail));
            } else if alone {
                portions.push(Portion::Whole(vec![mail]));
            } else {
                bytes = bytes.saturating_add(size);
                together.push(mail);
            }
        }
        if !together.is_empty() {
            portions.push(Portion::Whole(together));
        }
        portions
    }

    /// How much of a portion is read, which is how much room is made for it: a little more than it is said to be, and as
    /// much as it may be at all where sizes were lies.
    pub(super) fn limit(&self, portion: &Portion, max_bytes: usize) -> ByteLimit {
        let Portion::Whole(mails) = portion else {
            return ByteLimit { each: BEGINNING_BYTES, total: BEGINNING_BYTES };
        };
        let said = mails.iter().map(size).fold(0, usize::saturating_add);
        let total = match self.believes_sizes {
            true => said.saturating_add(said / 8).saturating_add(SLACK),
            false => max_bytes.saturating_mul(mails.len()).min(max_bytes.max(2 * MOST_BYTES)),
        };
        ByteLimit { each: max_bytes.min(total), total }
    }

    /// A mail to be asked for before this group, since nobody knows yet whether this server hands over anything.
    pub(super) fn probe(&self, group: &[u32]) -> Option<u32> {
        let is_suspect = group.iter().any(|uid| self.troubles.contains_key(uid));
        self.sound.filter(|_| is_suspect && !self.is_server_sound)
    }

    /// What came of the probe.
    pub(super) fn probed(&mut self, is_there: bool) {
        self.is_server_sound = is_there;
        self.sound = self.sound.filter(|_| is_there);
    }

    /// The connection was lost while these were asked for.
    pub(super) fn failed(&mut self, uids: &[u32], error: &ImapError) {
        if let [uid] = uids {
            self.blame(*uid, error);
            return;
        }
        self.group = (self.group.min(uids.len()) / NARROWER).max(1);
    }

    /// These were described and could not be fetched; the connection was lost.
    pub(super) fn not_fetched(&mut self, uids: &[u32], error: &ImapError) {
        match uids {
            _ if *error == ImapError::TooLarge && self.believes_sizes => self.believes_sizes = false,
            [uid] => self.blame(*uid, error),
            _ => self.suspect(uids),
        }
    }

    fn blame(&mut self, uid: u32, error: &ImapError) {
        let about_the_mail = matches!(error, ImapError::TooLarge | ImapError::Protocol);
        let trouble =
            self.troubles.entry(uid).or_insert_with(|| Trouble { failures: 0, since: Instant::now() });
        if about_the_mail || self.is_server_sound || trouble.since.elapsed() > LONGEST {
            trouble.failures += 1;
        }
        if *error == ImapError::TooLarge {
            trouble.failures = trouble.failures.max(WHOLE);
        }
    }

    /// These could not be fetched together; from now on each is asked for alone.
    fn suspect(&mut self, uids: &[u32]) {
        for uid in uids {
            self.troubles.entry(*uid).or_insert_with(|| Trouble { failures: 0, since: Instant::now() });
        }
    }

    /// The server has handed these over.
    pub(super) fn came(&mut self, uids: impl Iterator<Item = u32>) {
        for uid in uids {
            self.troubles.remove(&uid);
            self.sound = Some(uid);
            self.is_server_sound = true;
        }
    }

    /// These are dealt with.
    pub(super) fn settle(&mut self, uids: impl Iterator<Item = u32>) {
        for uid in uids {
            self.troubles.remove(&uid);
            self.settled.insert(uid);
        }
    }

    /// The cursor has come to `next_uid`.
    pub(super) fn passed(&mut self, next_uid: u32) {
        self.settled = self.settled.split_off(&next_uid);
    }

    /// Everything was looked at.
    pub(super) fn finish(&mut self) {
        self.group = MOST_SUMMARIES;
    }

    fn failures(&self, uid: u32) -> u32 {
        self.troubles.get(&uid).map_or(0, |trouble| trouble.failures)
    }
}

impl Portion {
    pub(super) fn uids(&self) -> Vec<u32> {
        match self {
            Self::Whole(mails) => mails.iter().map(|mail| mail.uid).collect(),
            Self::Beginning(mail) => vec![mail.uid],
        }
    }
}

/// As the server says; one of which it says nothing may be of any size.
fn size(mail: &Summary) -> usize {
    mail.size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX)
}
