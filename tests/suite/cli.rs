//! The small commands, by the program itself.

mod keys;
mod serve;

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use postkey::clock::Clock;
use postkey::store::{ClaimLimits, Due, Holder, RunId, RunState, Store, UserId, Verdict};
use tokio::process::Command;

use crate::support::certificate::Certificate;
use crate::support::database::{TestDatabase, on_both};
use crate::support::imap_server::ImapServer;
use crate::support::loopback::Encryption;
use crate::support::program::{Ended, Program};
use crate::support::proxy::Proxy;
use crate::support::rows::{enqueue, new_mailbox, open_store};
use crate::support::smtp_server::SmtpServer;
use crate::support::wait::until;
use crate::support::world::KEKS;

on_both! {
    async fn a_database_without_tables_says_what_to_do(database: TestDatabase) {
        let program = Program::new(&database);
        let ended = program.run("user list").await;
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains("postkey migrate"), "{ended:?}");
        program.run("migrate").await.done();
        assert!(program.run("user list").await.done().contains("postkey apply"));
        assert!(program.run("runs list").await.done().contains("no mail has come in yet"));
        assert!(program.run("notices").await.done().contains("nothing to tell"));
        assert!(program.run("usage").await.done().contains("no provider has been called yet"));
    }

    async fn what_is_not_there_says_how_to_find_it(database: TestDatabase) {
        let program = Program::new(&database);
        program.run("migrate").await.done();
        for (line, hint) in [
            ("user show eve@example.com", "postkey user list"),
            ("agent show Nobody", "postkey agent list"),
            ("mailbox show x@example.com", "postkey mailbox list"),
            ("config show openai", "postkey config list"),
            ("runs show 0192f0f0-0000-7000-8000-000000000000", "postkey runs list"),
            ("agent list --user eve@example.com", "postkey user list"),
        ] {
            let ended = program.run(line).await;
            assert_eq!(ended.code, 1, "{ended:?}");
            assert!(ended.err.contains(hint), "{ended:?}");
        }
        assert_eq!(program.run("runs show nonsense").await.code, 2);
    }

    async fn runs_explain_themselves(database: TestDatabase) {
        let program = Program::new(&database);
        let (store, user, runs) = held_runs(&database, &[
            (RunState::Replied, None),
            (RunState::Skipped, Some("mailing_list")),
            (RunState::Held, Some("ambiguous")),
        ]).await;

        let list = program.run("runs list").await.done();

        assert!(list.contains("3 mails received = 1 held + 1 replied + 1 skipped"), "{list}");
        let shown = program.run(&format!("runs show {}", runs[1])).await.done();
        assert!(shown.contains("came through a mailing list"), "{shown}");
        let email = store.find_user(user).await.unwrap().unwrap().email;
        let one = program.run(&format!("runs list --user {email} --last 1")).await.done();
        assert_eq!(one.matches(&email).count(), 1, "{one}");
    }

    async fn only_what_may_be_done_again_is(database: TestDatabase) {
        let program = Program::new(&database);
        let (store, user, runs) = held_runs(&database, &[
            (RunState::Replied, None),
            (RunState::Held, Some("ambiguous")),
            (RunState::Failed, Some("provider_rejects")),
            (RunState::Held, Some("draft")),
        ]).await;
        let [replied, ambiguous, failed, draft] = runs[..] else { panic!("{runs:?}") };

        for (line, reason) in [
            (format!("runs retry {replied}"), "second reply is never sent"),
            (format!("runs retry {replied} --resend"), "second reply is never sent"),
            (format!("runs retry {ambiguous}"), "--resend"),
            (format!("runs retry {draft}"), "--resend"),
            (format!("runs retry {failed} --resend"), "leave it out"),
        ] {
            let ended = program.run(&line).await;
            assert_eq!(ended.code, 1, "{line}: {ended:?}");
            assert!(ended.err.contains(reason), "{line}: {ended:?}");
        }
        for (run, option) in [(ambiguous, " --resend"), (failed, ""), (draft, " --resend")] {
            program.run(&format!("runs retry {run}{option}")).await.done();
            let again = store.find_run(user, run).await.unwrap().unwrap();
            assert_eq!(again.state, RunState::Queued);
        }
        let queued = program.run(&format!("runs retry {failed}")).await;
        assert!(queued.code == 1 && queued.err.contains("queued already"), "{queued:?}");
    }

    async fn a_mailbox_is_tried_out(database: TestDatabase) {
        let certificate = Certificate::generate();
        let imap = ImapServer::start(Encryption::tls(&certificate)).await;
        let smtp = SmtpServer::start(Encryption::start_tls(&certificate)).await;
        imap.add_account("ann@box.test", "open sesame");
        smtp.add_account("ann@box.test", "open sesame");
        imap.deliver("ann@box.test", b"Subject: x\r\n\r\nx");
        let endpoints = format!("{},{}", imap.address(), smtp.address());
        let program = Program::new(&database)
            .with("POSTKEY_NETWORK__PRIVATE_ENDPOINTS", &endpoints)
            .with("WORD", "open sesame");
        program.write("ca.pem", certificate.certificate_pem());
        program.write("box.toml", format!(
            "[[user]]\nemail = \"ann@example.com\"\nname = \"Ann\"\n[[user.mailbox]]\naddress = \"ann@box.test\"\n\
             imap = {{ host = \"127.0.0.1\", port = {}, password = \"env:WORD\", ca_file = \"ca.pem\" }}\n\
             smtp = {{ host = \"127.0.0.1\", port = {}, security = \"starttls\", password = \"env:WORD\", ca_file = \"ca.pem\" }}\n",
            imap.address().port(), smtp.address().port()));
        program.run("apply box.toml").await.done();

        let said = program.run("mailbox test ann@box.test").await.done();

        for line in ["logged in to 127.0.0.1", "IDLE", "MOVE", "UIDPLUS", "SPECIAL-USE", "1 mails", "can be used"] {
            assert!(said.contains(line), "{said}");
        }
        assert_eq!(said.matches("logged in").count(), 2, "{said}");
        let program = program.with("WORD", "wrong");
        program.run("apply box.toml").await.done();
        let refused = program.run("mailbox test ann@box.test").await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("did not accept the login") && !refused.err.contains("wrong\""), "{refused:?}");
    }

    async fn serve_prints_its_configuration_and_ends_at_sigterm(database: TestDatabase) {
        let program = Program::new(&database);
        let child = program.command(&["serve"]).stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped()).spawn().unwrap();
        let pid = child.id().unwrap().to_string();
        let store = migrated(&program, &database).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let killed = tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        assert!(killed.success());
        let ended = tokio::time::timeout(std::time::Duration::from_secs(20), child.wait_with_output()).await;
        let ended = ended.expect("it ends soon").unwrap();
        let (out, err) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
        assert!(ended.status.success(), "{err}");
        assert!(out.contains("[database]") && out.contains("[worker]"), "{out}");
        let password = url::Url::parse(database.url()).ok().and_then(|url| url.password().map(str::to_owned));
        assert!(password.is_none_or(|password| !out.contains(&password) && !err.contains(&password)));
        assert!(!out.contains("AAECAwQF") && !err.contains("AAECAwQF"), "{out}{err}");
        drop(store);
    }

    async fn serve_may_open_as_many_files_as_the_system_allows(database: TestDatabase) {
        let program = Program::new(&database).with("POSTKEY_HTTP__LISTEN", "127.0.0.1:0");
        let serve = program.command(&["serve"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -Sn 200; exec \"$0\" serve"]).arg(serve.as_std().get_program());
        for (name, value) in serve.as_std().get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        limited.current_dir(program.folder()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let serving = limited.spawn().unwrap();
        let limits = format!("/proc/{}/limits", serving.id().unwrap());
        until("the limit is raised", Duration::from_secs(20), || async {
            let limits = std::fs::read_to_string(&limits).unwrap();
            let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
            let [soft, hard] = [3, 4].map(|word| files.split_whitespace().nth(word).unwrap());
            soft == hard
        })
        .await;
    }

    async fn a_wrong_configuration_names_the_nearest_key(database: TestDatabase) {
        let program = Program::new(&database);
        program.write("workers.toml", "[worker]\nconcurency = 3\n");
        let ended = program.run("user list").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("`concurrency`"), "{ended:?}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_an_error_of_the_configuration() {
    for (url, hint) in [
        ("sqlite://", "sqlite://postkey.db"),
        ("sqlite:", "sqlite://postkey.db"),
        ("sqlite://?mode=rwc", "sqlite://postkey.db"),
        ("sqlite::memory:", "must name a file"),
        ("sqlite://:memory:", "must name a file"),
        ("sqlite://%3Amemory%3A", "must name a file"),
        ("sqlite://rows.db?mode=memory", "must name a file"),
        ("sqlite:file:rows.db", "must name a file"),
        ("sqlite://rows.db?mood=memory", "no SQLite URL"),
        ("mysql://u:hunter2@127.0.0.1/rows", "must begin with sqlite: or postgres://"),
        ("rows.db", "must begin with sqlite: or postgres://"),
    ] {
        let program = Program::alone().with("POSTKEY_DATABASE__URL", url);
        let ended = program.run("migrate").await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{url}: {ended:?}");
        assert!(ended.err.contains("POSTKEY_DATABASE__URL") && ended.err.contains(hint), "{url}: {ended:?}");
        assert!(!ended.err.contains("hunter2"), "{ended:?}");
    }
}

#[tokio::test]
async fn destinations_of_the_operator_that_can_never_be_reached_are_refused_at_start() {
    let key = "[platform_key]\nprovider = \"openai_compatible\"\nmodel = \"m\"\napi_key = \"env:KEY\"\n";
    let mail = "[operator_mail]\nfrom = \"post@example.org\"\n";
    for (text, named) in [
        (
            format!("{key}base_url = \"http://127.0.0.1:9/v1\"\n"),
            "platform_key.base_url must be on the public",
        ),
        (
            format!("{key}base_url = \"http://ai.example.org/v1\"\n"),
            "platform_key.base_url must begin with https",
        ),
        (format!("{mail}host = \"10.0.0.7\"\n"), "operator_mail.host must be on the public"),
        (format!("{mail}host = \"mail.example.org\"\nsecurity = \"none\"\n"), "operator_mail.security none"),
        (format!("{mail}host = \"mail.example.org\"\nport = 4650\n"), "operator_mail.port must be 465"),
        (format!("{mail}host = \"mail example\"\n"), "operator_mail.host must be a host name"),
    ] {
        let program = Program::alone().with("POSTKEY_KEKS", KEKS).with("KEY", "sk-test-0123456789abcdef");
        program.write("workers.toml", &text);
        let ended = ended_soon(&program, "serve").await;
        assert_eq!(ended.code, 2, "{text}: {ended:?}");
        let advised = named.ends_with("a host name") || ended.err.contains("network.private_endpoints");
        assert!(ended.err.contains(named) && advised, "{text}: {ended:?}");
        assert!(!program.folder().join("postkey.db").exists(), "{text}");
    }
}

#[tokio::test]
async fn the_lock_of_a_file_is_its_owners_alone() {
    let program = Program::alone().with("POSTKEY_KEKS", KEKS);
    let lock = program.write("postkey.db.lock", "");
    std::fs::set_permissions(&lock, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _serving = program.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("its mode is mended", Duration::from_secs(20), || async {
        std::fs::metadata(&lock).unwrap().permissions().mode() & 0o777 == 0o600
    })
    .await;
    until("it is held", Duration::from_secs(20), || async {
        let lock = std::fs::File::open(&lock).unwrap();
        lock.try_lock().is_err()
    })
    .await;
    let second = ended_soon(&program, "serve").await;
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.err.contains("another postkey serves postkey.db;"), "{second:?}");
}

#[tokio::test]
async fn an_empty_variable_names_no_configuration() {
    let program = Program::alone().with("POSTKEY_CONFIG", "");
    program.write("workers.toml", "[database]\nurl = \"sqlite://rows.db\"\n");
    program.run("migrate").await.done();
    assert!(program.folder().join("rows.db").exists());
    let program = program.with("POSTKEY_CONFIG", "other.toml");
    let ended = program.run("migrate").await;
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("other.toml: cannot be read"), "{ended:?}");
    program.write("mine.toml", "");
    program.run("--config mine.toml migrate").await.done();
    assert_eq!(program.run_arguments(&["--config", "", "migrate"]).await.code, 2);
}

