//! Opening a folder.

use async_imap::imap_proto::{MailboxDatum, Response, ResponseCode};

use super::error::{ImapError, Step};
use super::name::quote_folder;
use super::session::Session;

/// A folder that was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// The generation of its UIDs; 0 where the server does not say, which no valid one is (EM-77).
    pub uid_validity: u32,
    /// A UID that is higher than all now; some servers do not say (EM-78).
    pub uid_next: Option<u32>,
    /// How many mails it holds.
    pub exists: u32,
    /// Whether own keywords can be stored (`PERMANENTFLAGS` has `\*`, EM-94).
    pub keeps_keywords: bool,
}

impl Session {
    /// Opens a folder for reading and for flags (`SELECT`).
    ///
    /// # Errors
    /// Any [`ImapError`]; [`ImapError::Refused`] for a folder that does not exist.
    pub async fn select(self, folder: &str) -> Result<(Self, Folder), ImapError> {
        self.open_folder("SELECT", folder).await
    }

    /// Opens a folder for reading only (`EXAMINE`).
    pub(super) async fn examine(self, folder: &str) -> Result<(Self, Folder), ImapError> {
        self.open_folder("EXAMINE", folder).await
    }

    async fn open_folder(mut self, command: &str, folder: &str) -> Result<(Self, Folder), ImapError> {
        let command = format!("{command} {}", quote_folder(folder)?);
        let mut opened = Folder::default();
        let had_news = self.wire.has_news();
        self.wire.command(Step::Select, &command, |answer| opened.note(answer)).await?;
        // How many mails a folder holds when it is opened is no news.
        self.wire.set_news(had_news);
        self.uid_next = opened.uid_next;
        Ok((self, opened))
    }
}

impl Folder {
    fn note(&mut self, answer: &Response<'_>) {
        match answer {
            Response::MailboxData(MailboxDatum::Exists(exists)) => self.exists = *exists,
            Response::Data { outcome, .. } | Response::Done { outcome, .. } => match &outcome.code {
                Some(ResponseCode::UidValidity(validity)) => self.uid_validity = *validity,
                Some(ResponseCode::UidNext(next)) => self.uid_next = Some(*next),
                Some(ResponseCode::PermanentFlags(flags)) => {
                    self.keeps_keywords = flags.iter().any(|flag| flag == "\\*");
                }
                _ => {}
            },
            _ => {}
        }
    }
}
