//! Mailboxes that read the same folder of the same account: each of their mails would be answered by each of them.

use super::pool::on_pool;
use super::{MailboxId, Store, StoreError};

/// Most mailboxes of one user, so that all of one file may be among them.
const MOST: i64 = 1000;

/// A folder of an account on a mail server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchedFolder {
    /// The IMAP server's host, in lower case.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name that is logged in with.
    pub username: String,
    /// The folder.
    pub folder: String,
}

/// A mailbox, as the operator knows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MailboxOfOwner {
    /// The mailbox.
    pub id: MailboxId,
    /// Its address.
    pub address: String,
    /// Its owner's address.
    pub owner: String,
}

impl Store {
    /// Everybody's mailboxes that read this folder, for the operator.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_watchers_of(&self, folder: &WatchedFolder) -> Result<Vec<MailboxOfOwner>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT mailboxes.id, address, users.email AS owner FROM mailboxes JOIN users ON users.id = mailboxes.user_id
             WHERE enabled AND state = 'active' AND LOWER(imap_host) = $1 AND imap_port = $2 AND imap_username = $3 AND folder = $4
             ORDER BY mailboxes.id LIMIT $5")
            .bind(&folder.host).bind(i64::from(folder.port)).bind(&folder.username).bind(&folder.folder)
            .bind(MOST).fetch_all(db).await)?)
    }
}
