//! Sizes first, then the mails (EM-80 to EM-82).

use async_imap::imap_proto::{AttributeValue, Response};
use chrono::DateTime;

use super::append::refusal;
use super::error::{ImapError, Refused, Step};
use super::framer::Limits;
use super::session::Session;
use super::uid_set::{MOST_UIDS, uid_set};
use crate::clock::Timestamp;

/// What an answer may hold beside the mail.
const LINE: usize = 64 * 1024;
/// Bytes of an answer without its mail, as allowed on average.
const PER_ANSWER: usize = 4 * 1024;
/// Unasked news between the answers.
const NEWS: usize = 1024 * 1024;

/// What is known about a mail before its content is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its UID in the open folder.
    pub uid: u32,
    /// Its size in bytes, as the server says; it can be wrong (EM-82). `None` if it is not said in a readable form.
    pub size: Option<u32>,
    /// When the server took it in; `None` if it does not say so in a readable form.
    pub internal_date: Option<Timestamp>,
    /// Its flags.
    pub flags: Flags,
}

/// The system flags that matter here (RFC 3501 section 2.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `\Draft`.
    pub draft: bool,
    /// `\Deleted`.
    pub deleted: bool,
    /// `\Seen`.
    pub seen: bool,
    /// `\Answered`.
    pub answered: bool,
}

/// How many bytes a fetch may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteLimit {
    /// Of one mail.
    pub each: usize,
    /// Of all mails together.
    pub total: usize,
}

impl From<usize> for ByteLimit {
    /// The same limit for each mail, and none beyond that for all.
    fn from(each: usize) -> Self {
        Self { each, total: usize::MAX }
    }
}

impl Session {
    /// Sizes, dates and flags of these mails of the open folder, ordered by UID.
    ///
    /// A UID that is gone has no entry; the caller compares what it asked with what it got (EM-75).
    ///
    /// # Errors
    /// Any [`ImapError`]; only a tagged `OK` counts as an answer.
    pub async fn describe(mut self, uids: &[u32]) -> Result<(Self, Vec<Summary>), ImapError> {
        let mut summaries = Vec::with_capacity(uids.len());
        for part in uids.chunks(MOST_UIDS) {
            let command = format!("UID FETCH {} (UID FLAGS INTERNALDATE RFC822.SIZE)", uid_set(part));
            self.wire.allow(Limits { line: LINE, literal: 0, total: NEWS + part.len() * PER_ANSWER });
            let collect = |answer: &Response<'_>| summaries.extend(summary(answer));
            self.wire.bounded_command(Step::Describe, &command, collect).await?;
        }
        // News of a mail's flags can come beside the answer about it, and says less.
        summaries.sort_by_key(|summary| summary.size.is_none());
        keep_asked(&mut summaries, uids, |summary| summary.uid);
        Ok((self, summaries))
    }

    /// These mails of the open folder, byte for byte, ordered by UID; `\Seen` stays as it is (EM-80).
    ///
    /// A UID that is gone has no entry. The limits hold while reading, whatever the server announces.
    ///
    /// # Errors
    /// Any [`ImapError`]; [`ImapError::TooLarge`] as soon as a mail or all of them are over the limit.
    pub async fn fetch(
        mut self,
        uids: &[u32],
        max_bytes: impl Into<ByteLimit>,
    ) -> Result<(Self, Vec<(u32, Vec<u8>)>), ImapError> {
        let limit = max_bytes.into();
        let mut left = limit.total.min(limit.each.saturating_mul(uids.len()));
        let mut mails = Vec::with_capacity(uids.len());
        for part in uids.chunks(MOST_UIDS) {
            let around = NEWS + part.len() * PER_ANSWER;
            let literal = limit.each.min(left);
            self.wire.allow(Limits { line: LINE, literal, total: left.saturating_add(around) });
            let command = format!("UID FETCH {} (UID BODY.PEEK[])", uid_set(part));
            let collect = |answer: &Response<'_>| mails.extend(content(answer));
            self.wire.bounded_command(Step::Fetch, &command, collect).await?;
            let got = mails.iter().map(|(_, bytes): &(u32, Vec<u8>)| bytes.len()).sum::<usize>();
            left = limit.total.saturating_sub(got).min(left);
        }
        keep_asked(&mut mails, uids, |(uid, _)| *uid);
        Ok((self, mails))
    }

