//! The program itself, run in a folder of its own against a test's database.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use super::database::TestDatabase;
use super::world::KEKS;

/// `postkey` with its folder and its variables; it sees no variable of the test's own environment that is ours.
pub struct Program {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Program {
    /// With this database and the vault key of all tests.
    pub fn new(database: &TestDatabase) -> Self {
        Self::alone().with("POSTKEY_DATABASE__URL", database.url()).with("POSTKEY_KEKS", KEKS)
    }

    /// Without a database and without a key.
    pub fn alone() -> Self {
        let folder = tempfile::Builder::new().prefix("postkey-test-").tempdir().unwrap();
        Self { folder, variables: Vec::new() }.with("POSTKEY_HTTP__LISTEN", "127.0.0.1:0")
    }

    /// With one more variable, or another value for it; an empty one counts as not set.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file that only we may read.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command line to its end.
    pub async fn run(&self, line: &str) -> Ended {
        self.run_arguments(&line.split_whitespace().collect::<Vec<_>>()).await
    }

    /// Runs a command to its end.
    pub async fn run_arguments(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postkey"));
        let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("POSTKEY_"));
        for name in ours {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.folder.path()).envs(self.variables.clone());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

impl Ended {
    /// Its standard output, once it is clear that it did what it was told.
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }
}
