//! What the service itself writes to its users, through the operator's mail server: links to reset a password, and
//! what an owner has to know.

mod api_keys;
mod notices;

use std::sync::Arc;

use crate::clock::Clock;
use crate::mail::{Address, Letter, own_message_id};
use crate::smtp::{OperatorPost, Phase, SmtpError, SmtpErrorKind};
use crate::vault::Vault;

pub use self::api_keys::{remind_of_api_keys, remind_of_api_keys_until};
pub use self::notices::mail_notices_until;

/// The way to the users; cheap to clone.
#[derive(Clone)]
pub struct Letters {
    post: Arc<OperatorPost>,
    vault: Arc<Vault>,
    clock: Clock,
}

/// Why a letter did not go out.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The user's address is none that mail can go to.
    #[error("the user's address is none that mail can go to")]
    Address,
    /// The operator's mail server did not take it.
    #[error("the operator's mail server did not take a letter: {0}")]
    Smtp(#[from] SmtpError),
}

impl Letters {
    /// The vault marks the letters as our own.
    pub fn new(post: OperatorPost, vault: Arc<Vault>, clock: Clock) -> Self {
        Self { post: Arc::new(post), vault, clock }
    }

    /// Sends one letter to a user's address.
    ///
    /// # Errors
    /// See [`LetterError`].
    pub async fn send(&self, to: &str, subject: &'static str, text: &str) -> Result<(), LetterError> {
        let to = Address::parse(to).ok_or(LetterError::Address)?;
        let from = self.post.from();
        let random: [u8; 16] = rand::random();
        let message_id = own_message_id(random, self.vault.message_tag(&random), from.domain());
        let date = self.clock.now();
        let letter = Letter { from, to: &to, subject, text, message_id: &message_id, date };
        let letter = letter.compose().map_err(|_| LetterError::Address)?;
        Ok(self.post.send(&to, &letter).await?)
    }
}

impl LetterError {
    /// Whether the same letter may be taken another time. Not where it may have been taken already, and not where
    /// the server wants none for this user.
    fn may_pass(&self) -> bool {
        match self {
            Self::Address => false,
            Self::Smtp(error) => {
                let is_refused =
                    matches!(error.kind, SmtpErrorKind::Permanent(_)) && error.phase >= Phase::RcptTo;
                !error.is_ambiguous() && !is_refused
            }
        }
    }

    /// Whether no letter to anybody would be taken now.
    fn is_for_everybody(&self) -> bool {
        matches!(self, Self::Smtp(error) if error.phase <= Phase::MailFrom)
    }
}
