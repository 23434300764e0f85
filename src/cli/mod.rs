//! The command line: one page per command.
//!
//! A command takes its arguments and answers with the text to print, so that this page alone writes to the
//! outside. Nothing that is printed holds a secret, nor a word of a mail unless `explain` was given it. The exit code is 0 when the command did
//! what it was told, 1 when it could not, and 2 when it was told something that cannot be done: arguments, a
//! configuration or an apply file with errors.

mod agent;
mod apply;
mod config;
mod demo;
mod error;
mod explain;
mod keys;
mod mailbox;
mod migrate;
mod notices;
mod open;
mod owners;
mod runs;
mod serve;
mod suppressions;
mod table;
mod usage;
mod user;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{CONFIG_VARIABLE, Config, process_environment};
use crate::{net, telemetry};

pub use self::apply::{ApplyFaults, Fault};
pub use self::error::CliError;

/// The configuration that is read when none is named and it is there.
const USUAL_CONFIG: &str = "workers.toml";

/// Agents that answer email on their owner's own AI provider key.
#[derive(Parser)]
#[command(name = "postkey", version, arg_required_else_help = true)]
struct Arguments {
    /// The operator's configuration (or POSTKEY_CONFIG); without it `workers.toml`, if there is one here, else the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service: watch mailboxes, answer mail. Ends at SIGTERM or Ctrl-C.
    Serve,
    /// See the service at work on this machine, with stand-ins for mail servers and provider.
    Demo(demo::Demo),
    /// Make or change users and their things as a file says; may be repeated.
    Apply(apply::Apply),
    /// Look at users.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Look at agents.
    #[command(subcommand)]
    Agent(agent::AgentCommand),
    /// Look at mailboxes, or try one out.
    #[command(subcommand)]
    Mailbox(mailbox::MailboxCommand),
    /// Look at users' AI configurations; keys are masked.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// See what became of each mail, and retry.
    #[command(subcommand)]
    Runs(runs::RunsCommand),
    /// What owners have to know.
    Notices(notices::Notices),
    /// Where automation has stopped, and letting it go on.
    #[command(subcommand)]
    Suppressions(suppressions::SuppressionsCommand),
    /// What users' provider calls came to.
    Usage(usage::Usage),
    /// What Postkey sees in mails and what it would do; without a database or a network.
    Explain(explain::Explain),
    /// Make the database's tables, or bring them up to this version.
    Migrate,
    /// Keys that protect the secrets in the database.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

/// Does what the process's arguments say.
pub fn main() -> ExitCode {
    telemetry::tell_only_where_it_panics();
    net::install_crypto();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way as well, with code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let done = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(CliError::Runtime(error)),
    };
    match done.and_then(|text| write_out(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            write_error(&error);
            error.exit_code()
        }
    }
}

async fn run(arguments: Arguments) -> Result<String, CliError> {
    let config = || load_config(arguments.config.as_deref());
    match arguments.command {
        Command::Serve => serve::run(config()?).await,
        // It brings a configuration of its own.
        Command::Demo(command) => demo::run(command).await,
        Command::Apply(command) => apply::run(&command, &config()?).await,
        Command::User(command) => user::run(&command, &config()?).await,
        Command::Agent(command) => agent::run(&command, &config()?).await,
        Command::Mailbox(command) => mailbox::run(&command, &config()?).await,
        Command::Config(command) => config::run(&command, &config()?).await,
        Command::Runs(command) => runs::run(&command, &config()?).await,
        Command::Notices(command) => notices::run(&command, &config()?).await,
        Command::Suppressions(command) => suppressions::run(&command, &config()?).await,
        Command::Usage(command) => usage::run(&command, &config()?).await,
        // It reads mails and nothing else: no configuration either.
        Command::Explain(command) => explain::run(&command),
        Command::Migrate => migrate::run(&config()?).await,
        // Before there is a configuration: it needs what this makes.
        Command::Keys(command) => keys::run(&command),
    }
}

fn load_config(named: Option<&Path>) -> Result<Config, CliError> {
    let variable = std::env::var_os(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let usual = Some(Path::new(USUAL_CONFIG)).filter(|path| path.exists());
    Ok(Config::load(named.or(variable.as_deref()).or(usual), process_environment())?)
}

/// To standard output; a reader that has seen enough (`| head`) is no error.
fn write_out(text: &str) -> Result<(), CliError> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

/// To standard error, without anything that looks like a secret; if nobody reads it, nobody can be told.
fn write_error(error: &CliError) {
    let text = match error {
        // Redacted where they were found, since names of keys look like secrets: `api_key: ..`.
        CliError::Apply(faults) => faults.to_string(),
        error => telemetry::redact(&error.to_string()),
    };
    let _ = writeln!(io::stderr(), "postkey: {text}");
}

/// A fault that does not keep a file from being applied, to standard error.
fn write_warning(file: &Path, warning: &Fault) {
    let _ = writeln!(io::stderr(), "postkey: warning: {}: {warning}", file.display());
}
