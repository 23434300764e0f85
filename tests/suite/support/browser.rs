//! A real browser without a window, for what only a browser shows: which cookies go where, and what people see. It is
//! led through its DevTools protocol, over a pipe.
//!
//! ```ignore
//! let mut browser = Browser::start().await;
//! browser.open("https://localhost:4711/").await;
//! browser.until_seen("<h1>Welcome</h1>").await;
//! browser.close().await;
//! ```

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

/// By which names it is installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);
/// The pipe's two ends are where it looks for them.
const PIPED: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

/// A Chromium with nothing but what it has seen itself.
pub struct Browser {
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    asked: u64,
    /// The one tab.
    tab: Option<Value>,
    process: Child,
    _profile: TempDir,
}

impl Browser {
    /// A fresh one, as large as a phone. It takes certificates as they come.
    pub async fn start() -> Self {
        let profile = TempDir::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", PIPED]).arg(find());
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-dev-shm-usage",
        ]);
        command.args(["--ignore-certificate-errors", "--window-size=390,844", "--remote-debugging-pipe"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let (asks, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut browser = Self { asks, answers, asked: 0, tab: None, process, _profile: profile };
        let made = browser.ask("Target.createTarget", json!({ "url": "about:blank" })).await.unwrap();
        let wanted = json!({ "targetId": made["targetId"], "flatten": true });
        let tab = browser.ask("Target.attachToTarget", wanted).await.unwrap();
        browser.tab = Some(tab["sessionId"].clone());
        browser
    }

    /// Goes to an address, as if somebody had typed it.
    pub async fn open(&mut self, url: &str) {
        self.ask("Page.navigate", json!({ "url": url })).await.unwrap();
    }

    /// Waits until these words are in the page, wherever its scripts and redirections have led.
    pub async fn until_seen(&mut self, words: &str) {
        let deadline = Instant::now() + LONG;
        loop {
            let page = self.page().await;
            if page.as_ref().is_ok_and(|page| page.contains(words)) {
                return;
            }
            assert!(Instant::now() < deadline, "{words} is not in {page:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it, so that nothing of it is left.
    pub async fn close(mut self) {
        self.tab = None;
        self.ask("Browser.close", json!({})).await.unwrap();
        timeout(LONG, self.process.wait()).await.expect("the browser ends").unwrap();
    }

    /// What the page consists of now; there may be none for a moment.
    async fn page(&mut self) -> Result<String, Value> {
        let page = json!({ "expression": "document.documentElement.outerHTML" });
        let page = self.ask("Runtime.evaluate", page).await?;
        page["result"]["value"].as_str().map(str::to_owned).ok_or(page)
    }

    /// One command and its answer; what happens besides is left out.
    async fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.asked += 1;
        let mut command = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(tab) = &self.tab {
            command["sessionId"] = tab.clone();
        }
        self.asks.write_all(format!("{command}\0").as_bytes()).await.unwrap();
        loop {
            let mut told = Vec::new();
            timeout(LONG, self.answers.read_until(0, &mut told)).await.expect("the browser answers").unwrap();
            assert_eq!(told.pop(), Some(0), "the browser has ended");
            let mut told: Value = serde_json::from_slice(&told).unwrap();
            if told["id"] == self.asked {
                return if told["error"].is_null() {
                    Ok(told["result"].take())
                } else {
                    Err(told["error"].take())
                };
            }
        }
    }
}

fn find() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let mut programs = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = programs.find(|program| program.is_file());
    found.expect("there is no Chromium: run tests/run.sh, or install the package chromium")
}
