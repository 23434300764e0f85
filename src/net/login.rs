//! Who logs in at a mail server, for IMAP and SMTP alike.

use secrecy::{ExposeSecret, SecretString};

/// The proof that an account is its owner's; opened only where it is written to the server.
pub enum Login {
    /// A user name and its password.
    Password {
        /// The account's name at the server.
        username: String,
        /// Its password; any character but CR, LF and NUL.
        password: SecretString,
    },
    /// A user name and an OAuth 2.0 access token (SASL `XOAUTH2`, EM-102).
    Xoauth2 {
        /// The account's name at the server.
        username: String,
        /// A token that is still valid.
        access_token: SecretString,
    },
}

impl Login {
    /// The account's name at the server.
    pub fn username(&self) -> &str {
        match self {
            Self::Password { username, .. } | Self::Xoauth2 { username, .. } => username,
        }
    }

    /// Whether every part can be sent: CR, LF and NUL would end a command or a SASL field (EM-99).
    pub fn is_sendable(&self) -> bool {
        let secret = match self {
            Self::Password { password, .. } => password,
            Self::Xoauth2 { access_token, .. } => access_token,
        };
        is_one_line(self.username()) && is_one_line(secret.expose_secret())
    }
}

/// Whether a text can be sent to a mail server: a line break would be a command of its own (EM-99).
pub fn is_one_line(text: &str) -> bool {
    !text.contains(['\r', '\n', '\0'])
}
