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
        [self.username(), secret.expose_secret()].iter().all(|part| !part.contains(['\r', '\n', '\0']))
    }
}
