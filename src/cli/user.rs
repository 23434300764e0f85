//! `postkey user`: who owns agents and keys.

use clap::Subcommand;

use super::CliError;
use super::open::open_store;
use super::owners::{find_owner, find_owners};
use super::table::{Table, yes_no};
use crate::config::Config;
use crate::store::{Store, User};

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// All users.
    List,
    /// One user, what it owns and how its mail fares.
    Show {
        /// The address to sign in with.
        email: String,
    },
}

pub(super) async fn run(command: &UserCommand, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    match command {
        UserCommand::List => list(&store).await,
        UserCommand::Show { email } => show(&store, &find_owner(&store, email).await?).await,
    }
}

async fn list(store: &Store) -> Result<String, CliError> {
    let mut table = Table::new(["EMAIL", "NAME", "ROLE", "SIGNS IN", "SINCE"]);
    for user in find_owners(store, None).await? {
        let signs_in = yes_no(user.password_hash.is_some());
        table.row([
            user.email,
            user.name,
            user.role.as_str().to_owned(),
            signs_in,
            user.created_at.to_string(),
        ]);
    }
    if table.is_empty() {
        return Ok("there are no users yet; `postkey apply FILE.toml` makes them\n".to_owned());
    }
    Ok(table.render())
}

async fn show(store: &Store, user: &User) -> Result<String, CliError> {
    let configurations = store.list_ai_configurations(user.id).await?;
    let mailboxes = store.list_mailboxes(user.id).await?;
    let agents = store.list_agents(user.id).await?;
    let mut table = Table::bare();
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("email", user.email.clone());
    line("name", user.name.clone());
    line("id", user.id.to_string());
    line("role", user.role.as_str().to_owned());
    line("signs in", yes_no(user.password_hash.is_some()));
    line("since", user.created_at.to_string());
    line("ai configurations", join(configurations.into_iter().map(|configuration| configuration.provider)));
    line("mailboxes", join(mailboxes.into_iter().map(|mailbox| mailbox.address)));
    line("agents", join(agents.into_iter().map(|agent| agent.name)));
    for count in store.count_runs(user.id).await? {
        let reason = count.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        line(&format!("runs {}{reason}", count.state.as_str()), count.runs.to_string());
    }
    Ok(table.render())
}

fn join(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}
