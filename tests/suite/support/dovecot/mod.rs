//! A real Dovecot of the test's own, as root or as an ordinary user.
//!
//! ```ignore
//! let dovecot = Dovecot::start(&["anna@example.com", "bob@example.com"]).await;
//! dovecot.deliver("anna@example.com", b"Subject: hello\r\n\r\nhello\r\n");
//! let sent = dovecot.sent("anna@example.com");
//! ```

mod configuration;

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::certificate::Certificate;
use super::wait;
use configuration::Identity;

/// The password of every user.
pub const PASSWORD: &str = "dovecot secret";

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(20);
/// How long an orderly end may take before the process is killed.
const END: Duration = Duration::from_secs(5);
/// Another process may take a free port before Dovecot does.
const ATTEMPTS: usize = 5;

/// The running server; it and its mail are gone when it is dropped.
pub struct Dovecot {
    process: Child,
    ports: Ports,
    certificate: Certificate,
    identity: Identity,
    folder: TempDir,
    delivered: AtomicU64,
}

/// Where it listens.
#[derive(Clone, Copy)]
struct Ports {
    imap: u16,
    imaps: u16,
}

impl Dovecot {
    /// Starts one with these users, whose password is [`PASSWORD`]; returns when it takes connections.
    pub async fn start(users: &[&str]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("postkey-dovecot-").tempdir().expect("a temporary folder");
        let identity = Identity::find();
        let certificate = Certificate::generate();
        // The mail processes may run as somebody else, who must get through to the mail.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        configuration::write_users(folder.path(), users, &identity);
        for _ in 0..ATTEMPTS {
            let ports = Ports { imap: free_port(), imaps: free_port() };
            configuration::write(folder.path(), ports, &certificate, &identity);
            let mut process = spawn(folder.path());
            if takes_connections(&mut process, ports).await {
                return Self { process, ports, certificate, identity, folder, delivered: AtomicU64::new(0) };
            }
            stop(&mut process);
        }
        let log = std::fs::read_to_string(folder.path().join("dovecot.log")).unwrap_or_default();
        panic!("Dovecot does not start:\n{log}");
    }

    /// IMAP without TLS, and with STARTTLS.
    pub fn imap(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports.imap))
    }

    /// IMAP with TLS from the first byte.
    pub fn imaps(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports.imaps))
    }

    /// What its TLS is signed with; the names are `localhost` and `127.0.0.1`.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Puts a mail into the user's INBOX as a delivery agent does: whole or not at all (maildir(5)).
    pub fn deliver(&self, user: &str, bytes: &[u8]) {
        let maildir = self.maildir(user);
        let number = self.delivered.fetch_add(1, Ordering::SeqCst);
        let now = postkey::clock::Clock::system().now().millis();
        let name = format!("{}.M{now}P{}Q{number}.localhost", now / 1000, std::process::id());
        let (unfinished, finished) = (maildir.join("tmp").join(&name), maildir.join("new").join(&name));
        std::fs::write(&unfinished, bytes).unwrap();
        chown(&unfinished, Some(self.identity.uid), Some(self.identity.gid)).unwrap();
        std::fs::rename(unfinished, finished).unwrap();
    }

    /// The mails in the user's Sent folder, in the order of their names.
    pub fn sent(&self, user: &str) -> Vec<Vec<u8>> {
        mails_in(&self.maildir(user).join(".Sent"))
    }

    /// The mails in the user's INBOX.
    pub fn inbox(&self, user: &str) -> Vec<Vec<u8>> {
        mails_in(&self.maildir(user))
    }

    /// What Dovecot said about itself.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("dovecot.log")).unwrap_or_default()
    }

    fn maildir(&self, user: &str) -> PathBuf {
        configuration::home(self.folder.path(), user).join("Maildir")
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        stop(&mut self.process);
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Debian keeps a server's programs out of an ordinary user's PATH.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]);
    let found = folders.map(|folder| folder.join("dovecot")).find(|file| file.is_file());
    found.expect("dovecot is not installed: run tests/run.sh, or install the package dovecot-imapd")
}

fn spawn(folder: &Path) -> Child {
    let mut command = Command::new(program());
    command.arg("-F").arg("-c").arg(folder.join("dovecot.conf"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    command.spawn().unwrap()
}

/// Whether both ports greet before the process ends.
async fn takes_connections(process: &mut Child, ports: Ports) -> bool {
    wait::some("Dovecot to start", START, || {
        let ended = process.try_wait().unwrap().is_some();
        async move {
            if ended {
                return Some(false);
            }
            (greets(ports.imap).await && connect(ports.imaps).await.is_some()).then_some(true)
        }
    })
    .await
}

async fn greets(port: u16) -> bool {
    let Some(mut stream) = connect(port).await else { return false };
    let mut start = [0; 4];
    stream.read_exact(&mut start).await.is_ok() && &start == b"* OK"
}

#[expect(clippy::disallowed_methods, reason = "the server is tried without the product's dialler")]
async fn connect(port: u16) -> Option<TcpStream> {
    TcpStream::connect(("127.0.0.1", port)).await.ok()
}

/// Ends the process in order, so that it takes its children with it, and in any case.
fn stop(process: &mut Child) {
    let _ = Command::new("kill").arg("-TERM").arg(process.id().to_string()).stderr(Stdio::null()).status();
    let deadline = Instant::now() + END;
    while Instant::now() < deadline {
        if matches!(process.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = process.kill();
    let _ = process.wait();
}

/// The mails of a Maildir folder, new and seen.
fn mails_in(folder: &Path) -> Vec<Vec<u8>> {
    let files = ["new", "cur"].map(|part| std::fs::read_dir(folder.join(part)).into_iter().flatten());
    let mut paths: Vec<PathBuf> = files.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}
