//! Mailboxes: where mail comes in and where replies go out. Passwords and tokens go in and never come out again.

pub(super) mod change;
pub(super) mod create;
pub(super) mod read;
pub(super) mod remove;
pub(super) mod test;

mod settings;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::error::ApiError;
use crate::net::Security;
use crate::store::{Mailbox, MailboxId, MailboxState, Server};

/// A mailbox.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailboxAnswer {
    /// Its id.
    id: String,
    /// Its address.
    address: String,
    /// Further addresses that arrive in it.
    aliases: Vec<String>,
    /// The watched folder.
    folder: String,
    /// Where mail comes in.
    imap: ServerAnswer,
    /// Where replies go out.
    smtp: ServerAnswer,
    /// How to get access tokens, where they are used instead of passwords.
    oauth: Option<OAuthAnswer>,
    /// The host whose `Authentication-Results` are believed.
    authserv_id: Option<String>,
    /// Whether mail is answered that names none of its addresses.
    answer_unaddressed: bool,
    /// Whether mail is answered that it got a copy of.
    answer_copies: bool,
    /// Whether it is to be watched.
    enabled: bool,
    /// Whether it is watched.
    state: MailboxStateWord,
    /// Why it was stopped: `login_refused`, `oauth_refused`, `secret_unreadable`, `folder_missing` or
    /// `server_unusable`.
    #[schema(example = "login_refused")]
    state_reason: Option<String>,
    /// Since when mail is answered; what came before is not.
    #[schema(format = DateTime)]
    activated_at: String,
    /// When its server last gave a sign of life; null before the first one.
    #[schema(format = DateTime)]
    last_alive_at: Option<String>,
    /// When it was added.
    #[schema(format = DateTime)]
    created_at: String,
    /// When its owner last changed it.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A mail server; its password is never shown.
#[derive(Serialize, ToSchema)]
pub(super) struct ServerAnswer {
    /// Its host.
    host: String,
    /// Its port.
    port: u16,
    /// How TLS begins.
    security: String,
    /// The account's name.
    username: String,
    /// Whether there is a password.
    has_password: bool,
    /// Whether an authority of one's own vouches for it.
    has_ca: bool,
}

/// How to get access tokens; the secret and the refresh token are never shown.
#[derive(Serialize, ToSchema)]
pub(super) struct OAuthAnswer {
    /// The application's id.
    client_id: String,
    /// Whether the application has a secret.
    has_client_secret: bool,
    /// Where access tokens are fetched.
    token_url: String,
}

/// Whether a mailbox is watched.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MailboxStateWord {
    /// It is.
    Active,
    /// Its owner has paused it.
    Paused,
    /// It cannot be, until its owner changes something or activates it.
    Stopped,
}

/// How TLS begins.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SecurityWord {
    /// With the first byte.
    Tls,
    /// With STARTTLS, which is then required.
    StartTls,
    /// Never; only for servers that the operator listed.
    None,
}

impl From<SecurityWord> for Security {
    fn from(word: SecurityWord) -> Self {
        match word {
            SecurityWord::Tls => Self::Tls,
            SecurityWord::StartTls => Self::StartTls,
            SecurityWord::None => Self::None,
        }
    }
}

impl From<Server> for ServerAnswer {
    fn from(server: Server) -> Self {
        Self {
            host: server.host,
            port: server.port,
            security: server.security,
            username: server.username,
            has_password: server.password.is_some(),
            has_ca: server.ca.is_some(),
        }
    }
}

impl From<Mailbox> for MailboxAnswer {
    fn from(mailbox: Mailbox) -> Self {
        Self {
            id: mailbox.id.to_string(),
            state: match (mailbox.enabled, mailbox.state) {
                (false, _) => MailboxStateWord::Paused,
                (true, MailboxState::Active) => MailboxStateWord::Active,
                (true, MailboxState::Stopped) => MailboxStateWord::Stopped,
            },
            address: mailbox.address,
            aliases: mailbox.aliases,
            folder: mailbox.folder,
            imap: mailbox.imap.into(),
            smtp: mailbox.smtp.into(),
            oauth: mailbox.oauth.map(|oauth| OAuthAnswer {
                client_id: oauth.client_id,
                has_client_secret: oauth.client_secret.is_some(),
                token_url: oauth.token_url,
            }),
            authserv_id: mailbox.reception.authserv_id,
            answer_unaddressed: mailbox.reception.answer_unaddressed,
            answer_copies: mailbox.reception.answer_copies,
            enabled: mailbox.enabled,
            state_reason: mailbox.state_reason,
            activated_at: mailbox.activated_at.to_string(),
            last_alive_at: mailbox.last_alive_at.map(|time| time.to_string()),
            created_at: mailbox.id.made_at().to_string(),
            updated_at: mailbox.updated_at.to_string(),
        }
    }
}

async fn find(api: &Api, caller: &Caller, id: MailboxId) -> Result<Mailbox, ApiError> {
    api.store.find_mailbox(caller.user, id).await?.ok_or_else(ApiError::not_found)
}

/// What the audit log calls it.
fn subject(id: MailboxId) -> Option<String> {
    Some(format!("mailbox:{id}"))
}
