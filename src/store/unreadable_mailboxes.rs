//! Mailboxes that stopped since a secret of theirs did not open.

use super::mailboxes::{Mailbox, Row};
use super::pool::{on_pool, on_tx};
use super::{MailboxId, Store, StoreError, notices};

/// Why a mailbox is stopped whose secrets do not open.
pub const SECRET_UNREADABLE: &str = "secret_unreadable";

impl Store {
    /// The next mailbox, by id after the given one, that was stopped since a secret of it did not open.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_unreadable_mailbox(
        &self,
        after: Option<MailboxId>,
    ) -> Result<Option<Mailbox>, StoreError> {
        let row: Option<Row> = on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT * FROM mailboxes
             WHERE state = 'stopped' AND state_reason = $1 AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT 1")
            .bind(SECRET_UNREADABLE).bind(after).fetch_optional(db).await)?;
        row.map(Mailbox::try_from).transpose()
    }

    /// Watches a mailbox again that was stopped since a secret of it did not open, and tries again what waited for it,
    /// unless its settings are others by now.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn take_up_mailbox(&self, mailbox: &Mailbox) -> Result<(), StoreError> {
        let (user, id, settings_of) = (mailbox.user_id, mailbox.id, mailbox.updated_at);
        self.change_things(user, move |tx, clock| {
            Box::pin(async move {
                let taken_up = on_tx!(tx, db => sqlx::query(
                    "UPDATE mailboxes SET state = 'active', state_reason = NULL
                     WHERE user_id = $1 AND id = $2 AND updated_at = $3 AND state = 'stopped' AND state_reason = $4")
                    .bind(user).bind(id).bind(settings_of).bind(SECRET_UNREADABLE)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if taken_up == 1 {
                    notices::end(tx, user, &format!("mailbox:{id}"), clock.now()).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
