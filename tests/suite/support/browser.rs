//! A real browser without a window, for what only a browser shows: which cookies go where, and what people see.
//!
//! ```ignore
//! let browser = Browser::new();
//! let seen = browser.open("https://localhost:4711/").await;
//! assert!(seen.contains("<h1>Welcome</h1>"));
//! ```

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

/// By which names it is installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Longer than it takes on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// A Chromium with nothing but what it has seen itself.
pub struct Browser {
    program: PathBuf,
    profile: TempDir,
}

impl Browser {
    /// A fresh one.
    pub fn new() -> Self {
        Self { program: find(), profile: TempDir::new().unwrap() }
    }

    /// Opens an address as a phone does, goes wherever its scripts lead within ten seconds of theirs, and gives back the
    /// page of the end. Certificates are taken as they come.
    pub async fn open(&self, url: &str) -> String {
        let mut command = Command::new(&self.program);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-dev-shm-usage",
        ]);
        command.args(["--ignore-certificate-errors", "--window-size=390,844", "--virtual-time-budget=10000"]);
        command.arg(format!("--user-data-dir={}", self.profile.path().display()));
        command.args(["--dump-dom", url]).stdin(Stdio::null()).kill_on_drop(true);
        let done = tokio::time::timeout(LONG, command.output()).await.expect("the browser ends");
        let done = done.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }
}

fn find() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let mut programs = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = programs.find(|program| program.is_file());
    found.expect("there is no Chromium: run tests/run.sh, or install the package chromium")
}
