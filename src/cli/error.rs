//! Why a command did not do what it was told, and what to do.

use std::process::ExitCode;

use super::apply::ApplyFaults;
use crate::app::AppError;
use crate::config::ConfigErrors;
use crate::demo::show::DemoError;
use crate::net::NetError;
use crate::store::StoreError;
use crate::telemetry::TelemetryError;
use crate::vault::VaultError;

/// The end of a command that failed; its text is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The operator's configuration has errors.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// An entry of `network.private_endpoints` is none.
    #[error("{0}; correct it in the configuration")]
    Network(#[from] NetError),
    /// The file to apply has errors; nothing was changed.
    #[error(transparent)]
    Apply(#[from] ApplyFaults),
    /// The database failed.
    #[error("{0}; check database.url and the server, then try again")]
    Store(#[from] StoreError),
    /// The database has no tables yet.
    #[error(
        "the database has no tables yet; run `postkey migrate`, `postkey apply` or `postkey serve` first"
    )]
    NoTables,
    /// The tables are those of an earlier version.
    #[error(
        "the tables are of an earlier version; stop what serves them, then run `postkey migrate` or `postkey serve`"
    )]
    OldTables,
    /// The keys cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Logging cannot begin.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The service could not start or go on.
    #[error(transparent)]
    App(#[from] AppError),
    /// The demo did not come to its end.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// Nothing has that name.
    #[error("there is no {kind} {name}; `{list}` shows what there is")]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The command that lists them.
        list: &'static str,
    },
    /// Several users have a thing of that name.
    #[error("several users have a {kind} {name}; add --user EMAIL")]
    Several {
        /// What was looked for.
        kind: &'static str,
        /// The name that was given.
        name: String,
    },
    /// It must not be done; the text says why and what can be done instead.
    #[error("{0}")]
    Refused(String),
    /// A mailbox's servers did not do what answering mail needs.
    #[error("{reason}; {advice}")]
    MailboxTest {
        /// What was tried, and how it failed.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// Mails that were to be explained could not be read; each was told by name.
    #[error("{0} of the files could not be read")]
    Unread(usize),
    /// The process cannot run tasks.
    #[error("the program cannot start its tasks ({0}); check the limits of this account")]
    Runtime(#[source] std::io::Error),
    /// Signals cannot be waited for.
    #[error("signals cannot be received ({0})")]
    Signals(#[source] std::io::Error),
    /// Nobody takes the output.
    #[error("the output could not be written ({0})")]
    Output(#[source] std::io::Error),
}

impl CliError {
    /// 2 where what was given has errors, 1 where it could not be done.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_)
            | Self::Network(_)
            | Self::Apply(_)
            | Self::Telemetry(_)
            | Self::Demo(DemoError::NoKey | DemoError::Key(_) | DemoError::BaseUrl)
            | Self::App(
                AppError::Net(_)
                | AppError::Platform(_)
                | AppError::PlatformUrl
                | AppError::Destination(_)
                | AppError::OperatorMail,
            ) => ExitCode::from(2),
            Self::Vault(error) | Self::App(AppError::Vault(error)) if error.is_of_given_keys() => {
                ExitCode::from(2)
            }
            _ => ExitCode::FAILURE,
        }
    }
}
