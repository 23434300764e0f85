//! `postkey agent`: who answers, in whose name.

use clap::Subcommand;

use super::CliError;
use super::open::open_store;
use super::owners::{find_owners, the_only};
use super::table::{Table, or_dash, yes_no};
use crate::config::Config;
use crate::store::{Agent, AiConfiguration, AmbiguousPolicy, Mailbox, Mode, Rules, Store, User, WordList};

#[derive(Subcommand)]
pub(super) enum AgentCommand {
    /// All agents, or those of one user.
    List {
        /// Only this user's.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// One agent and its instructions.
    Show {
        /// Its name.
        name: String,
        /// Whose it is, where several users have one of that name.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
}

pub(super) async fn run(command: &AgentCommand, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    match command {
        AgentCommand::List { user } => list(&store, user.as_deref()).await,
        AgentCommand::Show { name, user } => show(&store, name, user.as_deref()).await,
    }
}

/// An agent, whose it is, and what it works with.
struct Found {
    owner: User,
    agent: Agent,
    mailbox: Option<Mailbox>,
    ai_configuration: Option<AiConfiguration>,
}

async fn list(store: &Store, user: Option<&str>) -> Result<String, CliError> {
    let mut table = Table::new(["USER", "AGENT", "MAILBOX", "ADDRESS", "MODE", "ENABLED"]);
    for Found { owner, agent, mailbox, .. } in find_agents(store, user).await? {
        let mailbox = or_dash(mailbox.map(|mailbox| mailbox.address));
        let (address, mode) = (or_dash(agent.address), mode_word(agent.mode).to_owned());
        table.row([owner.email, agent.name, mailbox, address, mode, yes_no(agent.enabled)]);
    }
    if table.is_empty() {
        return Ok("there are no agents yet; `postkey apply FILE.toml` makes them\n".to_owned());
    }
    Ok(table.render())
}

async fn show(store: &Store, name: &str, user: Option<&str>) -> Result<String, CliError> {
    let mut found = find_agents(store, user).await?;
    found.retain(|found| found.agent.name == name);
    let Found { owner, agent, mailbox, ai_configuration } =
        the_only(found, "agent", name, "postkey agent list")?;
    let mut table = Table::bare();
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("agent", agent.name);
    line("id", agent.id.to_string());
    line("user", owner.email);
    line("type", agent.kind);
    line("mailbox", or_dash(mailbox.map(|mailbox| mailbox.address)));
    line("address", or_dash(agent.address));
    line(
        "ai configuration",
        ai_configuration.map_or_else(|| "the user's default".to_owned(), |chosen| chosen.provider),
    );
    line("mode", mode_word(agent.mode).to_owned());
    line("ambiguous", ambiguous_word(agent.ambiguous).to_owned());
    line("platform key", if agent.allow_platform_key { "allowed" } else { "not allowed" }.to_owned());
    line("enabled", yes_no(agent.enabled));
    line("signature", or_dash(agent.voice.signature.map(|lines| lines.replace('\n', " / "))));
    line("disclosure", agent.voice.disclosure.unwrap_or_else(|| "in our words".to_owned()));
    line("language", agent.voice.language.unwrap_or_else(|| "the mail's".to_owned()));
    tell_rules(&mut table, agent.rules);
    let instructions: String = agent.instructions.lines().map(|line| format!("  {line}\n")).collect();
    let instructions = instructions.replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ");
    Ok(format!("{}instructions\n{instructions}", table.render()))
}

fn tell_rules(table: &mut Table, rules: Rules) {
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    let list = |words: WordList| or_dash(Some(words.0.join(", ")).filter(|list| !list.is_empty()));
    line("links to", list(rules.link_domains));
    line("allowed senders", list(rules.allowed_senders));
    line("blocked senders", list(rules.blocked_senders));
    line("only authenticated senders", yes_no(rules.require_authenticated));
    let limit =
        |limit: Option<i64>| limit.map_or_else(|| "as configured".to_owned(), |most| most.to_string());
    line("per correspondent and 10 minutes", limit(rules.limits.per_correspondent_10_minutes));
    line("per correspondent and day", limit(rules.limits.per_correspondent_day));
    line("per thread and day", limit(rules.limits.per_thread_day));
    line("per day", limit(rules.limits.per_agent_day));
}

async fn find_agents(store: &Store, user: Option<&str>) -> Result<Vec<Found>, CliError> {
    let mut found = Vec::new();
    for owner in find_owners(store, user).await? {
        let mailboxes = store.list_mailboxes(owner.id).await?;
        let configurations = store.list_ai_configurations(owner.id).await?;
        for agent in store.list_agents(owner.id).await? {
            let mailbox = mailboxes.iter().find(|mailbox| Some(mailbox.id) == agent.mailbox_id).cloned();
            let chosen =
                |configuration: &&AiConfiguration| Some(configuration.id) == agent.ai_configuration_id;
            let ai_configuration = configurations.iter().find(chosen).cloned();
            found.push(Found { owner: owner.clone(), agent, mailbox, ai_configuration });
        }
    }
    Ok(found)
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Automatic => "automatic",
        Mode::Draft => "draft",
    }
}

fn ambiguous_word(policy: AmbiguousPolicy) -> &'static str {
    match policy {
        AmbiguousPolicy::Hold => "hold",
        AmbiguousPolicy::Verify => "verify",
    }
}