#[tokio::test]
async fn a_file_with_another_name_than_its_url_is_found() {
    let program = Program::alone().with("POSTKEY_DATABASE__URL", "sqlite://my%20rows.db");
    program.run("migrate").await.done();
    assert!(program.folder().join("my rows.db").exists());
    program.run("user list").await.done();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let program = Program::alone().with("POSTKEY_DATABASE__URL", "postgres://u:hunter2@127.0.0.1:1/rows");
    let began = Instant::now();
    let ended = program.run("migrate").await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("Connection refused") && !ended.err.contains("hunter2"), "{ended:?}");
}

#[tokio::test]
async fn serve_waits_for_its_server_and_says_so() {
    let program = Program::alone()
        .with("POSTKEY_DATABASE__URL", "postgres://u:hunter2@127.0.0.1:1/rows")
        .with("POSTKEY_DATABASE__ACQUIRE_TIMEOUT", "2s")
        .with("POSTKEY_KEKS", KEKS);
    let ended = program.run("serve").await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("waiting for the server that database.url names"), "{ended:?}");
    assert!(ended.err.matches("Connection refused").count() > 1 && !ended.err.contains("pool"), "{ended:?}");
    assert!(!ended.err.contains("hunter2") && !ended.out.contains("hunter2"), "{ended:?}");
}

