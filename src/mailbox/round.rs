//! One look at a folder: everything new is fetched, taken in, and only then the cursor moves (EM-73 to EM-77).

use std::collections::HashMap;
use std::time::Duration;

use super::fetching::{BEGINNING_BYTES, Portion};
use super::intake::{self, Delivery};
use super::watcher::{Watch, WatchError};
use crate::imap::{Session, Summary};
use crate::store::Mailbox;

/// Summaries asked for at once.
const MOST_SUMMARIES: usize = 500;
/// How far back a folder without a cursor is looked at: UIDs grow with arrival, so nothing that came after the
/// mailbox was activated stands further back, and a huge old folder is not searched through.
const MOST_UIDS_BACK: u32 = 100_000;
/// Mail that came up to this long before the mailbox was activated is answered (EM-25).
const GRACE: Duration = Duration::from_secs(60);

/// UIDVALIDITY and the lowest UID that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    uid_validity: u32,
    next_uid: u32,
}

/// Opens the watched folder and finds where to go on. With another UIDVALIDITY, or UIDs that went down, everything
/// is looked at again: what is settled is known by its identity (EM-77, EM-78).
pub(super) async fn open_folder(
    watch: &Watch,
    session: Session,
    mailbox: &Mailbox,
) -> Result<(Session, Cursor), WatchError> {
    let (session, folder) = session.select(&mailbox.folder).await?;
    let store = &watch.watching.store;
    let stored = store.find_mailbox(watch.lease.user, watch.lease.mailbox).await?.ok_or(WatchError::Gone)?;
    let is_known = stored.uid_validity == Some(folder.uid_validity) && folder.uid_validity != 0;
    let first = folder.uid_next.map_or(1, |uid_next| uid_next.saturating_sub(MOST_UIDS_BACK).max(1));
    let next_uid = stored.next_uid.filter(|_| is_known).unwrap_or(first);
    let went_down = folder.uid_next.is_some_and(|uid_next| uid_next < next_uid);
    if went_down {
        tracing::warn!(mailbox = %mailbox.id, "the server's UIDs went down; looking at all mail again");
    }
    let next_uid = if went_down { first } else { next_uid };
    Ok((session, Cursor { uid_validity: folder.uid_validity, next_uid }))
}

/// Takes in all mail from the cursor on.
pub(super) async fn take_in_new(
    watch: &mut Watch,
    mut session: Session,
    mailbox: &Mailbox,
    cursor: &mut Cursor,
) -> Result<Session, WatchError> {
    loop {
        let uids;
        (session, uids) = session.uids_from(cursor.next_uid).await?;
        if uids.is_empty() {
            return Ok(session);
        }
        for part in uids.chunks(MOST_SUMMARIES) {
            session = take_in(watch, session, mailbox, cursor, part).await?;
        }
    }
}

async fn take_in(
    watch: &mut Watch,
    session: Session,
    mailbox: &Mailbox,
    cursor: &mut Cursor,
    uids: &[u32],
) -> Result<Session, WatchError> {
    let (mut session, summaries) = describe_all(session, uids).await?;
    let wanted: Vec<Summary> =
        summaries.into_iter().filter(|summary| is_to_be_answered(summary, mailbox)).collect();
    let config = &watch.watching.config;
    for portion in watch.care.portions(&wanted, config.fetch_batch, config.max_message_bytes) {
        watch.care.suspect(&portion);
        let deliveries;
        (session, deliveries) =
            fetch(session, cursor.uid_validity, &portion, config.max_message_bytes).await?;
        watch.care.clear(&portion);
        let next_uid = deliveries.last().map_or(cursor.next_uid, |last| last.uid.saturating_add(1));
        let arrivals = intake::read_all(deliveries).await;
        if !arrivals.is_empty() {
            watch.watching.store.accept_messages(watch.lease, arrivals).await?;
        }
        move_cursor(watch, cursor, next_uid).await?;
    }
    let settled = uids.last().map_or(cursor.next_uid, |last| last.saturating_add(1));
    move_cursor(watch, cursor, settled).await?;
    Ok(session)
}

async fn move_cursor(watch: &Watch, cursor: &mut Cursor, next_uid: u32) -> Result<(), WatchError> {
    if next_uid > cursor.next_uid {
        watch.watching.store.move_cursor(watch.lease, cursor.uid_validity, next_uid).await?;
        cursor.next_uid = next_uid;
    }
    Ok(())
}

/// Asks twice about UIDs of which the server said nothing; after a second clean answer they are gone (EM-75).
async fn describe_all(session: Session, uids: &[u32]) -> Result<(Session, Vec<Summary>), WatchError> {
    let (session, mut summaries) = session.describe(uids).await?;
    let known: HashMap<u32, ()> = summaries.iter().map(|summary| (summary.uid, ())).collect();
    let missing: Vec<u32> = uids.iter().copied().filter(|uid| !known.contains_key(uid)).collect();
    if missing.is_empty() {
        return Ok((session, summaries));
    }
    let (session, again) = session.describe(&missing).await?;
    summaries.extend(again);
    summaries.sort_by_key(|summary| summary.uid);
    Ok((session, summaries))
}

/// Drafts, deleted mail (EM-26), and mail from before the mailbox was activated (EM-25) are left alone.
fn is_to_be_answered(summary: &Summary, mailbox: &Mailbox) -> bool {
    let is_old = summary.internal_date.is_some_and(|date| date < mailbox.activated_at.minus(GRACE));
    !is_old && !summary.flags.draft && !summary.flags.deleted
}

async fn fetch(
    session: Session,
    uid_validity: u32,
    portion: &Portion,
    max_bytes: usize,
) -> Result<(Session, Vec<Delivery>), WatchError> {
    let delivery = |mail: &Summary, raw: Vec<u8>, truncated| Delivery {
        uid_validity,
        uid: mail.uid,
        internal_date: mail.internal_date,
        bytes: mail.size,
        raw,
        truncated,
    };
    match portion {
        Portion::Whole(mails) => {
            let (session, bodies) = fetch_whole(session, mails, max_bytes).await?;
            let deliveries = mails.iter().filter_map(|mail| {
                let (_, raw) = bodies.iter().find(|(uid, _)| *uid == mail.uid)?;
                Some(delivery(mail, raw.clone(), false))
            });
            Ok((session, deliveries.collect()))
        }
        Portion::Beginning(mail) => {
            let (session, raw) = session.fetch_start(mail.uid, BEGINNING_BYTES).await?;
            Ok((session, raw.map(|raw| delivery(mail, raw, true)).into_iter().collect()))
        }
        Portion::Hopeless(mail) => Ok((session, vec![delivery(mail, Vec::new(), true)])),
    }
}

/// Asks once more, singly, for mails of which the server said nothing (EM-75).
async fn fetch_whole(
    session: Session,
    mails: &[Summary],
    max_bytes: usize,
) -> Result<(Session, Vec<(u32, Vec<u8>)>), WatchError> {
    let uids: Vec<u32> = mails.iter().map(|mail| mail.uid).collect();
    let (mut session, mut bodies) = session.fetch(&uids, max_bytes).await?;
    for uid in uids {
        if bodies.iter().any(|(found, _)| *found == uid) {
            continue;
        }
        let again;
        (session, again) = session.fetch(&[uid], max_bytes).await?;
        bodies.extend(again);
    }
    Ok((session, bodies))
}
