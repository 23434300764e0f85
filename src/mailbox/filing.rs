//! After a reply went out: its copy in the Sent folder, the answered flag on its parent (EM-60, EM-94), and the
//! search for replies of which nobody knows whether they went out (promise 6).

use std::time::Duration;

use super::watcher::{Watch, WatchError};
use crate::config::SentCopy;
use crate::imap::{ImapError, Session};
use crate::mail::RfcMessageId;
use crate::store::{Mailbox, StoreError, Unfiled};

/// Replies dealt with together; also the most copies and flags that a crash can lose.
const MOST_AT_ONCE: usize = 10;
/// New mail is not kept waiting by more than so many copies.
const MOST_IN_A_ROUND: usize = 100;
/// Lost replies looked for in one round.
const MOST_LOST: usize = 20;
/// A copy that has not turned up by then never will.
const LOOKED_FOR: Duration = Duration::from_secs(24 * 3600);
/// A server whose connection is lost each time we ask for its Sent folder, or look into it, is not asked for ever.
const MOST_FAILED_LOOKS: u32 = 3;

/// Providers whose SMTP servers file a copy themselves; a second one would confuse people.
const FILE_THEMSELVES: [&str; 5] =
    ["gmail.com", "googlemail.com", "office365.com", "outlook.com", "yandex.com"];

/// Deals with the replies of this mailbox. The caller looks for new mail afterwards, since what the server says of
/// it in between is not heard (EM-85).
pub(super) async fn file_replies(
    watch: &mut Watch,
    session: Session,
    mailbox: &Mailbox,
) -> Result<Session, WatchError> {
    let mut desk = Desk::default();
    let session = desk.look_for_lost(watch, session, mailbox).await?;
    desk.file_sent(watch, session, mailbox).await
}

/// What is known about filing in this mailbox, once it was asked for.
#[derive(Default)]
struct Desk {
    known: Option<Known>,
}

#[derive(Clone)]
struct Known {
    sent: Option<String>,
    uid_validity: Option<u32>,
}

impl Desk {
    async fn file_sent(
        &mut self,
        watch: &mut Watch,
        mut session: Session,
        mailbox: &Mailbox,
    ) -> Result<Session, WatchError> {
        let store = watch.watching.store.clone();
        let copies = files_copies(watch.watching.sent_copy, mailbox);
        for _ in 0..MOST_IN_A_ROUND / MOST_AT_ONCE {
            let mut unfiled = store.list_unfiled(watch.lease, MOST_AT_ONCE).await?;
            if unfiled.is_empty() {
                return Ok(session);
            }
            let known;
            (session, known) = self.open(watch, session, copies).await?;
            // Noted first: a copy is not worth a second attempt that might make two of it.
            let marked =
                store.mark_filed(watch.lease, unfiled.iter().map(|reply| reply.run_id).collect()).await?;
            let listed = unfiled.len();
            unfiled.retain(|reply| marked.contains(&reply.run_id));
            session = known.mark_parents(session, mailbox, &unfiled).await?;
            for reply in unfiled.iter().filter(|_| copies) {
                session = known.file(session, reply).await?;
            }
            if listed < MOST_AT_ONCE {
                return Ok(session);
            }
        }
        watch.file.notify_one();
        Ok(session)
    }

    async fn look_for_lost(
        &mut self,
        watch: &mut Watch,
        mut session: Session,
        mailbox: &Mailbox,
    ) -> Result<Session, WatchError> {
        let (store, verify) = (watch.watching.store.clone(), watch.watching.verify_ambiguous);
        let since = store.clock().now().minus(LOOKED_FOR);
        let lost = store.list_lost(watch.lease, verify, since, MOST_LOST).await?;
        if lost.is_empty() || watch.failed_looks >= MOST_FAILED_LOOKS {
            return Ok(session);
        }
        watch.failed_looks += 1;
        let known;
        (session, known) = self.open(watch, session, true).await?;
        let Some(sent) = &known.sent else { return Ok(session) };
        let mut found = Vec::new();
        for reply in lost {
            let Some(id) = RfcMessageId::parse(&reply.rfc_message_id) else { continue };
            let is_there;
            (session, is_there) = session.find_by_message_id(sent, &id).await?;
            if is_there {
                store.settle_ambiguous(watch.lease, reply.run_id).await?;
                found.push(reply);
            }
        }
        session = session.select(&mailbox.folder).await?.0;
        session = known.mark_parents(session, mailbox, &found).await?;
        watch.failed_looks = 0;
        Ok(session)
    }

    /// A server whose connection is lost each time that it is asked for its folders files no copies, and mail is taken
    /// in all the same.
    async fn open(
        &mut self,
        watch: &mut Watch,
        mut session: Session,
        wants_sent: bool,
    ) -> Result<(Session, Known), WatchError> {
        if let Some(known) = &self.known {
            return Ok((session, known.clone()));
        }
        let mut sent = None;
        if wants_sent && watch.failed_lists < MOST_FAILED_LOOKS {
            watch.failed_lists += 1;
            (session, sent) = session.sent_folder().await?;
            watch.failed_lists = 0;
        }
        let known = Known { sent, uid_validity: stored_uid_validity(watch).await? };
        self.known = Some(known.clone());
        Ok((session, known))
    }
}

fn files_copies(policy: SentCopy, mailbox: &Mailbox) -> bool {
    match policy {
        SentCopy::Always => true,
        SentCopy::Never => false,
        SentCopy::Auto => !files_itself(&mailbox.smtp.host),
    }
}

async fn stored_uid_validity(watch: &Watch) -> Result<Option<u32>, StoreError> {
    let stored = watch.watching.store.find_mailbox(watch.lease.user, watch.lease.mailbox).await?;
    Ok(stored.and_then(|mailbox| mailbox.uid_validity))
}

impl Known {
    /// The reply went out, which is what counts; a missing copy or flag is no reason to do anything again.
    async fn file(&self, session: Session, reply: &Unfiled) -> Result<Session, ImapError> {
        let (Some(folder), Some(raw)) = (&self.sent, &reply.raw) else { return Ok(session) };
        let (session, stored) = session.append(folder, raw, true).await?;
        if let Err(refused) = stored {
            tracing::info!(run = %reply.run_id, %refused, "the mail server does not file a reply");
        }
        Ok(session)
    }

    /// Where the parents' UIDs still mean the same mails.
    async fn mark_parents(
        &self,
        session: Session,
        mailbox: &Mailbox,
        replies: &[Unfiled],
    ) -> Result<Session, ImapError> {
        let is_same = |reply: &&Unfiled| reply.uid_validity == self.uid_validity.map(i64::from);
        let uids = replies.iter().filter(is_same).filter_map(|reply| u32::try_from(reply.uid?).ok());
        let uids: Vec<u32> = uids.collect();
        if uids.is_empty() {
            return Ok(session);
        }
        let (session, marked) = session.mark_answered(&uids).await?;
        if let Err(refused) = marked {
            tracing::info!(mailbox = %mailbox.id, %refused, "the mail server does not mark mails as answered");
        }
        Ok(session)
    }
}

fn files_itself(host: &str) -> bool {
    FILE_THEMSELVES
        .iter()
        .any(|name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}
