//! The service as a process of its own, which can be killed.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use postkey::config::Config;
use tokio::process::Child;

use crate::support::database::TestDatabase;
use crate::support::program::Program;

/// What an operator would write for servers on loopback and short times.
fn workers_toml(config: &Config, filter: &str) -> String {
    format!(
        "[worker]\nlease = \"3s\"\nretry_first = \"1s\"\nretry_factor = 1\n\
         [mailbox]\npoll = \"1s\"\nrefresh = \"200ms\"\nreconnect_first = \"50ms\"\nreconnect_longest = \"1s\"\n\
         lease = \"3s\"\n\
         [smtp]\nmessages_per_minute = 0\nretry_first = \"1s\"\n\
         [network]\nprivate_endpoints = {:?}\n\
         [log]\nfilter = {filter:?}\n",
        config.network.private_endpoints
    )
}

/// A program with the story's configuration, ready to serve.
pub fn prepare(database: &TestDatabase, config: &Config, filter: &str) -> Program {
    let program = Program::new(database);
    program.write("workers.toml", workers_toml(config, filter));
    program
}

/// Starts serving; its log is shown where the test fails.
pub fn serve(program: &Program) -> Child {
    let mut command = program.command(&["serve", "--config", "workers.toml"]);
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// As `kill -TERM`, or a service manager, does; answers how it ended.
pub async fn terminate(child: &mut Child) -> ExitStatus {
    let pid = child.id().unwrap().to_string();
    let told = tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    assert!(told.success());
    tokio::time::timeout(Duration::from_secs(32), child.wait()).await.expect("it drains in time").unwrap()
}
