//! Whose things a command looks at.

use super::CliError;
use crate::store::{Store, User};

/// How many users are read at a time.
const PAGE: u32 = 500;

/// The user of this address, or all of them by address.
pub(super) async fn find_owners(store: &Store, email: Option<&str>) -> Result<Vec<User>, CliError> {
    match email {
        Some(email) => Ok(vec![find_owner(store, email).await?]),
        None => list_everybody(store).await,
    }
}

/// The user of this address.
pub(super) async fn find_owner(store: &Store, email: &str) -> Result<User, CliError> {
    store.find_user_by_email(&email.trim().to_lowercase()).await?.ok_or_else(|| CliError::NotFound {
        kind: "user",
        name: email.to_owned(),
        list: "postkey user list",
    })
}

/// The one of what was found; names are unique only within a user.
pub(super) fn the_only<T>(
    found: Vec<T>,
    kind: &'static str,
    name: &str,
    list: &'static str,
) -> Result<T, CliError> {
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(CliError::NotFound { kind, name: name.to_owned(), list }),
        (Some(_), Some(_)) => Err(CliError::Several { kind, name: name.to_owned() }),
    }
}

async fn list_everybody(store: &Store) -> Result<Vec<User>, CliError> {
    let mut everybody: Vec<User> = Vec::new();
    loop {
        let after = everybody.last().map_or(String::new(), |user| user.email.clone());
        let page = store.list_users(&after, PAGE).await?;
        if page.is_empty() {
            return Ok(everybody);
        }
        everybody.extend(page);
    }
}
