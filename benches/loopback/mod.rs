//! What the benchmarks stand on: the loopback servers and the service, each in a process of its own that is this
//! same binary once more, so that nobody's figures hold the cost of the others.

pub mod database;
pub mod process;
pub mod servers;
pub mod service;
#[path = "../../tests/suite/support/world.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests' owners, mailboxes and agents, and they need more of it"
)]
pub mod world;

use std::time::Duration;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Does the work of a child, if the command line says that this process is one.
pub async fn work_as_child(words: &[String]) -> Result<bool, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [servers::CHILD, millis] => servers::serve(Duration::from_millis(millis.parse()?)).await?,
        [service::CHILD, config] => service::serve(config.as_ref()).await?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Runnable tasks of the last minute, as the machine counts them.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