    /// The first bytes of a mail that is too large to be fetched whole; `None` if it is gone (EM-82).
    ///
    /// # Errors
    /// Any [`ImapError`].
    pub async fn fetch_start(mut self, uid: u32, bytes: usize) -> Result<(Self, Option<Vec<u8>>), ImapError> {
        let mut start = None;
        self.wire.allow(Limits { line: LINE, literal: bytes, total: bytes.saturating_add(NEWS) });
        let collect = |answer: &Response<'_>| {
            let content = content(answer).filter(|(found, _)| *found == uid);
            start = content.map(|(_, bytes)| bytes).or(start.take());
        };
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<0.{bytes}>)");
        self.wire.bounded_command(Step::Fetch, &command, collect).await?;
        Ok((self, start))
    }

    /// Sets `\Answered` on mails of the open folder, as far as they are there. A refusal (a folder for reading only) leaves
    /// the session as it was, and the rest unmarked.
    ///
    /// # Errors
    /// Any [`ImapError`] but [`ImapError::Refused`].
    pub async fn mark_answered(mut self, uids: &[u32]) -> Result<(Self, Result<(), Refused>), ImapError> {
        for part in uids.chunks(MOST_UIDS) {
            let command = format!("UID STORE {} +FLAGS.SILENT (\\Answered)", uid_set(part));
            let stored = refusal(self.wire.command(Step::Store, &command, |_| ()).await)?;
            if stored.is_err() {
                return Ok((self, stored));
            }
        }
        Ok((self, Ok(())))
    }
}

/// News about other mails can come in between, and a mail can come twice.
fn keep_asked<T>(answers: &mut Vec<T>, uids: &[u32], uid: impl Fn(&T) -> u32) {
    let asked: std::collections::HashSet<u32> = uids.iter().copied().collect();
    answers.retain(|answer| asked.contains(&uid(answer)));
    answers.sort_by_key(&uid);
    answers.dedup_by_key(|answer| uid(answer));
}

fn summary(answer: &Response<'_>) -> Option<Summary> {
    let Response::Fetch(_, attributes) = answer else { return None };
    let mut summary = Summary { uid: 0, size: None, internal_date: None, flags: Flags::default() };
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => summary.uid = *uid,
            AttributeValue::Rfc822Size(size) => summary.size = Some(*size),
            AttributeValue::InternalDate(date) => summary.internal_date = timestamp(date),
            AttributeValue::Flags(flags) => summary.flags = flags_of(flags.iter().map(AsRef::as_ref)),
            _ => {}
        }
    }
    (summary.uid > 0).then_some(summary)
}

/// A mail's UID and content; `NIL`, `""` and `{0}` are all an empty one (EM-98).
fn content(answer: &Response<'_>) -> Option<(u32, Vec<u8>)> {
    let Response::Fetch(_, attributes) = answer else { return None };
    let mut uid = None;
    let mut content = None;
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(found) => uid = Some(*found),
            AttributeValue::BodySection { section: None, data, .. } => {
                content = Some(data.as_deref().unwrap_or_default());
            }
            _ => {}
        }
    }
    Some((uid?, content?.to_vec()))
}

fn flags_of<'a>(names: impl Iterator<Item = &'a str>) -> Flags {
    let mut flags = Flags::default();
    for name in names {
        match name.to_ascii_lowercase().as_str() {
            "\\draft" => flags.draft = true,
            "\\deleted" => flags.deleted = true,
            "\\seen" => flags.seen = true,
            "\\answered" => flags.answered = true,
            _ => {}
        }
    }
    flags
}

/// `17-Jul-1996 02:44:25 -0700` (RFC 3501, `date-time`).
fn timestamp(date: &str) -> Option<Timestamp> {
    let date = DateTime::parse_from_str(date.trim(), "%d-%b-%Y %H:%M:%S %z").ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}
