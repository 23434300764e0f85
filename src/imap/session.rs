//! A session that is logged in.

use super::capabilities::Capabilities;
use super::error::{ImapError, Step};
use super::wire::Wire;

/// A connection that is logged in and whose last command ended with `OK`.
///
/// Dropping it closes the connection without a farewell, which IMAP allows.
pub struct Session {
    pub(super) wire: Wire,
    pub(super) capabilities: Capabilities,
    /// A UID of the open folder that no mail had reached when it was last looked at, where that is known.
    pub(super) uid_next: Option<u32>,
}

impl Session {
    /// What the server can do, asked after the login (EM-84).
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether the server is still there (`NOOP`).
    ///
    /// # Errors
    /// Any [`ImapError`]; the session is gone then.
    pub async fn noop(mut self) -> Result<(Self, ()), ImapError> {
        self.wire.command(Step::Noop, "NOOP", |_| ()).await?;
        Ok((self, ()))
    }

    /// Takes leave.
    ///
    /// # Errors
    /// Any [`ImapError`]; the session is over in either case.
    pub async fn logout(mut self) -> Result<(), ImapError> {
        self.wire.command(Step::Logout, "LOGOUT", |_| ()).await
    }
}
