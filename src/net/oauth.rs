//! Access tokens for mail servers that want OAuth 2.0 (EM-102): fetched with the owner's refresh token, kept in
//! memory until shortly before they expire.
//!
//! A server may answer with a new refresh token in place of the stored one (RFC 6749 section 6). This process
//! goes on with the new one, but nobody writes it down yet: after a restart, in another process, or when the
//! account fell out of the cache, the stored one is used, and a server that ends it at its first use then says
//! `invalid_grant`.

mod cache;
mod error;
mod refresh;
mod tokens;

use secrecy::SecretString;

pub use error::OAuthError;
pub use tokens::Tokens;

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
