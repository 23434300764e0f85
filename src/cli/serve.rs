//! `postkey serve`: the service, until a signal ends it.

use std::process;

#[cfg(target_os = "linux")]
use rustix::process::DumpableBehavior;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, write_out};
use crate::config::Config;
use crate::{app, telemetry};

/// Prints the effective configuration without its secrets, then serves.
pub(super) async fn run(config: Config) -> Result<String, CliError> {
    telemetry::init(&config.log)?;
    write_out(&config.effective())?;
    raise_open_files();
    leave_no_core();
    let stop = CancellationToken::new();
    // Before the service starts: a signal must never find the default action, which drops everything.
    let signals = Signals::listen().map_err(CliError::Signals)?;
    let watch = tokio::spawn(signals.stop(stop.clone()));
    let served = app::serve(config, stop).await;
    watch.abort();
    served?;
    Ok(String::new())
}

/// As many open files as the system allows: each connection is one, and most systems begin with 1024.
fn raise_open_files() {
    let allowed = getrlimit(Resource::Nofile).maximum;
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: allowed, maximum: allowed }) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// What is in memory, open keys among it, is written to no file when the process dies, and no debugger of the same
/// account reads it (SR-25).
fn leave_no_core() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "cannot forbid core files");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "cannot forbid that the process's memory is read");
    }
}

/// What service managers and people send.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The first signal asks for an orderly end; the second ends at once, which loses nothing either: leases run
    /// out and their runs are taken up again.
    async fn stop(mut self, stop: CancellationToken) {
        self.next().await;
        tracing::info!("stopping: runs in progress are finished; a second signal ends at once");
        stop.cancel();
        let number = self.next().await;
        process::exit(128 + number);
    }

    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}
