//! Postkey's `serve` in a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use postkey::app;
use postkey::config::Config;
use tokio::process::{Child, ChildStdin, Command};
use tokio_util::sync::CancellationToken;

use super::{Failure, world};

/// The word by which a process knows that it is this child.
pub const CHILD: &str = "service";

/// What both loops keep to; everything else is as in `workers.toml`.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Runs at once, and at once of one user, and calls at once with one key.
    pub concurrency: u32,
    /// SMTP connections of one mailbox.
    pub connections_per_account: u32,
    /// IMAP connections begun per second.
    pub connects_per_second: u32,
}

/// The child's end: serves until its standard input ends.
pub async fn serve(config: &Path) -> Result<(), Failure> {
    let config = Config::load(Some(config), std::env::vars())?;
    postkey::telemetry::init(&config.log)?;
    let stop = CancellationToken::new();
    let until = stop.clone();
    // A thread of its own: reading what never comes must not keep the runtime from ending.
    std::thread::spawn(move || {
        let _gone = std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new());
        until.cancel();
    });
    Ok(app::serve(config, stop).await?)
}

/// The leading end.
pub struct Service {
    pub process: u32,
    /// Where its API listens.
    pub address: SocketAddr,
    child: Child,
    _stop: ChildStdin,
}

impl Service {
    /// Starts it on this database and these servers; its log goes to a file in the build's folder.
    pub async fn start(url: &str, servers: &world::Servers, limits: Limits) -> Result<Self, Failure> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let file = folder.join("bench-service.toml");
        let address = free_address()?;
        tokio::fs::write(&file, configuration(url, servers, limits, address)).await?;
        let log = std::fs::File::create(folder.join("bench-service.log"))?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .arg(&file)
            .env("POSTKEY_KEKS", world::KEKS)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let stop = child.stdin.take().ok_or("stdin")?;
        let process = child.id().ok_or("the service has ended")?;
        Ok(Self { process, address, child, _stop: stop })
    }

    /// Lets it drain and end.
    pub async fn stop(mut self) -> Result<(), Failure> {
        drop(self._stop);
        let ended = tokio::time::timeout(Duration::from_secs(40), self.child.wait()).await;
        let status = ended.map_err(|_| "the service does not end")??;
        let address = self.address;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the service at {address} ended with {status}").into())
        }
    }
}

/// Free until somebody else takes it.
fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}

fn configuration(url: &str, servers: &world::Servers, limits: Limits, address: SocketAddr) -> String {
    let Limits { concurrency, connections_per_account, connects_per_second } = limits;
    format!(
        "[database]\nurl = \"{url}\"\n[worker]\nconcurrency = {concurrency}\nper_user = {concurrency}\n\
         [provider]\nper_key = {concurrency}\n[mailbox]\nconnects_per_second = {connects_per_second}\n\
         [smtp]\nmessages_per_minute = 0\nconnections_per_account = {connections_per_account}\n\
         [http]\nlisten = \"{address}\"\nsign_up = \"open\"\ncalls_per_minute = 0\nsign_ins_per_account = 1000000\n\
         sign_ins_per_address = 1000000\n[network]\nprivate_endpoints = {endpoints:?}\n",
        endpoints = servers.private_endpoints()
    )
}
