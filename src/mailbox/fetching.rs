//! Which mails are fetched together, and how carefully: one bad mail never blocks the next (EM-83).

use std::collections::HashMap;

use crate::imap::Summary;

/// A connection's loss may be anybody's fault, so a mail is suspected slowly.
const TOGETHER: u32 = 0;
const WHOLE: u32 = 3;
const BEGINNING: u32 = 6;

/// The most bytes that one command asks for; one mail may be larger.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much is taken of a mail that is too large or too difficult: its header and the first words.
pub(super) const BEGINNING_BYTES: usize = 1024 * 1024;

/// How often mails were in hand when a connection failed.
#[derive(Default)]
pub(super) struct Care {
    failures: HashMap<u32, u32>,
}

/// What to ask for with one command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Portion {
    /// These mails, whole.
    Whole(Vec<Summary>),
    /// The beginning of this one.
    Beginning(Summary),
    /// Nothing: this one cannot be fetched, whatever we try.
    Hopeless(Summary),
}

impl Care {
    /// Before asking: should the connection fail, these are under suspicion.
    pub(super) fn suspect(&mut self, portion: &Portion) {
        for uid in portion.uids() {
            *self.failures.entry(uid).or_insert(TOGETHER) += 1;
        }
    }

    /// After an answer: they were not to blame.
    pub(super) fn clear(&mut self, portion: &Portion) {
        for uid in portion.uids() {
            self.failures.remove(&uid);
        }
    }

    /// Splits mails into portions, in order.
    pub(super) fn portions(&self, mails: &[Summary], most: usize, max_bytes: usize) -> Vec<Portion> {
        let mut portions = Vec::new();
        let mut together: Vec<Summary> = Vec::new();
        let mut bytes: usize = 0;
        for mail in mails {
            let size = usize::try_from(mail.size).unwrap_or(usize::MAX);
            let alone = self.alone(mail, size > max_bytes);
            let is_full = together.len() >= most || bytes.saturating_add(size) > MOST_BYTES;
            if !together.is_empty() && (alone.is_some() || is_full) {
                portions.push(Portion::Whole(std::mem::take(&mut together)));
                bytes = 0;
            }
            match alone {
                Some(portion) => portions.push(portion),
                None => {
                    bytes = bytes.saturating_add(size);
                    together.push(*mail);
                }
            }
        }
        if !together.is_empty() {
            portions.push(Portion::Whole(together));
        }
        portions
    }

    fn alone(&self, mail: &Summary, is_too_large: bool) -> Option<Portion> {
        match self.failures.get(&mail.uid).copied().unwrap_or(TOGETHER) {
            failures if failures >= BEGINNING => Some(Portion::Hopeless(*mail)),
            failures if failures >= WHOLE || is_too_large => Some(Portion::Beginning(*mail)),
            TOGETHER => None,
            _ => Some(Portion::Whole(vec![*mail])),
        }
    }
}

impl Portion {
    fn uids(&self) -> Vec<u32> {
        match self {
            Self::Whole(mails) => mails.iter().map(|mail| mail.uid).collect(),
            Self::Beginning(mail) | Self::Hopeless(mail) => vec![mail.uid],
        }
    }
}
