//! What can go wrong with a session, without a word of the server's text.

use std::fmt;

use super::code::Code;
use crate::net::NetError;

/// Why a session ended; the connection is gone in every case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImapError {
    /// The server does not accept this account's proof; only a person can change that (EM-90).
    #[error("the mail server did not accept the login: {0}")]
    BadCredentials(CredentialFault),
    /// The account cannot be used at the moment: in use, too many connections, maintenance (EM-90).
    #[error("the mail server cannot open this account at the moment")]
    Unavailable,
    /// A tagged `NO` or `BAD`.
    #[error("the mail server refused: {0}")]
    Refused(Refused),
    /// The server took leave (`* BYE`).
    #[error("the mail server ended the session")]
    Bye,
    /// A step was not finished before its deadline.
    #[error("the mail server did not answer in time: {0}")]
    Timeout(Step),
    /// The connection ended without a farewell.
    #[error("the connection to the mail server was lost")]
    Closed,
    /// What the server sent is not IMAP as this side understands it.
    #[error("the mail server sent something that is not IMAP")]
    Protocol,
    /// The server sent or announced more than the limit (EM-98).
    #[error("the mail server sent more than is allowed")]
    TooLarge,
    /// There was no connection.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A value with CR, LF or NUL in it; it never reached the server (EM-99).
    #[error("a user name, password, folder or identifier cannot be sent to a mail server")]
    Unsendable,
}

impl ImapError {
    /// Whether the owner has to give a new password or token (EM-90).
    pub fn is_credential(&self) -> bool {
        matches!(self, Self::BadCredentials(_))
    }

    /// Whether the same steps may succeed later without anybody changing a setting (EM-90).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::BadCredentials(_) | Self::TooLarge | Self::Unsendable => false,
            Self::Net(error) => error.is_transient(),
            Self::Refused(refused) => !refused.is_lasting(),
            Self::Unavailable | Self::Bye | Self::Timeout(_) | Self::Closed | Self::Protocol => true,
        }
    }

    /// A stable code for rows and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadCredentials(_) => "bad_credentials",
            Self::Unavailable => "unavailable",
            Self::Refused(_) => "refused",
            Self::Bye => "bye",
            Self::Timeout(_) => "timeout",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::Net(error) => error.code(),
            Self::Unsendable => "unsendable",
        }
    }
}

/// Why a login was not accepted (RFC 5530 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CredentialFault {
    /// `AUTHENTICATIONFAILED`: wrong name or password.
    #[error("wrong user name or password")]
    Authentication,
    /// `AUTHORIZATIONFAILED`: known, but may not use this account.
    #[error("not allowed to use this account")]
    Authorization,
    /// `EXPIRED`: the password or token is too old.
    #[error("the password or token has expired")]
    Expired,
    /// `CONTACTADMIN`: the account is locked or not set up.
    #[error("the provider asks to contact its administrator")]
    ContactAdministrator,
    /// A plain `NO`: refused without a stated reason.
    #[error("the server gave no reason")]
    Unstated,
}

/// A tagged `NO` or `BAD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was asked for.
    pub step: Step,
    /// Whether the server did not understand the command (`BAD`) instead of declining it (`NO`).
    pub is_bad: bool,
    /// The response code, if there was one.
    pub code: Option<Code>,
}

impl Refused {
    /// Whether the answer stays the same until a setting changes (RFC 5530).
    fn is_lasting(&self) -> bool {
        let code = self.code.as_ref().map(Code::as_str);
        matches!(code, Some("NONEXISTENT" | "NOPERM" | "CANNOT" | "TRYCREATE" | "PRIVACYREQUIRED"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", if self.is_bad { "BAD" } else { "NO" }, self.step)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " [{code}]"))
    }
}

/// The parts of a session that have their own deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The first line of the server.
    Greeting,
    /// `STARTTLS`.
    StartTls,
    /// `LOGIN` or `AUTHENTICATE`.
    Login,
    /// `CAPABILITY`.
    Capability,
    /// `ID`.
    Id,
    /// `SELECT` or `EXAMINE`.
    Select,
    /// `UID SEARCH`.
    Search,
    /// `UID FETCH` of sizes, dates and flags.
    Describe,
    /// `UID FETCH` of mails.
    Fetch,
    /// The beginning of an `IDLE`.
    Idle,
    /// The end of an `IDLE`.
    Done,
    /// `NOOP`.
    Noop,
    /// `LIST`.
    List,
    /// `APPEND`.
    Append,
    /// `UID STORE`.
    Store,
    /// `LOGOUT`.
    Logout,
}

impl Step {
    /// A stable word for rows and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::StartTls => "starttls",
            Self::Login => "login",
            Self::Capability => "capability",
            Self::Id => "id",
            Self::Select => "select",
            Self::Search => "search",
            Self::Describe => "describe",
            Self::Fetch => "fetch",
            Self::Idle => "idle",
            Self::Done => "done",
            Self::Noop => "noop",
            Self::List => "list",
            Self::Append => "append",
            Self::Store => "store",
            Self::Logout => "logout",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
