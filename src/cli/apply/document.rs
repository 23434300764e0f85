//! The file as values: what each entry says, checked by itself and against its neighbours.

use secrecy::SecretString;
use toml::de::DeTable;

use super::agent::{AgentEntry, read_agent};
use super::ai_configuration::{AiConfigurationEntry, read_ai_configuration};
use super::check::{refuse_repeated, refuse_second_default};
use super::mailbox::{MailboxEntry, read_mailbox};
use super::reading::{Place, Reading};
use super::table::Table;
use super::value;
use crate::mail::Address;
use crate::provider::Provider;
use crate::store::Role;
use crate::vault::{LONGEST_PASSWORD, SHORTEST_PASSWORD, is_password_length};

/// The whole file.
#[derive(Default)]
pub(super) struct Document {
    pub users: Vec<UserEntry>,
}

/// `[[user]]` and what stands under it.
pub(super) struct UserEntry {
    pub place: Place,
    /// Lower case.
    pub email: String,
    pub name: Option<String>,
    pub role: Option<Role>,
    pub password: Option<SecretString>,
    pub ai_configurations: Vec<AiConfigurationEntry>,
    pub mailboxes: Vec<MailboxEntry>,
    pub agents: Vec<AgentEntry>,
    /// Whether every AI configuration could be read; if not, a reference may be to one that could not.
    pub has_all_ai_configurations: bool,
    /// The same of mailboxes.
    pub has_all_mailboxes: bool,
}

/// Reads everything; entries with faults are left out, and their faults are noted.
pub(super) fn read_document<'a>(reading: &'a Reading<'a>, entries: &'a DeTable<'a>) -> Document {
    let mut file = Table::file(reading, entries);
    let users = file.tables("user", Some("email"));
    file.finish();
    refuse_repeated("user", &users, |user| user.peek("email", value::address).map(email));
    Document { users: users.into_iter().filter_map(read_user).collect() }
}

fn read_user(mut table: Table<'_>) -> Option<UserEntry> {
    let place = table.place().clone();
    let address = table.need("email", value::address);
    let name = table.find("name", value::line);
    let role =
        table.find("role", |written| value::choice(written, &Role::ALL.map(|role| (role.as_str(), role))));
    let password = read_password(&mut table);
    let ai_configurations = table.tables("ai_config", None);
    refuse_repeated("ai_config", &ai_configurations, |entry| entry.peek("provider", value::word::<Provider>));
    refuse_second_default(&ai_configurations);
    let (ai_configurations, has_all_ai_configurations) = read_all(ai_configurations, read_ai_configuration);
    let mailboxes = table.tables("mailbox", None);
    refuse_repeated("mailbox", &mailboxes, |entry| Some(entry.peek("address", value::address)?.normalized()));
    let (mailboxes, has_all_mailboxes) = read_all(mailboxes, read_mailbox);
    let agents = table.tables("agent", None);
    refuse_repeated("agent", &agents, |entry| entry.peek("name", value::line));
    let (agents, _) = read_all(agents, read_agent);
    table.finish();
    Some(UserEntry {
        place,
        email: email(address?),
        name,
        role,
        password,
        ai_configurations,
        mailboxes,
        agents,
        has_all_ai_configurations,
        has_all_mailboxes,
    })
}

/// Users sign in by it, in whatever case they type it.
fn email(address: Address) -> String {
    address.as_str().to_lowercase()
}

fn read_all<T>(tables: Vec<Table<'_>>, read: impl Fn(Table<'_>) -> Option<T>) -> (Vec<T>, bool) {
    let count = tables.len();
    let entries: Vec<T> = tables.into_iter().filter_map(read).collect();
    let is_whole = entries.len() == count;
    (entries, is_whole)
}

fn read_password(table: &mut Table<'_>) -> Option<SecretString> {
    let password = table.secret("password")?;
    if is_password_length(&password) {
        return Some(password);
    }
    let problem = format!("must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters");
    table.fault_at("password", problem);
    None
}
