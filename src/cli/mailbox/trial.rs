//! `postkey mailbox test`: both servers, tried in the way that answering mail uses them.

use std::sync::Arc;

use crate::cli::open::open_vault;
use crate::cli::table::{Table, yes_no};
use crate::cli::{CliError, write_out};
use crate::config::Config;
use crate::imap::{ImapError, Session, Timeouts};
use crate::mail::Address;
use crate::net::{Credentials, Dialler, Endpoint, Guard, HttpClients, Login, Tokens};
use crate::smtp::{self, Connection, SmtpError};
use crate::store::{Mailbox, Store};
use crate::vault::Vault;

const CHECK_LOGIN: &str = "correct the user name and the password with `postkey apply`";
const CHECK_SERVER: &str =
    "check host, port and security, and network.private_endpoints for a host of your own";
const CHECK_FOLDER: &str = "check the folder's name in the file and run `postkey apply`";
const CHECK_SECRET: &str = "enter the mailbox's secrets again with `postkey apply`";

/// What both trials need.
struct Trial<'a> {
    mailbox: &'a Mailbox,
    vault: Vault,
    dialler: Arc<Dialler>,
    tokens: Tokens,
    config: &'a Config,
}

/// Tells what works as it is found out, so that it is seen even when the next step fails.
pub(super) async fn run(store: &Store, mailbox: &Mailbox, config: &Config) -> Result<String, CliError> {
    let guard = Guard::new(&config.network)?;
    let clients = HttpClients::new(&config.provider, guard.clone())?;
    let trial = Trial {
        mailbox,
        vault: open_vault(config, store).await?,
        dialler: Arc::new(Dialler::new(guard)?),
        tokens: Tokens::new(clients, store.clock().clone()),
        config,
    };
    write_out(&trial.imap().await?)?;
    trial.smtp().await?;
    Ok("\nthe mailbox can be used\n".to_owned())
}

impl Trial<'_> {
    async fn imap(&self) -> Result<String, CliError> {
        let access =
            self.mailbox.imap_access(&self.vault).map_err(|error| failed("imap", &error, CHECK_SECRET))?;
        let (endpoint, login) = self.login("imap", access).await?;
        let timeouts = Timeouts::from(&self.config.mailbox);
        let opened = Session::open(&self.dialler, &endpoint, login, timeouts).await;
        let session = opened.map_err(|error| failed("imap", &error, imap_advice(&error)))?;
        let mut table = Table::bare();
        let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
        line("imap", format!("logged in to {}", told(&endpoint)));
        let able = session.capabilities().clone();
        line("  IDLE (new mail at once)", if able.idle { "yes".to_owned() } else { self.polling() });
        line("  UIDPLUS", yes_no(able.uidplus));
        line("  MOVE", yes_no(able.r#move));
        line("  SPECIAL-USE", yes_no(able.special_use));
        line("  ID", yes_no(able.id));
        let (session, folder) = session
            .select(&self.mailbox.folder)
            .await
            .map_err(|error| failed(&format!("imap folder {}", self.mailbox.folder), &error, CHECK_FOLDER))?;
        line(&format!("  folder {}", self.mailbox.folder), format!("{} mails", folder.exists));
        line("  keeps our marks", yes_no(folder.keeps_keywords));
        let (session, sent) =
            session.sent_folder().await.map_err(|error| failed("imap", &error, CHECK_SERVER))?;
        line("  folder for sent mail", sent.unwrap_or_else(|| "not found".to_owned()));
        // All is known by now; how the server takes leave does not matter.
        let _ = session.logout().await;
        Ok(table.render())
    }

    async fn smtp(&self) -> Result<(), CliError> {
        let access =
            self.mailbox.smtp_access(&self.vault).map_err(|error| failed("smtp", &error, CHECK_SECRET))?;
        let (endpoint, login) = self.login("smtp", access).await?;
        let timeouts = smtp::Timeouts::from(&self.config.smtp);
        let address = Address::parse(&self.mailbox.address);
        let hello = address.as_ref().map_or("", Address::domain);
        let opened = Connection::open(&self.dialler, &endpoint, Some(login), &timeouts, hello).await;
        let connection = opened.map_err(|error| failed("smtp", &error, smtp_advice(&error)))?;
        let mut table = Table::bare();
        table.row(["smtp".to_owned(), format!("logged in to {}", told(&endpoint))]);
        if let Some(bytes) = connection.size_limit().filter(|bytes| *bytes > 0) {
            table.row(["  largest mail".to_owned(), format!("{} MiB", bytes / (1024 * 1024))]);
        }
        connection.quit().await;
        write_out(&table.render())
    }

    async fn login(
        &self,
        server: &str,
        (endpoint, credentials): (Endpoint, Credentials),
    ) -> Result<(Endpoint, Login), CliError> {
        let login = self.tokens.login(self.mailbox.id.uuid(), credentials).await;
        Ok((endpoint, login.map_err(|error| failed(server, &error, CHECK_SECRET))?))
    }

    fn polling(&self) -> String {
        format!("no; it is asked every {} s", self.config.mailbox.poll.as_secs())
    }
}

fn told(endpoint: &Endpoint) -> String {
    let Endpoint { host, port, security, .. } = endpoint;
    format!("{host}:{port} ({security})")
}

fn failed(what: &str, error: &dyn std::error::Error, advice: &'static str) -> CliError {
    CliError::MailboxTest { reason: format!("{what}: {error}"), advice }
}

fn imap_advice(error: &ImapError) -> &'static str {
    if error.is_credential() { CHECK_LOGIN } else { CHECK_SERVER }
}

fn smtp_advice(error: &SmtpError) -> &'static str {
    if error.is_credential() { CHECK_LOGIN } else { CHECK_SERVER }
}
