//! `postkey config`: users' AI configurations, with masked keys.

use clap::Subcommand;

use super::CliError;
use super::open::open_store;
use super::owners::{find_owners, the_only};
use super::table::{Table, or_dash, yes_no};
use crate::config::Config;
use crate::store::{AiConfiguration, KeyState, Store, User};

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// All AI configurations, or those of one user.
    List {
        /// Only this user's.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// One AI configuration.
    Show {
        /// Its provider.
        provider: String,
        /// Whose it is, where several users have one.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
}

pub(super) async fn run(command: &ConfigCommand, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    match command {
        ConfigCommand::List { user } => list(&store, user.as_deref()).await,
        ConfigCommand::Show { provider, user } => show(&store, provider, user.as_deref()).await,
    }
}

async fn list(store: &Store, user: Option<&str>) -> Result<String, CliError> {
    let mut table = Table::new(["USER", "PROVIDER", "MODEL", "KEY", "DEFAULT", "STATE"]);
    for (owner, configuration) in find_configurations(store, user).await? {
        let (default, state) = (yes_no(configuration.is_default), state_text(&configuration));
        let AiConfiguration { provider, model, api_key_mask, .. } = configuration;
        table.row([owner.email, provider, model, api_key_mask, default, state]);
    }
    if table.is_empty() {
        return Ok("there are no AI configurations yet; `postkey apply FILE.toml` makes them\n".to_owned());
    }
    Ok(table.render())
}

async fn show(store: &Store, provider: &str, user: Option<&str>) -> Result<String, CliError> {
    let mut found = find_configurations(store, user).await?;
    found.retain(|(_, configuration)| configuration.provider == provider);
    let (owner, configuration) = the_only(found, "AI configuration", provider, "postkey config list")?;
    let state = state_text(&configuration);
    let mut table = Table::bare();
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("provider", configuration.provider);
    line("id", configuration.id.to_string());
    line("user", owner.email);
    line("base_url", configuration.base_url.unwrap_or_else(|| "the provider's own".to_owned()));
    line("model", configuration.model);
    line("temperature", or_dash(configuration.temperature));
    line("max_tokens", or_dash(configuration.max_output_tokens));
    line("key", configuration.api_key_mask);
    line("key fingerprint", configuration.key_fingerprint);
    line("default", yes_no(configuration.is_default));
    line("state", state);
    Ok(table.render())
}

async fn find_configurations(
    store: &Store,
    user: Option<&str>,
) -> Result<Vec<(User, AiConfiguration)>, CliError> {
    let mut found = Vec::new();
    for owner in find_owners(store, user).await? {
        let configurations = store.list_ai_configurations(owner.id).await?;
        found.extend(configurations.into_iter().map(|configuration| (owner.clone(), configuration)));
    }
    Ok(found)
}

fn state_text(configuration: &AiConfiguration) -> String {
    let word = match configuration.state {
        KeyState::Active => "active",
        KeyState::Invalid => "refused by the provider",
        KeyState::Exhausted => "exhausted",
    };
    let reason = configuration.state_reason.as_ref().map(|reason| format!(" ({reason})"));
    let until = configuration.resume_at.map(|time| format!(", tried again at {time}"));
    format!("{word}{}{}", reason.unwrap_or_default(), until.unwrap_or_default())
}
