//! Putting a copy of a mail into a folder.

use super::error::{ImapError, Refused, Step};
use super::framer::Limits;
use super::name::quote_folder;
use super::session::Session;

impl Session {
    /// Stores a mail in a folder (`APPEND`), with `\Seen` if wanted. A refusal (a full mailbox, no such folder)
    /// leaves the session as it was. With `LITERAL+` the mail goes at once, and a server that will not take it may also
    /// end the connection (RFC 7888).
    ///
    /// # Errors
    /// Any [`ImapError`] but [`ImapError::Refused`]; after a lost connection the copy may be there or not.
    pub async fn append(
        mut self,
        folder: &str,
        bytes: &[u8],
        seen: bool,
    ) -> Result<(Self, Result<(), Refused>), ImapError> {
        let stored = self.store_in(folder, bytes, seen).await;
        Ok((self, refusal(stored)?))
    }

    async fn store_in(&mut self, folder: &str, bytes: &[u8], seen: bool) -> Result<(), ImapError> {
        let flags = if seen { "(\\Seen) " } else { "" };
        let at_once = self.capabilities.literal_plus;
        let plus = if at_once { "+" } else { "" };
        let command = format!("APPEND {} {flags}{{{}{plus}}}\r\n", quote_folder(folder)?, bytes.len());
        let wire = &mut self.wire;
        wire.allow(Limits::SMALL);
        wire.begin(wire.timeouts().command);
        let tag = wire.tag();
        let mut words = tag.begin(&command).into_bytes();
        if !at_once {
            wire.write(Step::Append, &words).await?;
            wire.await_continue(Step::Append, &tag).await?;
            words.clear();
        }
        words.extend_from_slice(bytes);
        words.extend_from_slice(b"\r\n");
        wire.write(Step::Append, &words).await?;
        // A large mail may have taken its time; the answer has its own deadline.
        wire.begin(wire.timeouts().command);
        wire.finish(Step::Append, &tag, |_| ()).await
    }
}

/// A tagged `NO` or `BAD` is an answer; every other error ends the session.
pub(super) fn refusal(result: Result<(), ImapError>) -> Result<Result<(), Refused>, ImapError> {
    match result {
        Ok(()) => Ok(Ok(())),
        Err(ImapError::Refused(refused)) => Ok(Err(refused)),
        Err(error) => Err(error),
    }
}
