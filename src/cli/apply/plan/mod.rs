//! What has to be written so that the database says what the file says: nothing where it already does.

mod agent;
mod ai_configuration;
mod mailbox;
mod owner;
mod watched;

use std::fmt;

use self::watched::Watched;
use super::document::{Document, UserEntry};
use super::reading::Findings;
use crate::cli::CliError;
use crate::clock::Clock;
use crate::store::{Agent, AiConfiguration, Mailbox, Provision, Store, User, UserId};
use crate::vault::Vault;

/// What is to be written, and what to tell about it.
#[derive(Default)]
pub(super) struct Plan {
    /// What is made or changed.
    pub provision: Provision,
    /// One line per entry of the file.
    pub steps: Vec<Step>,
    /// What the file's mailboxes read.
    watched: Vec<Watched>,
}

/// What happens with one entry.
pub(super) struct Step {
    /// What is done.
    pub verb: Verb,
    /// `user`, `ai_config`, `mailbox` or `agent`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The owner's address.
    pub owner: String,
    /// The keys that change.
    pub changes: Vec<&'static str>,
}

/// What is done with an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// It is new.
    Made,
    /// It is there and says something else.
    Changed,
    /// It is there and says the same.
    Left,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Made => "made",
            Self::Changed => "changed",
            Self::Left => "left",
        })
    }
}

/// What one user has in the database.
#[derive(Default)]
struct Stored {
    user: Option<User>,
    ai_configurations: Vec<AiConfiguration>,
    mailboxes: Vec<Mailbox>,
    agents: Vec<Agent>,
}

/// What the pages of this plan work with.
struct Context<'a> {
    /// Where ids and times come from.
    clock: &'a Clock,
    /// What seals secrets and tells whether they changed.
    vault: &'a Vault,
    /// The user whose entries are compared.
    owner: UserId,
    /// What that user has.
    stored: Stored,
    plan: &'a mut Plan,
    findings: &'a mut Findings,
}

impl Context<'_> {
    /// Notes what happens with an entry; answers whether it has to be written.
    fn step(&mut self, step: Step, is_new: bool) -> bool {
        let verb = match (is_new, step.changes.is_empty()) {
            (true, _) => Verb::Made,
            (false, true) => Verb::Left,
            (false, false) => Verb::Changed,
        };
        let changes = if verb == Verb::Changed { step.changes } else { Vec::new() };
        self.plan.steps.push(Step { verb, changes, ..step });
        verb != Verb::Left
    }
}

/// Compares the file with the database, where there is one. Faults that show only there are noted; then the plan is not
/// to be used.
pub(super) async fn make_plan(
    document: &Document,
    store: Option<&Store>,
    vault: &Vault,
    findings: &mut Findings,
) -> Result<Plan, CliError> {
    let mut plan = Plan::default();
    let clock = &Clock::system();
    for entry in &document.users {
        let stored = read_stored(store, entry).await?;
        let owner = stored.user.as_ref().map_or_else(|| UserId::new(clock), |user| user.id);
        let mut context = Context { clock, vault, owner, stored, plan: &mut plan, findings };
        owner::plan(entry, &mut context)?;
        ai_configuration::plan_all(entry, &mut context)?;
        mailbox::plan_all(entry, &mut context)?;
        agent::plan_all(entry, &mut context);
    }
    watched::refuse_doubles(std::mem::take(&mut plan.watched), store, findings).await?;
    Ok(plan)
}

async fn read_stored(store: Option<&Store>, entry: &UserEntry) -> Result<Stored, CliError> {
    let Some(store) = store else { return Ok(Stored::default()) };
    let Some(user) = store.find_user_by_email(&entry.email).await? else { return Ok(Stored::default()) };
    let id = user.id;
    Ok(Stored {
        user: Some(user),
        ai_configurations: store.list_ai_configurations(id).await?,
        mailboxes: store.list_mailboxes(id).await?,
        agents: store.list_agents(id).await?,
    })
}

/// The names of those keys whose value changes.
fn changed<const N: usize>(compared: [(&'static str, bool); N]) -> Vec<&'static str> {
    compared.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}