// The proxy goes on while the database is dropped, which waits for whoever is just connecting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_goes_on_when_its_postgres_has_started() {
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(database.server_address()).await;
    proxy.take_away();
    let program = Program::new(&database).with("POSTKEY_DATABASE__URL", &database.url_through(&proxy));
    let _serving = program.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it has tried again", Duration::from_secs(20), async || proxy.connections() >= 2).await;
    proxy.bring_back();
    migrated(&Program::new(&database), &database).await;
}

/// A command that is to be refused; one that goes on is given up.
async fn ended_soon(program: &Program, line: &str) -> Ended {
    let ended = tokio::time::timeout(Duration::from_secs(20), program.run(line)).await;
    ended.unwrap_or_else(|_| panic!("`{line}` goes on"))
}

/// Once the served database has its tables.
async fn migrated(program: &Program, database: &TestDatabase) -> Store {
    crate::support::wait::until("the tables", std::time::Duration::from_secs(20), || async {
        program.run("user list").await.code == 0
    })
    .await;
    open_store(database, Clock::system()).await
}

/// Runs that ended like this, oldest first.
async fn held_runs(
    database: &TestDatabase,
    ends: &[(RunState, Option<&'static str>)],
) -> (Store, UserId, Vec<RunId>) {
    let store = open_store(database, Clock::system()).await;
    let mailbox = new_mailbox(&store, "ann").await;
    let runs = enqueue(&store, mailbox, u32::try_from(ends.len()).unwrap()).await;
    let limits = ClaimLimits { most: 100, per_user: 100, lease: std::time::Duration::from_secs(60) };
    let claims = store.claim_runs(Holder::new(store.clock()), limits).await.unwrap();
    let verdicts = runs.iter().zip(ends).map(|(run, (state, reason))| Verdict {
        lease: claims.iter().find(|claim| claim.id == *run).unwrap().lease(),
        state: *state,
        reason: *reason,
        detail: None,
        due: Due::Never,
        counts: false,
        untouched: false,
    });
    store.end_leases(verdicts.collect()).await.unwrap();
    (store, mailbox.user, runs)
}
