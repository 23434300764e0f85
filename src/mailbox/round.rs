//! One look at a folder: everything new is fetched and taken in, and with it the cursor moves (EM-73 to EM-77).

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use futures::FutureExt;

use super::Watching;
use super::asking::{describe_all, fetch};
use super::fetching::Group;
use super::intake::{Delivery, Reader};
use super::room::Taken;
use super::watcher::{Watch, WatchError};
use crate::imap::{ImapError, Session, Summary};
use crate::store::{Mailbox, MailboxCursor};

/// Mail that came up to this long before the mailbox was activated is answered (EM-25).
const GRACE: Duration = Duration::from_secs(60);

/// UIDVALIDITY and the lowest UID that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    uid_validity: u32,
    next_uid: u32,
    /// Mails below this that have no date were there before and may be of any age.
    old_if_dateless: u32,
}

/// Opens the watched folder and finds where to go on. With another UIDVALIDITY, or UIDs that went down, everything
/// is looked at again: what is settled is known by its identity (EM-77, EM-78).
pub(super) async fn open_folder(
    watch: &mut Watch,
    session: Session,
    mailbox: &Mailbox,
) -> Result<(Session, Cursor), WatchError> {
    let (session, folder) = session.select(&mailbox.folder).await?;
    let store = &watch.watching.store;
    let stored = store.find_mailbox(watch.lease.user, watch.lease.mailbox).await?.ok_or(WatchError::Gone)?;
    watch.care.open(folder.uid_validity);
    let is_known = stored.uid_validity == Some(folder.uid_validity) && folder.uid_validity != 0;
    let next_uid = stored.next_uid.filter(|_| is_known).unwrap_or(1);
    let went_down = folder.uid_next.is_some_and(|uid_next| uid_next < next_uid);
    if went_down {
        tracing::warn!(mailbox = %mailbox.id, "the server's UIDs went down; looking at all mail again");
        watch.care.forget();
    }
    let begins_anew = went_down || !is_known;
    let cursor = Cursor {
        uid_validity: folder.uid_validity,
        next_uid: if begins_anew { 1 } else { next_uid },
        old_if_dateless: if begins_anew { folder.uid_next.unwrap_or(u32::MAX) } else { 0 },
    };
    Ok((session, cursor))
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
        let mut look = Look::new(watch.care.pending(&uids), &uids, *cursor);
        if look.pending.is_empty() && look.end <= cursor.next_uid {
            watch.care.finish();
            cursor.old_if_dateless = 0;
            return Ok(session);
        }
        for group in watch.care.groups(&look.pending) {
            session = match group {
                Group::Described(uids) => take_in(watch, session, mailbox, &mut look, &uids).await?,
                Group::Hopeless(uid) => {
                    let lost = Delivery::lost(look.cursor.uid_validity, uid);
                    settle(watch, mailbox, &mut look, vec![lost], &[uid]).await?;
                    session
                }
            };
        }
        // Of many mails a search names only the lowest, and these may have been dealt with before.
        if look.cursor.next_uid < look.end {
            settle(watch, mailbox, &mut look, Vec::new(), &[]).await?;
        }
        *cursor = look.cursor;
    }
}

/// What one search has found.
struct Look {
    /// Not dealt with yet.
    pending: BTreeSet<u32>,
    /// Where the cursor stands when nothing is pending.
    end: u32,
    cursor: Cursor,
}

impl Look {
    fn new(pending: BTreeSet<u32>, uids: &[u32], cursor: Cursor) -> Self {
        let end = uids.last().map_or(cursor.next_uid, |last| last.saturating_add(1));
        Self { pending, end, cursor }
    }

    /// Where the cursor moves to when these are dealt with, if it moves.
    fn pass(&mut self, uids: &[u32]) -> Option<MailboxCursor> {
        for uid in uids {
            self.pending.remove(uid);
        }
        let next_uid = self.pending.first().copied().unwrap_or(self.end);
        let uid_validity = self.cursor.uid_validity;
        (next_uid > self.cursor.next_uid).then_some(MailboxCursor { uid_validity, next_uid })
    }
}

