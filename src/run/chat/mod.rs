//! A chat: somebody else's question, answered by a [`Scribe`] on one key of the owner's. No run is made and nothing of
//! what is said is kept; what it costs is a row like that of every call.
//!
//! The work is a task of its own. It ends when whoever asked has gone away, and notes even then what is known of the
//! costs.

mod answer;
mod course;

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::error::RunError;
use super::scribe::Scribe;
use crate::provider::{Provider, ProviderError};
use crate::store::{AiConfiguration, StoreError, UserId};
use crate::vault::VaultError;

/// Pieces that wait for whoever reads them; the provider waits for the rest.
const PIECES_AHEAD: usize = 16;

/// A question of somebody who chats.
pub struct ChatRequest {
    /// On whose account.
    pub user: UserId,
    /// With which key.
    pub key: ChatKey,
    /// The model to ask; the configuration's if unset.
    pub model: Option<String>,
    /// Longest answer, in tokens; as long as it may be if unset.
    pub max_output_tokens: Option<u32>,
    /// Whether the answer comes piece by piece.
    pub is_streamed: bool,
    /// Whether its pieces tell what it costs.
    pub tells_usage: bool,
    /// Everything else in OpenAI's shape.
    pub question: Map<String, Value>,
}

/// A key to chat with: always the owner's, never the operator's.
pub enum ChatKey {
    /// A stored one.
    Stored(Box<AiConfiguration>),
    /// One that came with the call; it is stored nowhere.
    Given(GivenKey),
}

/// A key that came with a call.
pub struct GivenKey {
    /// Whose it is.
    pub provider: Provider,
    /// Where the provider is, if not at its own address.
    pub base_url: Option<String>,
    /// The key.
    pub key: SecretString,
}

/// A part of an answer. It holds the model's words, so it has no `Debug`.
pub enum ChatPiece {
    /// The whole answer, or the next piece of it, in OpenAI's shape.
    Words(Value),
    /// It is complete.
    End,
}

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The user has as many chats as may be.
    #[error("too many chats at once")]
    TooMany,
    /// No model is named.
    #[error("no model is named")]
    NoModel,
    /// A longer answer is asked for than this many tokens, which is what the key's owner allows.
    #[error("too many tokens are asked for")]
    TooManyTokens(u32),
    /// There is no such key any more.
    #[error("there is no key to ask a provider with")]
    NoKey,
    /// The provider has refused the key before.
    #[error("the provider has refused the key")]
    KeyInvalid,
    /// The provider wants to be left alone for so long.
    #[error("the provider wants to be left alone for a while")]
    KeyPaused(Duration),
    /// The provider was asked, and did not answer.
    #[error(transparent)]
    Provider(ProviderError),
}

impl From<RunError> for ChatError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) => error.into(),
            RunError::Vault(error) => error.into(),
            RunError::KeyInvalid(_) => Self::KeyInvalid,
            RunError::KeyPaused(rest) => Self::KeyPaused(rest),
            RunError::Provider(error) => Self::Provider(error),
            // A key cannot fail in any other way.
            _ => Self::NoKey,
        }
    }
}

/// Where an answer goes.
type Reader = Sender<Result<ChatPiece, ChatError>>;

impl Scribe {
    /// Asks, and gives back where the answer arrives: pieces, then [`ChatPiece::End`] or one error. The call ends when
    /// the receiver is dropped.
    pub fn chat(&self, request: ChatRequest) -> Receiver<Result<ChatPiece, ChatError>> {
        let (reader, answer) = channel(PIECES_AHEAD);
        let scribe = self.clone();
        tokio::spawn(async move {
            if let Err(error) = scribe.answer_chat(request, &reader).await {
                tracing::info!(%error, "a chat failed");
                let _ = reader.send(Err(error)).await;
            }
        });
        answer
    }
}
