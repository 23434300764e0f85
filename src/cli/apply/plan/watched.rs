//! Mailboxes that read the same folder of the same account.

use std::collections::{HashMap, HashSet};

use super::super::reading::{Findings, Place};
use crate::cli::CliError;
use crate::store::{MailboxId, Store, WatchedFolder};

/// A mailbox of the file, as it will be.
pub(super) struct Watched {
    pub place: Place,
    pub id: MailboxId,
    /// Its address and its owner's.
    pub name: String,
    /// What it reads, unless it is paused.
    pub folder: Option<WatchedFolder>,
}

/// Notes mailboxes whose mails another one answers already, in the file or in the database.
pub(super) async fn refuse_doubles(
    watched: Vec<Watched>,
    store: Option<&Store>,
    findings: &mut Findings,
) -> Result<(), CliError> {
    let named: HashSet<MailboxId> = watched.iter().map(|watched| watched.id).collect();
    let mut first: HashMap<WatchedFolder, String> = HashMap::new();
    for Watched { place, name, folder, .. } in watched {
        let Some(folder) = folder else { continue };
        let other = match (first.get(&folder), store) {
            (Some(other), _) => Some(other.clone()),
            (None, Some(store)) => {
                let stored = store.list_watchers_of(&folder).await?;
                let other = stored.into_iter().find(|other| !named.contains(&other.id));
                other.map(|other| format!("{} of {}", other.address, other.owner))
            }
            (None, None) => None,
        };
        if let Some(other) = other {
            findings.fault(
                &place,
                format!(
                    "mailbox {other} reads the same folder of the same account, so that both would answer each mail; \
                     give one mailbox all addresses as aliases, or pause the other one (`enabled = false`)"
                ),
            );
        }
        first.entry(folder).or_insert(name);
    }
    Ok(())
}
