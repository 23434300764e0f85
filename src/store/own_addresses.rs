//! Every address that is the owner's own: mailboxes, their aliases, agents (EM-15).

use super::pool::on_pool;
use super::{Store, StoreError, UserId};

macro_rules! list_addresses {
    ($user:literal) => {
        concat!(
            "SELECT address, aliases FROM mailboxes WHERE user_id = ",
            $user,
            " UNION ALL SELECT address, '[]' FROM agents WHERE user_id = ",
            $user,
            " AND address IS NOT NULL LIMIT 10000"
        )
    };
}

const LIST: &str = list_addresses!("$1");
/// The same of many users, with the user before each; they stand in `asked (owner)`.
pub(super) const SQLITE_LIST_OF_ALL: &str = "SELECT owner, address, aliases FROM asked
    JOIN mailboxes ON mailboxes.id IN (SELECT id FROM mailboxes WHERE user_id = owner LIMIT 10000)
    UNION ALL SELECT owner, address, '[]' FROM asked
    JOIN agents ON agents.id IN (SELECT id FROM agents WHERE user_id = owner AND address IS NOT NULL LIMIT 10000)";
/// The same of the users `$3`, as `address_owner`, `own_address` and `own_aliases`.
macro_rules! addresses_of_users {
    () => {
        concat!(
            "SELECT asked.user_id, own.* FROM UNNEST($3::UUID[]) AS asked (user_id) CROSS JOIN LATERAL (",
            $crate::store::own_addresses::list_addresses!("asked.user_id"),
            ") AS own"
        )
    };
}
pub(super) use {addresses_of_users, list_addresses};

impl Store {
    /// Every address that is the owner's own: mailboxes, their aliases, agents (EM-15).
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_own_addresses(&self, user: UserId) -> Result<Vec<String>, StoreError> {
        let rows = on_pool!(&self.pool, db => sqlx::query_as(LIST)
            .bind(user).fetch_all(db).await)?;
        flatten(user, rows)
    }
}

/// A user's rows of [`LIST`] as one list.
pub(super) fn flatten(user: UserId, rows: Vec<(String, String)>) -> Result<Vec<String>, StoreError> {
    let impossible =
        || StoreError::Impossible { table: "mailboxes", column: "aliases", id: user.to_string() };
    let mut own = Vec::with_capacity(rows.len());
    for (address, aliases) in rows {
        own.push(address);
        let aliases: Vec<String> = serde_json::from_str(&aliases).map_err(|_| impossible())?;
        own.extend(aliases);
    }
    Ok(own)
}
