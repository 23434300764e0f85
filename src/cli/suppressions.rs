//! `postkey suppressions`: where automation has stopped, and letting it go on.

use clap::Subcommand;

use super::CliError;
use super::open::open_store;
use super::owners::find_owners;
use super::table::{Table, or_dash};
use crate::config::Config;
use crate::store::{Store, SuppressionId};

/// Most suppressions of one user that are listed.
const MOST: u32 = 1000;

#[derive(Subcommand)]
pub(super) enum SuppressionsCommand {
    /// Correspondents and conversations that get no more automatic answers, and why.
    List {
        /// Only this user's.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Let automation go on there.
    Lift {
        /// Its id.
        id: SuppressionId,
    },
}

pub(super) async fn run(command: &SuppressionsCommand, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    match command {
        SuppressionsCommand::List { user } => list(&store, user.as_deref()).await,
        SuppressionsCommand::Lift { id } => lift(&store, *id).await,
    }
}

async fn list(store: &Store, user: Option<&str>) -> Result<String, CliError> {
    let mut table = Table::new(["ID", "SINCE", "USER", "MAILBOX", "CORRESPONDENT", "WHERE", "WHY"]);
    for owner in find_owners(store, user).await? {
        let mailboxes = store.list_mailboxes(owner.id).await?;
        for found in store.list_suppressions(owner.id, MOST).await? {
            let mailbox = mailboxes.iter().find(|mailbox| mailbox.id == found.mailbox_id);
            let place = if found.thread_id.is_some() { "one conversation" } else { "everywhere" };
            table.row([
                found.id.to_string(),
                found.created_at.to_string(),
                owner.email.clone(),
                or_dash(mailbox.map(|mailbox| mailbox.address.clone())),
                found.address,
                place.to_owned(),
                found.reason.as_str().to_owned(),
            ]);
        }
    }
    if table.is_empty() {
        return Ok("automation has stopped nowhere\n".to_owned());
    }
    Ok(table.render())
}

async fn lift(store: &Store, id: SuppressionId) -> Result<String, CliError> {
    let list = "postkey suppressions list";
    let missing = || CliError::NotFound { kind: "suppression", name: id.to_string(), list };
    let owner = store.find_suppression_owner(id).await?.ok_or_else(missing)?;
    match store.lift_suppression(owner, id).await? {
        true => Ok(format!("automation goes on; mail that was not answered stays so ({id})\n")),
        false => Err(missing()),
    }
}
