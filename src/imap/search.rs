//! Finding mails by UID or by their Message-ID.

use async_imap::imap_proto::{MailboxDatum, Response};

use super::error::{ImapError, Step};
use super::framer::Limits;
use super::name::quote;
use super::session::Session;
use crate::mail::RfcMessageId;

/// Room for some 190,000 UIDs.
const LONG_LIST: Limits = Limits { line: 2 * 1024 * 1024, literal: 0, total: 3 * 1024 * 1024 };
/// Where more mails may be found than this, they are searched for in parts: the parser begins anew with every 4 KiB, so
/// that a list of them costs its length squared.
const MOST_AT_ONCE: u32 = 20_000;
/// Into more parts no folder is cut: the command that asks for the cuts stays short.
const MOST_PARTS: u32 = 200;

impl Session {
    /// UIDs of the open folder from `first` on, in ascending order: all of them, or, where there are many, only the
    /// lowest. None are given only if there are none.
    ///
    /// `n:*` names the last mail even when its UID is lower than n: such results are dropped (EM-76).
    ///
    /// # Errors
    /// Any [`ImapError`]; a `NO` is an error and never an empty list (CT-8).
    pub async fn uids_from(mut self, first: u32) -> Result<(Self, Vec<u32>), ImapError> {
        let first = first.max(1);
        self.wire.set_news(false);
        let exists = self.wire.exists();
        let most = self.uid_next.map_or(exists, |next| exists.min(next.saturating_sub(first)));
        if most > MOST_AT_ONCE {
            return self.lowest_from(first).await;
        }
        self.all_from(first).await
    }

    /// What is found by UID is right whatever the cuts are: mails are numbered anew while we look, so their numbers only
    /// tell where about so many mails end (EM-92).
    async fn lowest_from(self, first: u32) -> Result<(Self, Vec<u32>), ImapError> {
        let exists = self.wire.exists();
        let step = MOST_AT_ONCE.max(exists.div_ceil(MOST_PARTS));
        let places =
            (1..=MOST_PARTS).map(|part| part.saturating_mul(step)).take_while(|place| *place < exists);
        let places: Vec<String> = places.map(|place| place.to_string()).collect();
        let (mut session, cuts) = self.search(&places.join(",")).await?;
        let mut from = first;
        for cut in cuts.into_iter().filter(|cut| *cut >= first) {
            let mut uids;
            (session, uids) = session.search(&format!("UID {from}:{cut}")).await?;
            uids.retain(|uid| (from..=cut).contains(uid));
            if !uids.is_empty() {
                return Ok((session, uids));
            }
            from = cut.saturating_add(1);
        }
        session.all_from(from).await
    }

    async fn all_from(self, first: u32) -> Result<(Self, Vec<u32>), ImapError> {
        let (mut session, mut uids) = self.search(&format!("UID {first}:*")).await?;
        uids.retain(|uid| *uid >= first);
        // So that the next search is known to find few, also where the server does not say it.
        let after = uids.last().map_or(first, |last| last.saturating_add(1));
        session.uid_next = session.uid_next.max(Some(after));
        Ok((session, uids))
    }

    /// Whether a folder holds a mail with this Message-ID.
    ///
    /// The folder is opened for reading; the caller opens its own again. An id beyond ASCII is never found, since
    /// such ids are not ours.
    ///
    /// # Errors
    /// Any [`ImapError`].
    pub async fn find_by_message_id(
        self,
        folder: &str,
        id: &RfcMessageId,
    ) -> Result<(Self, bool), ImapError> {
        let (session, _) = self.examine(folder).await?;
        let Ok(wanted) = quote(&format!("<{}>", id.as_str())) else { return Ok((session, false)) };
        let (mut session, uids) = session.search(&format!("HEADER Message-ID {wanted}")).await?;
        // Of what comes into the caller's folder meanwhile, the server will not tell.
        session.wire.set_news(true);
        Ok((session, !uids.is_empty()))
    }

    async fn search(mut self, criteria: &str) -> Result<(Self, Vec<u32>), ImapError> {
        let mut uids = Vec::new();
        self.wire.allow(LONG_LIST);
        let collect = |answer: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = answer {
                uids.extend_from_slice(found);
            }
        };
        self.wire.bounded_command(Step::Search, &format!("UID SEARCH {criteria}"), collect).await?;
        uids.sort_unstable();
        uids.dedup();
        Ok((self, uids))
    }
}
