//! What may be said about an access token that was not to be had.

use crate::net::error::NetError;

/// Why there is no access token; nothing of the server's text but its error code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The owner's consent has ended, or the refresh token was never one (RFC 6749 section 5.2).
    #[error("the permission to read and send mail has ended; grant it again")]
    InvalidGrant,
    /// The application is unknown to the server, or its secret is wrong.
    #[error("the OAuth client id or secret is not accepted")]
    InvalidClient,
    /// Any other refusal: the server's code, at most 64 characters of `[a-z_]`, or `http_` and its status.
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

    /// Whether the owner must act: asking again with the same grant changes nothing (EM-102). The token URL is
    /// part of the grant, so one that the guard refuses counts.
    pub fn is_credential(&self) -> bool {
        match self {
            Self::InvalidGrant | Self::InvalidClient | Self::Refused(_) => true,
            Self::Net(error) => matches!(error, NetError::Refused(_)),
            Self::Unavailable(_) | Self::Unreadable => false,
        }
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
