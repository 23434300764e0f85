//! What stopped for want of a vault key, once that key is there.

use crate::store::{Store, StoreError};
use crate::vault::Vault;

/// Takes up mailboxes whose secrets did not open once and do now; the others stay stopped, and nothing more is told.
///
/// # Errors
/// Where the database does not answer.
pub async fn take_up_readable(store: &Store, vault: &Vault) -> Result<(), StoreError> {
    let mut last = None;
    while let Some(mailbox) = store.find_unreadable_mailbox(last).await? {
        last = Some(mailbox.id);
        if mailbox.open_secrets(vault).is_ok() {
            store.take_up_mailbox(&mailbox).await?;
            tracing::info!(mailbox = %mailbox.id, user = %mailbox.user_id, "its secrets open again: it is watched");
        }
    }
    Ok(())
}
