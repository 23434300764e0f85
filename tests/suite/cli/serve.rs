//! `postkey serve` as an operator meets it: what it refuses, how it waits, and that it shows nothing of its memory.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::migrated;
use crate::support::database::TestDatabase;
use crate::support::program::Program;
use crate::support::raw::execute;
use crate::support::wait::until;
use crate::support::world::KEKS;

const LONG: Duration = Duration::from_secs(20);
/// Much less than the time for which it would go on waiting.
const SOON: Duration = Duration::from_secs(5);

/// A program with this platform key and a file that is not there yet.
fn with_platform_key(section: &str) -> Program {
    let program = Program::alone()
        .with("POSTKEY_DATABASE__URL", "sqlite://postkey.db")
        .with("POSTKEY_KEKS", KEKS)
        .with("THEIR_KEY", "sk-platform-0123456789abcdef");
    program.write(
        "workers.toml",
        format!("[platform_key]\napi_key = \"env:THEIR_KEY\"\nmodel = \"m\"\n{section}\n"),
    );
    program
}

#[tokio::test]
async fn a_platform_key_that_leads_nowhere_is_an_error_of_the_configuration() {
    for (section, hint) in [
        ("provider = \"openai_compatible\"", "platform_key.base_url is missing"),
        ("provider = \"openay\"", "platform_key.provider: "),
    ] {
        let program = with_platform_key(section);
        let served = program.command(&["serve"]).output();
        let ended = tokio::time::timeout(LONG, served).await.expect("it does not serve").unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{err}");
        assert!(err.contains(hint) && !err.contains("sk-platform"), "{err}");
        assert!(!program.folder().join("postkey.db").exists(), "nothing is begun");
    }
}

/// Serves until it says that it waits for its server; answers what it said then.
async fn serve_until_it_waits(program: &Program) -> (Child, String) {
    let mut child = program.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = tokio::time::timeout(LONG, async {
        loop {
            let line = lines.next_line().await.unwrap().expect("it goes on waiting");
            if line.contains("waiting for the server that database.url names") {
                return line;
            }
        }
    });
    let said = said.await.expect("it says that it waits");
    // Whoever writes to a closed pipe may die of it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, said)
}

async fn terminate(child: &mut Child) -> ExitStatus {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    tokio::time::timeout(SOON, child.wait()).await.expect("it ends soon").unwrap()
}

#[tokio::test]
async fn serve_stops_while_it_waits_for_its_server() {
    let program = Program::alone()
        .with("POSTKEY_DATABASE__URL", "postgres://u:hunter2@127.0.0.1:1/rows")
        .with("POSTKEY_KEKS", KEKS);
    let (mut child, said) = serve_until_it_waits(&program).await;
    assert!(said.contains("Connection refused"), "{said}");
    assert_eq!(terminate(&mut child).await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_waits_for_a_place_on_a_full_server() {
    let database = TestDatabase::postgres().await;
    let mut url = url::Url::parse(database.url()).unwrap();
    let guest = format!("guest_of_{}", url.path().trim_start_matches('/'));
    // The server always has room for its owner, so that it is full for somebody else.
    execute(&database, &format!("CREATE ROLE {guest} LOGIN PASSWORD 'hunter2' CONNECTION LIMIT 0")).await;
    execute(&database, &format!("GRANT CREATE ON SCHEMA public TO {guest}")).await;
    url.set_username(&guest).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let program = Program::new(&database).with("POSTKEY_DATABASE__URL", url.as_str());

    let (mut child, said) = serve_until_it_waits(&program).await;
    assert!(said.contains("too many connections") && !said.contains("hunter2"), "{said}");
    assert_eq!(terminate(&mut child).await.code(), Some(0));

    let (mut child, _) = serve_until_it_waits(&program).await;
    execute(&database, &format!("ALTER ROLE {guest} CONNECTION LIMIT -1")).await;
    migrated(&Program::new(&database), &database).await;
    assert_eq!(terminate(&mut child).await.code(), Some(0));
    execute(&database, &format!("DROP OWNED BY {guest} CASCADE")).await;
    execute(&database, &format!("DROP ROLE {guest}")).await;
}

/// More than any machine has room for.
const NO_ROOM_FOR_A_THREAD: &str = "1152921504606846976";

#[tokio::test]
async fn sr_25_a_panic_tells_its_place_and_not_its_text() {
    // The runtime panics where it gets no thread, and would say why.
    let program = Program::alone().with("RUST_MIN_STACK", NO_ROOM_FOR_A_THREAD).with("RUST_BACKTRACE", "1");
    let ended = program.run("migrate").await;
    assert_eq!(ended.code, 101, "{ended:?}");
    let lines: Vec<&str> = ended.err.lines().collect();
    let [line] = lines[..] else { panic!("not one line: {ended:?}") };
    let place = line.strip_prefix("a fault of the program at ").unwrap();
    let (file, line) = place.split_once(".rs:").unwrap();
    assert!(!file.contains(' ') && line.chars().all(|char| char.is_ascii_digit() || char == ':'), "{place}");
}

/// As root, without the rights by which it may look into everybody.
fn ordinary(program: &str) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-all", program]);
    command
}

/// Whether somebody of the same account may look into a process.
async fn is_open(pid: u32) -> bool {
    let mut look = ordinary("cat");
    look.arg(format!("/proc/{pid}/environ")).stdout(Stdio::null()).stderr(Stdio::null());
    look.status().await.unwrap().success()
}

#[tokio::test]
async fn sr_25_serve_leaves_no_core_and_shows_nobody_its_memory() {
    let database = TestDatabase::sqlite().await;
    let program = Program::new(&database);
    let serve = program.command(&["serve"]);
    let mut serving = ordinary(serve.as_std().get_program().to_str().unwrap());
    for (name, value) in serve.as_std().get_envs() {
        match value {
            Some(value) => serving.env(name, value),
            None => serving.env_remove(name),
        };
    }
    serving.arg("serve").current_dir(program.folder()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut serving = serving.kill_on_drop(true).spawn().unwrap();
    let mut other = ordinary("sleep").arg("60").kill_on_drop(true).spawn().unwrap();
    let (pid, others) = (serving.id().unwrap(), other.id().unwrap());
    until("it may leave no core", LONG, async || {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        core.split_whitespace().skip(4).take(2).eq(["0", "0"])
    })
    .await;
    until("nobody may look into it", LONG, async || !is_open(pid).await).await;
    assert!(is_open(others).await, "nobody may look into anything");
    assert!(serving.try_wait().unwrap().is_none() && other.try_wait().unwrap().is_none());
}
