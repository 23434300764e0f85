//! Opening what is sealed in a mailbox's row, for a connection that is made for its owner.

use super::Mailbox;
use super::mailboxes::{OAuth, Server, columns};
use crate::net::{Credentials, Endpoint, Grant, Security};
use crate::vault::{Place, Vault, VaultError};

/// Why a mailbox's row gives no access.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// What is sealed does not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The row has neither a password nor OAuth credentials, or an unknown security.
    #[error("impossible row: mailboxes.{0}")]
    Impossible(&'static str),
}

impl Mailbox {
    /// Where the mail comes in, and as whom to log in there.
    ///
    /// # Errors
    /// Where what is sealed does not open.
    pub fn imap_access(&self, vault: &Vault) -> Result<(Endpoint, Credentials), AccessError> {
        self.access(vault, &self.imap, columns::IMAP_PASSWORD)
    }

    /// Where the mail goes out, and as whom to log in there.
    ///
    /// # Errors
    /// Where what is sealed does not open.
    pub fn smtp_access(&self, vault: &Vault) -> Result<(Endpoint, Credentials), AccessError> {
        self.access(vault, &self.smtp, columns::SMTP_PASSWORD)
    }

    fn access(
        &self,
        vault: &Vault,
        server: &Server,
        column: &'static str,
    ) -> Result<(Endpoint, Credentials), AccessError> {
        let security: Security = server.security.parse().map_err(|_| AccessError::Impossible("security"))?;
        let endpoint =
            Endpoint { host: server.host.clone(), port: server.port, security, ca_pem: server.ca.clone() };
        let username = server.username.clone();
        let credentials = match (&server.password, &self.oauth) {
            (Some(password), _) => {
                Credentials::Password { username, password: vault.open(&self.place(column), password)? }
            }
            (None, Some(oauth)) => Credentials::Refresh(self.grant(vault, oauth, username)?),
            (None, None) => return Err(AccessError::Impossible("password")),
        };
        Ok((endpoint, credentials))
    }

    fn grant(&self, vault: &Vault, oauth: &OAuth, username: String) -> Result<Grant, AccessError> {
        let client_secret = match &oauth.client_secret {
            Some(sealed) => Some(vault.open(&self.place(columns::OAUTH_CLIENT_SECRET), sealed)?),
            None => None,
        };
        let refresh_token = vault.open(&self.place(columns::OAUTH_REFRESH_TOKEN), &oauth.refresh_token)?;
        Ok(Grant {
            username,
            client_id: oauth.client_id.clone(),
            client_secret,
            refresh_token,
            token_url: oauth.token_url.clone(),
        })
    }

    /// Where the secrets of this row are sealed; the provider label is the word `mailbox`.
    pub fn place(&self, column: &'static str) -> Place<'static> {
        Place { column, owner: self.user_id.uuid(), record: self.id.uuid(), provider: "mailbox" }
    }
}
