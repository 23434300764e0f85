//! `postkey notices`: what owners have to know, once per cause.

use clap::Args;

use super::CliError;
use super::open::open_store;
use super::owners::find_owners;
use super::table::Table;
use crate::config::Config;

/// Most notices of one user.
const MOST: u32 = 1000;

#[derive(Args)]
pub(super) struct Notices {
    /// Only this user's.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Those too whose cause is gone.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(command: &Notices, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    let mut table = Table::new(["SINCE", "UNTIL", "USER", "KIND", "NOTICE"]);
    for owner in find_owners(&store, command.user.as_deref()).await? {
        for notice in store.list_notices(owner.id, None, MOST).await? {
            if notice.ended_at.is_some() && !command.all {
                continue;
            }
            let until = notice.ended_at.map_or_else(|| "now".to_owned(), |time| time.to_string());
            let since = notice.created_at.to_string();
            table.row([since, until, owner.email.clone(), notice.kind, notice.sentence]);
        }
    }
    if table.is_empty() {
        return Ok("there is nothing to tell\n".to_owned());
    }
    Ok(table.render())
}