/// Describes, fetches and takes in one group of mails.
async fn take_in(
    watch: &mut Watch,
    session: Session,
    mailbox: &Mailbox,
    look: &mut Look,
    uids: &[u32],
) -> Result<Session, WatchError> {
    let session = probe(watch, session, uids).await?;
    let described = describe_all(session, uids).await;
    let (mut session, summaries) = described.inspect_err(|error| watch.care.failed(uids, error))?;
    let wanted: Vec<Summary> =
        summaries.into_iter().filter(|summary| is_to_be_answered(summary, mailbox, look.cursor)).collect();
    let (batch, max_bytes) = (watch.watching.config.fetch_batch, watch.watching.config.max_message_bytes);
    let to_fetch: HashSet<u32> = wanted.iter().map(|mail| mail.uid).collect();
    let done: Vec<u32> = uids.iter().copied().filter(|uid| !to_fetch.contains(uid)).collect();
    for portion in watch.care.portions(wanted, batch, max_bytes) {
        let asked = portion.uids();
        let limit = watch.care.limit(&portion, max_bytes);
        let _until_stored;
        (session, _until_stored) = make_room(watch, session, limit.total).await?;
        let fetched = fetch(session, look.cursor.uid_validity, portion, limit).await;
        let deliveries;
        (session, deliveries) = fetched.inspect_err(|error| watch.care.not_fetched(&asked, error))?;
        let came = deliveries.iter().filter(|delivery| !delivery.is_lost());
        watch.care.came(came.map(|delivery| delivery.uid));
        settle(watch, mailbox, look, deliveries, &asked).await?;
    }
    settle(watch, mailbox, look, Vec::new(), &done).await?;
    Ok(session)
}

/// Before a suspect: whether this server hands over a mail of which we know that it can.
async fn probe(watch: &mut Watch, session: Session, group: &[u32]) -> Result<Session, ImapError> {
    let Some(sound) = watch.care.probe(group) else { return Ok(session) };
    let (session, start) = session.fetch_start(sound, 1).await?;
    watch.care.probed(start.is_some());
    Ok(session)
}

/// Waits for room, and lets the server know meanwhile that somebody is there. It may log us out all the same, which is
/// noticed before a mail is asked for and blamed.
async fn make_room(watch: &Watch, mut session: Session, bytes: usize) -> Result<(Session, Taken), ImapError> {
    let Watching { room, config, .. } = &watch.watching;
    let taking = room.take(watch.lease.user, bytes);
    tokio::pin!(taking);
    if let Some(taken) = (&mut taking).now_or_never() {
        return Ok((session, taken));
    }
    loop {
        let taken = tokio::time::timeout(config.idle_renew, &mut taking).await;
        (session, ()) = session.noop().await?;
        if let Ok(taken) = taken {
            return Ok((session, taken));
        }
    }
}

/// Stores what came, and with it how far the cursor has come: over nothing that is not settled.
async fn settle(
    watch: &mut Watch,
    mailbox: &Mailbox,
    look: &mut Look,
    deliveries: Vec<Delivery>,
    uids: &[u32],
) -> Result<(), WatchError> {
    let arrivals = Reader::of(mailbox, &watch.watching).read_all(deliveries).await;
    let moved = look.pass(uids);
    if !arrivals.is_empty() || moved.is_some() {
        watch.watching.store.accept_messages(watch.lease, arrivals, moved).await?;
    }
    watch.care.settle(uids.iter().copied());
    if let Some(cursor) = moved {
        look.cursor.next_uid = cursor.next_uid;
        watch.care.passed(cursor.next_uid);
    }
    Ok(())
}

/// Drafts, deleted mail (EM-26), and mail from before the mailbox was activated (EM-25) are left alone.
fn is_to_be_answered(summary: &Summary, mailbox: &Mailbox, cursor: Cursor) -> bool {
    let is_old = match summary.internal_date {
        Some(date) => date < mailbox.activated_at.minus(GRACE),
        None => summary.uid < cursor.old_if_dateless,
    };
    !is_old && !summary.flags.draft && !summary.flags.deleted
}
