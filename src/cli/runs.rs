//! `postkey runs`: what became of each mail, in one sentence, and doing it again.

use clap::Subcommand;

use super::CliError;
use super::open::open_store;
use super::owners::find_owners;
use super::table::{Table, or_dash};
use crate::config::Config;
use crate::run::decide::{RetryRefusal, check_retry};
use crate::run::explain;
use crate::store::{Run, RunId, RunState, Store, UserId};

/// Most lines of a list.
const MOST: u32 = 1000;

#[derive(Subcommand)]
pub(super) enum RunsCommand {
    /// The newest runs, and how many there are in each state.
    List {
        /// Only this user's.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// How many to show.
        #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
        last: u32,
    },
    /// One run, and why there was or was not a reply.
    Show {
        /// The id from the list.
        id: RunId,
    },
    /// Do a run again that waits, is held, was skipped, failed or is in quarantine.
    Retry {
        /// The id from the list.
        id: RunId,
        /// Answer it although something stands against that: it is a draft, too late, answered by somebody else, held
        /// back by a rule, or not wanted. One of which nobody knows whether it went out is sent once more, and may arrive
        /// twice.
        #[arg(long)]
        resend: bool,
    },
}

pub(super) async fn run(command: &RunsCommand, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    match command {
        RunsCommand::List { user, last } => list(&store, user.as_deref(), *last).await,
        RunsCommand::Show { id } => show(&store, *id).await,
        RunsCommand::Retry { id, resend } => retry(&store, *id, *resend).await,
    }
}

async fn list(store: &Store, user: Option<&str>, last: u32) -> Result<String, CliError> {
    let mut rows = Vec::new();
    let mut counts = RunState::ALL.map(|state| (state, 0));
    for owner in find_owners(store, user).await? {
        let agents = store.list_agents(owner.id).await?;
        for run in store.list_runs(owner.id, None, last).await? {
            let agent = agents.iter().find(|agent| Some(agent.id) == run.agent_id);
            let name = or_dash(agent.map(|agent| &agent.name));
            rows.push((
                run.id,
                [
                    run.id.to_string(),
                    run.created_at.to_string(),
                    owner.email.clone(),
                    name,
                    run.state.as_str().to_owned(),
                    why(&run),
                ],
            ));
        }
        for found in store.count_runs(owner.id).await? {
            counts.iter_mut().filter(|(state, _)| *state == found.state).for_each(|(_, n)| *n += found.runs);
        }
    }
    if rows.is_empty() {
        return Ok("no mail has come in yet\n".to_owned());
    }
    rows.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    let mut table = Table::new(["RUN", "RECEIVED", "USER", "AGENT", "STATE", "WHY"]);
    rows.into_iter().take(last as usize).for_each(|(_, cells)| table.row(cells));
    Ok(format!("{}\n{}\n", table.render(), summary(&counts)))
}

/// `12 mails received = 3 queued + 9 replied`.
fn summary(counts: &[(RunState, i64)]) -> String {
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    let filled = counts.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = filled.map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    format!("{total} mails received = {}", parts.join(" + "))
}

async fn show(store: &Store, id: RunId) -> Result<String, CliError> {
    let (owner, run) = find_run(store, id).await?;
    let user = store.find_user(owner).await?;
    let mailbox = store.find_mailbox(owner, run.mailbox_id).await?;
    let agents = store.list_agents(owner).await?;
    let agent = agents.into_iter().find(|agent| Some(agent.id) == run.agent_id);
    let mut table = Table::bare();
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("run", run.id.to_string());
    line("user", or_dash(user.map(|user| user.email)));
    line("mailbox", or_dash(mailbox.map(|mailbox| mailbox.address)));
    line("agent", or_dash(agent.map(|agent| agent.name)));
    line("state", run.state.as_str().to_owned());
    line("why", why(&run));
    line("reason", or_dash(run.reason));
    line("detail", or_dash(run.detail));
    line("received", run.created_at.to_string());
    line("next attempt", or_dash(run.due_at));
    line("failed attempts", run.attempt.to_string());
    line("crashes", run.crash_count.to_string());
    line("ended", or_dash(run.finished_at));
    Ok(table.render())
}

async fn retry(store: &Store, id: RunId, resend: bool) -> Result<String, CliError> {
    let (owner, run) = find_run(store, id).await?;
    check_retry(&run, resend).map_err(|refusal| CliError::Refused(tell_refusal(&run, refusal)))?;
    if store.retry_run(owner, id, resend).await? {
        return Ok(format!("run {id} is queued again\n"));
    }
    Err(CliError::Refused(format!("run {id} has just changed; look at it with `postkey runs show {id}`")))
}

/// What to tell of a run that must not be done again.
fn tell_refusal(run: &Run, refusal: RetryRefusal) -> String {
    let id = run.id;
    match (refusal, run.reason.as_deref()) {
        (RetryRefusal::Replied, _) => format!("run {id} has been replied to; a second reply is never sent"),
        (RetryRefusal::Queued, _) => format!("run {id} is queued already; nothing needs to be done"),
        (RetryRefusal::Running, _) => format!("run {id} is being worked on; wait until it ends"),
        (RetryRefusal::NeedsWord, Some(explain::AMBIGUOUS)) => format!(
            "nobody knows whether the reply of run {id} went out; look into the Sent folder, and if it is not \
             there, send it once more with `postkey runs retry {id} --resend`"
        ),
        (RetryRefusal::NeedsWord, Some(explain::TOO_LATE)) => format!(
            "the mail of run {id} is too old to be answered without a word from you; answer it all the same with \
             `postkey runs retry {id} --resend`"
        ),
        (RetryRefusal::NeedsWord, _) => {
            format!("the reply of run {id} is a draft; send it with `postkey runs retry {id} --resend`")
        }
        (RetryRefusal::NeedsNoWord, _) => format!(
            "--resend is for drafts, for late replies, for those of which nobody knows whether they went out, and for \
             mail that a rule of its owner or its sender holds back; run {id} is none of them, so leave it out"
        ),
    }
}

async fn find_run(store: &Store, id: RunId) -> Result<(UserId, Run), CliError> {
    let missing = || CliError::NotFound { kind: "run", name: id.to_string(), list: "postkey runs list" };
    let owner = store.find_run_owner(id).await?.ok_or_else(missing)?;
    let run = store.find_run(owner, id).await?.ok_or_else(missing)?;
    Ok((owner, run))
}

fn why(run: &Run) -> String {
    explain::sentence(run.state, run.reason.as_deref(), run.detail.as_deref())
}
