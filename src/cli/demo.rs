//! `postkey demo`: the service at work on this machine, with stand-ins for the world around it.

use std::io::{self, IsTerminal};

use clap::Args;
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::CliError;
use crate::config::Log;
use crate::demo::show::{DemoError, Live, Options, USUAL_MODEL, show};
use crate::telemetry;

#[derive(Args)]
pub(super) struct Demo {
    /// End by itself once every sample mail has its outcome; the exit code is 1 if one has none after a minute.
    #[arg(long)]
    once: bool,
    /// Ask a real provider with the key in OPENAI_API_KEY; this costs money. Without it nothing is spent.
    #[arg(long)]
    live: bool,
    /// The model to ask.
    #[arg(long, value_name = "MODEL", default_value = USUAL_MODEL, requires = "live")]
    model: String,
    /// A server that speaks like OpenAI, instead of OpenAI's own.
    #[arg(long, value_name = "URL", requires = "live")]
    base_url: Option<String>,
    /// Show the service's log lines as well, by RUST_LOG where it is set.
    #[arg(long)]
    verbose: bool,
}

pub(super) async fn run(command: Demo) -> Result<String, CliError> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let filter = variable("RUST_LOG").or_else(|| command.verbose.then(|| Log::default().filter));
    if let Some(filter) = filter {
        telemetry::init(&Log { filter, ..Log::default() })?;
    }
    let key = || variable("OPENAI_API_KEY").map(SecretString::from);
    let live = command.live.then(|| Live::new(key(), command.model, command.base_url.as_deref()));
    let colours = io::stdout().is_terminal() && variable("NO_COLOR").is_none();
    let options = Options { once: command.once, live: live.transpose()?, colours };
    let stop = CancellationToken::new();
    let watch = tokio::spawn(stop_at_signal(stop.clone()));
    let shown = show(options, io::stdout(), stop).await;
    watch.abort();
    match shown {
        // A reader that has seen enough (`| head`) is no error.
        Err(DemoError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(String::new()),
        shown => shown.map(|()| String::new()).map_err(CliError::from),
    }
}

/// Ends the show in order, so that nothing of it stays behind.
async fn stop_at_signal(stop: CancellationToken) {
    let listen = || Ok::<_, io::Error>((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?));
    let Ok((mut terminate, mut interrupt)) = listen() else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.cancel();
}
