//! Finding mails by UID or by their Message-ID.

use async_imap::imap_proto::{MailboxDatum, Response};

use super::error::{ImapError, Step};
use super::framer::Limits;
use super::name::quote;
use super::session::Session;
use crate::mail::RfcMessageId;

/// Room for some 250,000 UIDs; the parser begins anew with every 4 KiB, so longer lists would cost much time.
const LONG_LIST: Limits = Limits { line: 2 * 1024 * 1024, literal: 0, total: 3 * 1024 * 1024 };

impl Session {
    /// All UIDs of the open folder from `first` on, in ascending order.
    ///
    /// `n:*` names the last mail even when its UID is lower than n: such results are dropped (EM-76).
    ///
    /// # Errors
    /// Any [`ImapError`]; a `NO` is an error and never an empty list (CT-8). More than about 250,000 UIDs are
    /// [`ImapError::TooLarge`].
    pub async fn uids_from(mut self, first: u32) -> Result<(Self, Vec<u32>), ImapError> {
        let first = first.max(1);
        self.wire.set_news(false);
        let (session, mut uids) = self.search(&format!("UID {first}:*")).await?;
        uids.retain(|uid| *uid >= first);
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
