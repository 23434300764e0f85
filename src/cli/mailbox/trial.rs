//! `postkey mailbox test`: both servers, tried in the way that answering mail uses them.

use std::sync::Arc;

use crate::cli::open::open_vault;
use crate::cli::table::{Table, yes_no};
use crate::cli::{CliError, write_out};
use crate::config::Config;
use crate::mailbox::{ImapFindings, Remedy, SmtpFindings, Trial, TrialError};
use crate::net::{Dialler, Endpoint, Guard, HttpClients, Tokens};
use crate::store::{Mailbox, Store};

/// Tells what works as it is found out, so that it is seen even when the next step fails.
pub(super) async fn run(store: &Store, mailbox: &Mailbox, config: &Config) -> Result<String, CliError> {
    let guard = Guard::new(&config.network)?;
    let clients = HttpClients::new(&config.provider, guard.clone())?;
    let trial = Trial {
        mailbox,
        vault: &open_vault(config, store).await?,
        dialler: &Arc::new(Dialler::new(guard)?),
        tokens: &Tokens::new(clients, store.clock().clone()),
        imap: &config.mailbox,
        smtp: &config.smtp,
    };
    let imap = trial.imap().await.map_err(|error| failed("imap", &error))?;
    write_out(&tell_imap(imap, mailbox, config))?;
    let smtp = trial.smtp().await.map_err(|error| failed("smtp", &error))?;
    write_out(&tell_smtp(smtp))?;
    Ok("\nthe mailbox can be used\n".to_owned())
}

fn tell_imap(found: ImapFindings, mailbox: &Mailbox, config: &Config) -> String {
    let mut table = Table::bare();
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    let polling = || format!("no; it is asked every {} s", config.mailbox.poll.as_secs());
    line("imap", format!("logged in to {}", told(&found.endpoint)));
    line("  IDLE (new mail at once)", if found.idle { "yes".to_owned() } else { polling() });
    line("  UIDPLUS", yes_no(found.uidplus));
    line("  MOVE", yes_no(found.r#move));
    line("  SPECIAL-USE", yes_no(found.special_use));
    line("  ID", yes_no(found.id));
    line(&format!("  folder {}", mailbox.folder), format!("{} mails", found.mails));
    line("  keeps our marks", yes_no(found.keeps_keywords));
    line("  folder for sent mail", found.sent_folder.unwrap_or_else(|| "not found".to_owned()));
    table.render()
}

fn tell_smtp(found: SmtpFindings) -> String {
    let mut table = Table::bare();
    table.row(["smtp".to_owned(), format!("logged in to {}", told(&found.endpoint))]);
    if let Some(bytes) = found.largest_mail {
        table.row(["  largest mail".to_owned(), format!("{} MiB", bytes / (1024 * 1024))]);
    }
    table.render()
}

fn told(endpoint: &Endpoint) -> String {
    let Endpoint { host, port, security, .. } = endpoint;
    format!("{host}:{port} ({security})")
}

fn failed(what: &str, error: &TrialError) -> CliError {
    let advice = match error.remedy() {
        Remedy::Login => "correct the user name and the password with `postkey apply`",
        Remedy::Server => {
            "check host, port, security and ca_file, and network.private_endpoints for a host of your own"
        }
        Remedy::Folder => "check the folder's name in the file and run `postkey apply`",
        Remedy::Secrets => "enter the mailbox's secrets again with `postkey apply`",
    };
    CliError::MailboxTest { reason: format!("{what}: {error}"), advice }
}
