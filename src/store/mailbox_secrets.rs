//! What is secret of a mailbox, and how it gets into its row and out of it again.

use secrecy::{ExposeSecret, SecretString};

use super::Mailbox;
use super::UserId;
use super::mailboxes::columns;
use crate::vault::{Sealed, Vault, VaultError};

/// Everything secret of a mailbox, in the clear. It has neither `Debug` nor `Clone`.
#[derive(Default)]
pub struct MailboxSecrets {
    /// For reading mail.
    pub imap_password: Option<SecretString>,
    /// For sending mail.
    pub smtp_password: Option<SecretString>,
    /// Of the application that the owner has allowed.
    pub client_secret: Option<SecretString>,
    /// The owner's permission.
    pub refresh_token: Option<SecretString>,
}

impl MailboxSecrets {
    /// Tells whether any of it changed: everything as one text. JSON keeps the parts apart.
    pub fn fingerprint(&self, vault: &Vault, owner: UserId) -> String {
        let parts = [&self.imap_password, &self.smtp_password, &self.client_secret, &self.refresh_token];
        let shown = parts.map(|secret| secret.as_ref().map(|secret| secret.expose_secret().to_owned()));
        let text = SecretString::from(serde_json::to_string(&shown).unwrap_or_default());
        vault.fingerprint(owner.uuid(), &text)
    }
}

impl Mailbox {
    /// The mailbox with these secrets instead of its own.
    ///
    /// # Errors
    /// Where they cannot be sealed.
    pub fn with_secrets(mut self, secrets: &MailboxSecrets, vault: &Vault) -> Result<Self, VaultError> {
        let seal = |column: &'static str, secret: &Option<SecretString>| {
            secret.as_ref().map(|secret| vault.seal(&self.place(column), secret)).transpose()
        };
        let imap_password = seal(columns::IMAP_PASSWORD, &secrets.imap_password)?;
        let smtp_password = seal(columns::SMTP_PASSWORD, &secrets.smtp_password)?;
        let client_secret = seal(columns::OAUTH_CLIENT_SECRET, &secrets.client_secret)?;
        let refresh_token = seal(columns::OAUTH_REFRESH_TOKEN, &secrets.refresh_token)?;
        self.imap.password = imap_password;
        self.smtp.password = smtp_password;
        if let (Some(oauth), Some(refresh_token)) = (&mut self.oauth, refresh_token) {
            oauth.client_secret = client_secret;
            oauth.refresh_token = refresh_token;
        }
        self.secrets_fingerprint = secrets.fingerprint(vault, self.user_id);
        Ok(self)
    }

    /// The mailbox with the secrets of this one, which stay sealed: nothing is opened where nothing changed.
    pub fn with_secrets_of(mut self, stored: &Self) -> Self {
        self.imap.password = stored.imap.password.clone();
        self.smtp.password = stored.smtp.password.clone();
        if let (Some(own), Some(stored)) = (&mut self.oauth, &stored.oauth) {
            own.client_secret = stored.client_secret.clone();
            own.refresh_token = stored.refresh_token.clone();
        }
        self.secrets_fingerprint = stored.secrets_fingerprint.clone();
        self
    }

    /// Opens what is sealed, to seal it anew with what its owner changes.
    ///
    /// # Errors
    /// Where it does not open.
    pub fn open_secrets(&self, vault: &Vault) -> Result<MailboxSecrets, VaultError> {
        let open = |column: &'static str, sealed: Option<&Sealed>| {
            sealed.map(|sealed| vault.open(&self.place(column), sealed)).transpose()
        };
        let oauth = self.oauth.as_ref();
        Ok(MailboxSecrets {
            imap_password: open(columns::IMAP_PASSWORD, self.imap.password.as_ref())?,
            smtp_password: open(columns::SMTP_PASSWORD, self.smtp.password.as_ref())?,
            client_secret: open(
                columns::OAUTH_CLIENT_SECRET,
                oauth.and_then(|oauth| oauth.client_secret.as_ref()),
            )?,
            refresh_token: open(columns::OAUTH_REFRESH_TOKEN, oauth.map(|oauth| &oauth.refresh_token))?,
        })
    }
}
