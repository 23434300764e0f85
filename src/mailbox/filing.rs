//! After a reply went out: its copy in the Sent folder, the answered flag on its parent (EM-60, EM-94), and the
//! search for replies of which nobody knows whether they went out (promise 6).

use super::watcher::{Watch, WatchError};
use crate::config::SentCopy;
use crate::imap::Session;
use crate::mail::RfcMessageId;
use crate::store::{Mailbox, OutboxState, Unfiled};

/// Also the most copies that a crash can lose.
const MOST_AT_ONCE: u32 = 10;

/// Providers whose SMTP servers file a copy themselves; a second one would confuse people.
const FILE_THEMSELVES: [&str; 5] =
    ["gmail.com", "googlemail.com", "office365.com", "outlook.com", "yandex.com"];

/// Deals with the replies of this mailbox. They are noted as dealt with first: a server that refuses a copy must
/// not see it again with every connection, and a missing copy is not a reason to send again.
pub(super) async fn file_replies(
    watch: &Watch,
    mut session: Session,
    mailbox: &Mailbox,
) -> Result<Session, WatchError> {
    let (store, verify) = (&watch.watching.store, watch.watching.verify_ambiguous);
    let mut desk: Option<Desk> = None;
    loop {
        let unfiled = store.list_unfiled(watch.lease, verify, MOST_AT_ONCE).await?;
        if unfiled.is_empty() {
            return Ok(session);
        }
        let at;
        (session, at) = match desk.take() {
            Some(desk) => (session, desk),
            None => Desk::open(watch, session, mailbox).await?,
        };
        store.mark_filed(watch.lease, unfiled.iter().map(|reply| reply.run_id).collect()).await?;
        for reply in unfiled {
            session = match reply.state {
                OutboxState::Ambiguous => at.look_for(watch, session, mailbox, &reply).await?,
                _ => at.file(session, reply).await?,
            };
        }
        desk = Some(at);
    }
}

/// What is known about filing in this mailbox.
struct Desk {
    sent: Option<String>,
    copies: bool,
    uid_validity: Option<u32>,
}

impl Desk {
    async fn open(watch: &Watch, session: Session, mailbox: &Mailbox) -> Result<(Session, Self), WatchError> {
        let copies = match watch.watching.sent_copy {
            SentCopy::Always => true,
            SentCopy::Never => false,
            SentCopy::Auto => !files_itself(&mailbox.smtp.host),
        };
        let (session, sent) = session.sent_folder().await?;
        let stored = watch.watching.store.find_mailbox(watch.lease.user, watch.lease.mailbox).await?;
        let uid_validity = stored.and_then(|mailbox| mailbox.uid_validity);
        Ok((session, Self { sent, copies, uid_validity }))
    }

    async fn file(&self, mut session: Session, reply: Unfiled) -> Result<Session, WatchError> {
        if let (true, Some(folder), Some(raw)) = (self.copies, &self.sent, &reply.raw) {
            session = session.append(folder, raw, true).await?.0;
        }
        if let Some(uid) = self.parent(&reply) {
            session = session.mark_answered(uid).await?.0;
        }
        Ok(session)
    }

    /// The parent's UID, where it still means the same mail.
    fn parent(&self, reply: &Unfiled) -> Option<u32> {
        let same = reply.uid_validity == self.uid_validity.map(i64::from);
        reply.uid.filter(|_| same).and_then(|uid| u32::try_from(uid).ok())
    }

    async fn look_for(
        &self,
        watch: &Watch,
        session: Session,
        mailbox: &Mailbox,
        reply: &Unfiled,
    ) -> Result<Session, WatchError> {
        let (Some(folder), Some(id)) = (&self.sent, RfcMessageId::parse(&reply.rfc_message_id)) else {
            return Ok(session);
        };
        let (session, found) = session.find_by_message_id(folder, &id).await?;
        if found {
            watch.watching.store.settle_ambiguous(watch.lease, reply.run_id).await?;
        }
        Ok(session.select(&mailbox.folder).await?.0)
    }
}

fn files_itself(host: &str) -> bool {
    FILE_THEMSELVES
        .iter()
        .any(|name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}
