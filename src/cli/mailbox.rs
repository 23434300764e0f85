//! `postkey mailbox`: watched inboxes, and whether their servers do what answering mail needs.

mod trial;

use clap::Subcommand;

use super::CliError;
use super::open::open_store;
use super::owners::{find_owners, the_only};
use super::table::{Table, or_dash, yes_no};
use crate::config::Config;
use crate::mail::{Address, LONGEST_SIGNED, has_room_for_detail};
use crate::store::{Mailbox, MailboxState, Server, Store, User};

#[derive(Subcommand)]
pub(super) enum MailboxCommand {
    /// All mailboxes, or those of one user.
    List {
        /// Only this user's.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// One mailbox and how it fares.
    Show {
        /// Its address.
        address: String,
        /// Whose it is, where several users have it.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Log in to both servers, look into the folder and say what the servers can do; changes nothing there.
    Test {
        /// Its address.
        address: String,
        /// Whose it is, where several users have it.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
}

pub(super) async fn run(command: &MailboxCommand, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    match command {
        MailboxCommand::List { user } => list(&store, user.as_deref()).await,
        MailboxCommand::Show { address, user } => show(find(&store, address, user.as_deref()).await?),
        MailboxCommand::Test { address, user } => {
            let (_, mailbox) = find(&store, address, user.as_deref()).await?;
            trial::run(&store, &mailbox, config).await
        }
    }
}

async fn list(store: &Store, user: Option<&str>) -> Result<String, CliError> {
    let mut table = Table::new(["USER", "MAILBOX", "FOLDER", "STATE", "LAST ALIVE"]);
    for (owner, mailbox) in find_mailboxes(store, user).await? {
        let (state, alive) = (state_text(&mailbox), or_dash(mailbox.last_alive_at));
        table.row([owner.email, mailbox.address, mailbox.folder, state, alive]);
    }
    if table.is_empty() {
        return Ok("there are no mailboxes yet; `postkey apply FILE.toml` makes them\n".to_owned());
    }
    Ok(table.render())
}

fn show((owner, mailbox): (User, Mailbox)) -> Result<String, CliError> {
    let mut table = Table::bare();
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("mailbox", mailbox.address.clone());
    line("id", mailbox.id.to_string());
    line("user", owner.email);
    line("aliases", if mailbox.aliases.is_empty() { "-".to_owned() } else { mailbox.aliases.join(", ") });
    line("folder", mailbox.folder.clone());
    line("imap", server_text(&mailbox.imap));
    line("smtp", server_text(&mailbox.smtp));
    line("login", if mailbox.oauth.is_some() { "OAuth" } else { "password" }.to_owned());
    line("believed authserv-id", or_dash(mailbox.believed_authserv_id()));
    line("answers mail without its address", yes_no(mailbox.reception.answer_unaddressed));
    line("answers copies", yes_no(mailbox.reception.answer_copies));
    line("plus addressing", plus_text(&mailbox));
    line("enabled", yes_no(mailbox.enabled));
    line("state", state_text(&mailbox));
    line("answers mail since", mailbox.activated_at.to_string());
    line("last alive", or_dash(mailbox.last_alive_at));
    Ok(table.render())
}

fn plus_text(mailbox: &Mailbox) -> String {
    let written = [&mailbox.address].into_iter().chain(&mailbox.aliases);
    let mut with_plus_forms = written
        .filter_map(|address| Address::parse(address))
        .filter(|address| mailbox.has_plus_forms(address.domain()))
        .peekable();
    if with_plus_forms.peek().is_none() {
        return yes_no(false);
    }
    match with_plus_forms.any(|address| has_room_for_detail(&address)) {
        true => yes_no(true),
        false => format!("yes, but without effect: more than {LONGEST_SIGNED} characters before the @"),
    }
}

async fn find(store: &Store, address: &str, user: Option<&str>) -> Result<(User, Mailbox), CliError> {
    let mut found = find_mailboxes(store, user).await?;
    let wanted = Address::parse(address);
    found.retain(|(_, mailbox)| {
        let stored = Address::parse(&mailbox.address);
        stored.zip(wanted.as_ref()).is_some_and(|(stored, wanted)| stored.is_same(wanted))
    });
    the_only(found, "mailbox", address, "postkey mailbox list")
}

async fn find_mailboxes(store: &Store, user: Option<&str>) -> Result<Vec<(User, Mailbox)>, CliError> {
    let mut found = Vec::new();
    for owner in find_owners(store, user).await? {
        let mailboxes = store.list_mailboxes(owner.id).await?;
        found.extend(mailboxes.into_iter().map(|mailbox| (owner.clone(), mailbox)));
    }
    Ok(found)
}

fn server_text(server: &Server) -> String {
    let own = if server.ca.is_some() { ", own certificate authority" } else { "" };
    format!("{}:{} {}, as {}{own}", server.host, server.port, server.security, server.username)
}

fn state_text(mailbox: &Mailbox) -> String {
    match (mailbox.enabled, mailbox.state) {
        (false, _) => "switched off".to_owned(),
        (true, MailboxState::Active) => "active".to_owned(),
        (true, MailboxState::Stopped) => {
            let reason =
                mailbox.state_reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("stopped{reason}; correct it and run `postkey apply` again")
        }
    }
}
