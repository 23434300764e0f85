//! The reply of a run, for people who look at it before it goes out, or afterwards.

use super::outbox::OutboxState;
use super::pool::on_pool;
use super::{RunId, Store, StoreError, UserId, outbox};
use crate::clock::Timestamp;

/// What is known of a run's reply.
#[derive(Clone, sqlx::FromRow)]
pub struct Reply {
    /// The words that it is made of; `None` once retention has removed them.
    pub words: Option<String>,
    /// Why the model stopped.
    pub finish: Option<String>,
    /// Whether the owner has put other words in the place of the model's.
    pub edited: Option<bool>,
    /// Its Message-ID without angle brackets, once it is frozen.
    pub rfc_message_id: Option<String>,
    /// The one recipient.
    pub recipient: Option<String>,
    /// The exact bytes; `None` before it is frozen, and once retention has removed them.
    pub raw: Option<Vec<u8>>,
    /// How far it has come; `None` before it is frozen.
    pub state: Option<OutboxState>,
    /// When it was frozen.
    pub frozen_at: Option<Timestamp>,
    /// When it was last about to be handed over.
    pub sending_at: Option<Timestamp>,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
}

impl Store {
    /// The reply of a run, from its first words on; `None` before there are any.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_reply(&self, user: UserId, run: RunId) -> Result<Option<Reply>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(concat!(
            "SELECT completions.body AS words, completions.finish, completions.edited, outbox.rfc_message_id,
                outbox.recipient, ", outbox::raw!(), " AS raw, outbox.state, outbox.created_at AS frozen_at,
                outbox.sending_at, outbox.sent_at
             FROM runs LEFT JOIN completions ON completions.run_id = runs.id
             LEFT JOIN outbox ON outbox.run_id = runs.id
             WHERE runs.user_id = $1 AND runs.id = $2
                AND (completions.run_id IS NOT NULL OR outbox.run_id IS NOT NULL)"))
            .bind(user).bind(run).fetch_optional(db).await)?)
    }
}
