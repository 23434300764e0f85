//! Asking for mails until each is handed over, is gone, or is there and cannot be had (EM-75, EM-83).

use std::collections::HashSet;

use super::fetching::{BEGINNING_BYTES, Portion};
use super::intake::Delivery;
use crate::imap::{ByteLimit, ImapError, Session, Summary};

/// Asks twice about UIDs of which the server said nothing; after a second clean answer they are gone (EM-75).
pub(super) async fn describe_all(
    session: Session,
    uids: &[u32],
) -> Result<(Session, Vec<Summary>), ImapError> {
    let (session, mut summaries) = session.describe(uids).await?;
    let known: HashSet<u32> = summaries.iter().map(|summary| summary.uid).collect();
    let missing: Vec<u32> = uids.iter().copied().filter(|uid| !known.contains(uid)).collect();
    if missing.is_empty() {
        return Ok((session, summaries));
    }
    let (session, again) = session.describe(&missing).await?;
    summaries.extend(again);
    summaries.sort_by_key(|summary| summary.uid);
    Ok((session, summaries))
}

/// What these mails hold. One without a delivery is gone; one that the server shows and does not hand over is
/// [`Delivery::lost`].
pub(super) async fn fetch(
    session: Session,
    uid_validity: u32,
    portion: Portion,
    limit: ByteLimit,
) -> Result<(Session, Vec<Delivery>), ImapError> {
    let (session, mut deliveries, withheld) = match portion {
        Portion::Whole(mails) => fetch_whole(session, uid_validity, mails, limit).await?,
        Portion::Beginning(mail) => {
            let (session, delivery) = fetch_beginning(session, uid_validity, &mail, limit.each).await?;
            let withheld = if delivery.is_none() { vec![mail.uid] } else { Vec::new() };
            (session, Vec::from_iter(delivery), withheld)
        }
    };
    let left = limit.total.saturating_sub(deliveries.iter().map(|delivery| delivery.raw.len()).sum());
    let (session, insisted) = insist(session, uid_validity, &withheld, left).await?;
    deliveries.extend(insisted);
    Ok((session, deliveries))
}

/// Asks once more, singly, for mails of which the server said nothing (EM-75); gives the UIDs of those of which it said
/// nothing again.
async fn fetch_whole(
    session: Session,
    uid_validity: u32,
    mails: Vec<Summary>,
    limit: ByteLimit,
) -> Result<(Session, Vec<Delivery>, Vec<u32>), ImapError> {
    let uids: Vec<u32> = mails.iter().map(|mail| mail.uid).collect();
    let (mut session, mut bodies) = session.fetch(&uids, limit).await?;
    let mut left = bodies.iter().fold(limit.total, |left, (_, raw)| left.saturating_sub(raw.len()));
    let (mut deliveries, mut withheld) = (Vec::with_capacity(mails.len()), Vec::new());
    for mail in &mails {
        let mut raw = bodies.iter_mut().find(|(uid, _)| *uid == mail.uid).map(|(_, raw)| std::mem::take(raw));
        if raw.is_none() {
            let again;
            (session, again) = session.fetch(&[mail.uid], limit.each.min(left)).await?;
            raw = again.into_iter().next().map(|(_, raw)| raw);
            left = left.saturating_sub(raw.as_ref().map_or(0, Vec::len));
        }
        match raw {
            Some(raw) => deliveries.push(delivery(uid_validity, mail, raw, false)),
            None => withheld.push(mail.uid),
        }
    }
    Ok((session, deliveries, withheld))
}

async fn fetch_beginning(
    session: Session,
    uid_validity: u32,
    mail: &Summary,
    bytes: usize,
) -> Result<(Session, Option<Delivery>), ImapError> {
    let (session, start) = session.fetch_start(mail.uid, bytes).await?;
    let delivery = start.map(|raw| {
        // Less than was asked for is all of it, unless the server says that there is more.
        let is_less_than_said = mail.size.is_some_and(|size| u64::from(size) > raw.len() as u64);
        let truncated = raw.len() >= bytes || is_less_than_said;
        delivery(uid_validity, mail, raw, truncated)
    });
    Ok((session, delivery))
}

/// A mail that was described and did not come may have gone meanwhile. If it is still there and not even its beginning
/// comes, it has a place that the cursor may not pass without a word (EM-74).
async fn insist(
    session: Session,
    uid_validity: u32,
    withheld: &[u32],
    left: usize,
) -> Result<(Session, Vec<Delivery>), ImapError> {
    let (mut session, still_there) = session.describe(withheld).await?;
    let bytes = (left / withheld.len().max(1)).clamp(1, BEGINNING_BYTES);
    let mut deliveries = Vec::with_capacity(still_there.len());
    for mail in still_there {
        let beginning;
        (session, beginning) = fetch_beginning(session, uid_validity, &mail, bytes).await?;
        deliveries.push(beginning.unwrap_or_else(|| Delivery::lost(uid_validity, mail.uid)));
    }
    Ok((session, deliveries))
}

fn delivery(uid_validity: u32, mail: &Summary, raw: Vec<u8>, truncated: bool) -> Delivery {
    Delivery {
        uid_validity,
        uid: mail.uid,
        internal_date: mail.internal_date,
        is_answered: mail.flags.answered,
        bytes: mail.size.unwrap_or_else(|| u32::try_from(raw.len()).unwrap_or(u32::MAX)),
        raw,
        truncated,
    }
}
