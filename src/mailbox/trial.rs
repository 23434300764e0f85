//! Both servers of a mailbox, tried in the way that answering mail uses them; nothing is changed or sent there.

use std::sync::Arc;

use crate::config;
use crate::imap::{ImapError, Session, Timeouts};
use crate::mail::Address;
use crate::net::{Credentials, Dialler, Endpoint, Login, NetError, OAuthError, Tokens};
use crate::smtp::{self, Connection, SmtpError, SmtpErrorKind};
use crate::store::{AccessError, Mailbox};
use crate::vault::Vault;

/// What a trial needs.
pub struct Trial<'a> {
    /// The mailbox.
    pub mailbox: &'a Mailbox,
    /// Opens its secrets.
    pub vault: &'a Vault,
    /// The one way to a server.
    pub dialler: &'a Arc<Dialler>,
    /// OAuth access tokens.
    pub tokens: &'a Tokens,
    /// Times for reading.
    pub imap: &'a config::Mailbox,
    /// Times for sending.
    pub smtp: &'a config::Smtp,
}

/// What the server for reading can do.
pub struct ImapFindings {
    /// Where it is.
    pub endpoint: Endpoint,
    /// It tells new mail by itself.
    pub idle: bool,
    /// `UIDPLUS`.
    pub uidplus: bool,
    /// `MOVE`.
    pub r#move: bool,
    /// It says which folder is for sent mail.
    pub special_use: bool,
    /// `ID`.
    pub id: bool,
    /// Mails in the watched folder.
    pub mails: u32,
    /// Whether the folder keeps our own marks.
    pub keeps_keywords: bool,
    /// The folder for sent mail.
    pub sent_folder: Option<String>,
}

/// What the server for sending can do.
pub struct SmtpFindings {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The largest mail that it takes, in bytes, where it says so.
    pub largest_mail: Option<u64>,
}

/// Why a server cannot be used; a closed set without a word of the server's own (SR-59).
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// What is sealed does not open.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There is no access token.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// The server for reading does not do it.
    #[error(transparent)]
    Imap(ImapError),
    /// It does not open the watched folder.
    #[error("folder {folder}: {error}")]
    Folder {
        /// Its name.
        folder: String,
        /// What it said.
        error: ImapError,
    },
    /// The server for sending does not do it.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
}

/// What a person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Correct the user name and the password.
    Login,
    /// Check host, port and security.
    Server,
    /// Check the folder's name.
    Folder,
    /// Enter the secrets again.
    Secrets,
}

impl TrialError {
    /// What went wrong, as one of few stable words: so that whoever may enter a server cannot look around with it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Access(_) => "secret_unreadable",
            Self::OAuth(error) if error.is_credential() => "login_refused",
            Self::OAuth(_) => "unreachable",
            Self::Folder { error, .. } if !is_connection(error) => "folder_missing",
            Self::Folder { error, .. } | Self::Imap(error) => imap_code(error),
            Self::Smtp(error) if error.is_credential() => "login_refused",
            Self::Smtp(error) => match error.kind {
                SmtpErrorKind::Net(error) => net_code(error),
                SmtpErrorKind::Timeout | SmtpErrorKind::Closed => "unreachable",
                _ => "unusable",
            },
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Access(_) | Self::OAuth(_) => Remedy::Secrets,
            Self::Imap(error) if error.is_credential() => Remedy::Login,
            Self::Smtp(error) if error.is_credential() => Remedy::Login,
            Self::Imap(_) | Self::Smtp(_) => Remedy::Server,
            Self::Folder { .. } => Remedy::Folder,
        }
    }
}

fn imap_code(error: &ImapError) -> &'static str {
    match error {
        ImapError::BadCredentials(_) => "login_refused",
        ImapError::Net(error) => net_code(*error),
        ImapError::Timeout(_) | ImapError::Closed | ImapError::Bye => "unreachable",
        _ => "unusable",
    }
}

fn is_connection(error: &ImapError) -> bool {
    !matches!(error, ImapError::Refused(_))
}

fn net_code(error: NetError) -> &'static str {
    match error {
        NetError::Refused(_) | NetError::PrivateEndpoint(_) => "not_allowed",
        NetError::Tls(_) => "tls",
        NetError::Dns | NetError::Connect | NetError::Timeout | NetError::Closed => "unreachable",
    }
}

impl Trial<'_> {
    /// Logs in for reading, opens the folder and looks for the one of sent mail.
    ///
    /// # Errors
    /// [`TrialError`], at the first step that fails.
    pub async fn imap(&self) -> Result<ImapFindings, TrialError> {
        let (endpoint, login) = self.login(self.mailbox.imap_access(self.vault)?).await?;
        let timeouts = Timeouts::from(self.imap);
        let opened = Session::open(self.dialler, &endpoint, login, timeouts).await;
        let session = opened.map_err(TrialError::Imap)?;
        let able = session.capabilities().clone();
        let folder = &self.mailbox.folder;
        let selected = session.select(folder).await;
        let (session, found) =
            selected.map_err(|error| TrialError::Folder { folder: folder.clone(), error })?;
        let (session, sent_folder) = session.sent_folder().await.map_err(TrialError::Imap)?;
        // All is known by now; how the server takes leave does not matter.
        let _ = session.logout().await;
        Ok(ImapFindings {
            endpoint,
            idle: able.idle,
            uidplus: able.uidplus,
            r#move: able.r#move,
            special_use: able.special_use,
            id: able.id,
            mails: found.exists,
            keeps_keywords: found.keeps_keywords,
            sent_folder,
        })
    }

    /// Logs in for sending.
    ///
    /// # Errors
    /// [`TrialError`], at the first step that fails.
    pub async fn smtp(&self) -> Result<SmtpFindings, TrialError> {
        let (endpoint, login) = self.login(self.mailbox.smtp_access(self.vault)?).await?;
        let timeouts = smtp::Timeouts::from(self.smtp);
        let address = Address::parse(&self.mailbox.address);
        let hello = address.as_ref().map_or("", Address::domain);
        let connection = Connection::open(self.dialler, &endpoint, Some(login), &timeouts, hello).await?;
        let largest_mail = connection.size_limit().filter(|bytes| *bytes > 0);
        connection.quit().await;
        Ok(SmtpFindings { endpoint, largest_mail })
    }

    async fn login(
        &self,
        (endpoint, credentials): (Endpoint, Credentials),
    ) -> Result<(Endpoint, Login), TrialError> {
        let login = self.tokens.login(self.mailbox.id.uuid(), credentials).await?;
        Ok((endpoint, login))
    }
}
