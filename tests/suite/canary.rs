//! Secrets that are easy to find again are taken everywhere, and then looked for everywhere (SR-27): nothing that
//! the program prints, logs or stores may hold one, in whatever form.

mod forms;

use std::path::Path;
use std::process::Stdio;

use postkey::clock::Clock;
use postkey::store::RunState;
use tokio::process::Child;

use self::forms::forms;
use crate::support::database::{TestDatabase, on_both};
use crate::support::imap_server::{self, ImapServer};
use crate::support::loopback::Encryption;
use crate::support::program::Program;
use crate::support::provider_server::{Answer, ProviderServer};
use crate::support::raw::texts;
use crate::support::rows::open_store;
use crate::support::smtp_server::{self, SmtpServer};
use crate::support::wait::until;
use crate::support::world::{count, letter};

const ADDRESS: &str = "ann@shop.test";
const LONG: std::time::Duration = std::time::Duration::from_secs(60);

/// The secrets of one run of the test.
struct Canaries {
    key: String,
    imap: String,
    smtp: String,
}

impl Canaries {
    fn new() -> Self {
        let random = || uuid::Uuid::from_bytes(rand::random()).simple().to_string();
        Self {
            key: format!("sk-CANARY-{}", random()),
            imap: format!("imap-CANARY-{}", random()),
            smtp: format!("smtp-CANARY-{}", random()),
        }
    }

    /// Texts none of which may turn up.
    fn forms(&self) -> Vec<Vec<u8>> {
        [&self.key, &self.imap, &self.smtp].into_iter().flat_map(|secret| forms(secret)).collect()
    }
}

/// The servers around the program.
struct Scene {
    imap: ImapServer,
    smtp: SmtpServer,
    provider: ProviderServer,
    program: Program,
}

impl Scene {
    async fn begin(database: &TestDatabase, canaries: &Canaries) -> Self {
        let imap = ImapServer::start(Encryption::None).await;
        let smtp = SmtpServer::start(Encryption::None).await;
        let provider = ProviderServer::start().await;
        imap.add_account(ADDRESS, &canaries.imap);
        smtp.add_account(ADDRESS, &canaries.smtp);
        let program = Program::new(database);
        let endpoints = [imap.address(), smtp.address(), provider.address()].map(|at| at.to_string());
        program.write(
            "workers.toml",
            format!(
                "[worker]\nretry_first = \"1s\"\nretry_factor = 1\n\
                 [mailbox]\nreconnect_first = \"50ms\"\nreconnect_longest = \"1s\"\nrefresh = \"200ms\"\n\
                 [smtp]\nretry_first = \"1s\"\n[network]\nprivate_endpoints = {endpoints:?}\n[log]\nfilter = \"trace\"\n"
            ),
        );
        let scene = Self { imap, smtp, provider, program };
        scene.program.write("accounts.toml", scene.accounts(canaries));
        scene
    }

    fn accounts(&self, canaries: &Canaries) -> String {
        let server = |at: std::net::SocketAddr, password: &str| {
            format!(
                "{{ host = \"{}\", port = {}, security = \"none\", username = \"{ADDRESS}\", password = {password:?} }}",
                at.ip(),
                at.port()
            )
        };
        format!(
            "[[user]]\nemail = \"ann@owner.test\"\nname = \"Ann\"\n\
             [[user.ai_config]]\nprovider = \"openai_compatible\"\napi_key = {:?}\nbase_url = {:?}\nmodel = \"m\"\n\
             [[user.mailbox]]\naddress = \"{ADDRESS}\"\nimap = {}\nsmtp = {}\n\
             [[user.agent]]\nname = \"Desk\"\ntype = \"email_inbound\"\nmailbox = \"{ADDRESS}\"\n\
             instructions = \"Answer.\"\n",
            canaries.key,
            self.provider.base_url(),
            server(self.imap.address(), &canaries.imap),
            server(self.smtp.address(), &canaries.smtp),
        )
    }

    /// Everybody outside repeats our secrets to us when they complain.
    fn complain(&self, canaries: &Canaries) {
        let said = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let body = format!("{{\"error\":{{\"message\":\"bad key {0}\",\"code\":\"{0}\"}}}}", canaries.key);
        for status in [500, 400 + 29, 503] {
            self.provider.next(&canaries.key, Answer::status(status, &body).header("retry-after", "1"));
        }
        self.provider.next(&canaries.key, Answer::status(200, &body));
        let no = said(format!("[UNAVAILABLE] not with {}", canaries.imap));
        self.imap.rule(imap_server::Rule::on("LOGIN", imap_server::Fault::No(no)).times(2));
        let later = said(format!("454 4.7.0 not with {} now", canaries.smtp));
        self.smtp
            .rule(smtp_server::Rule::at(smtp_server::Step::Auth, smtp_server::Fault::Reply(later)).times(1));
        let refused = said(format!("451 4.3.0 {} {}", canaries.key, canaries.smtp));
        self.smtp.rule(
            smtp_server::Rule::at(smtp_server::Step::RcptTo, smtp_server::Fault::Reply(refused)).times(1),
        );
    }

    fn serve(&self) -> Child {
        let log = |name: &str| Stdio::from(std::fs::File::create(self.program.write(name, "")).unwrap());
        let mut command = self.program.command(&["serve", "--config", "workers.toml"]);
        command.stdout(log("serve.out")).stderr(log("serve.err")).spawn().unwrap()
    }

    /// What people see who look at everything.
    async fn look_around(&self) -> String {
        let mut seen = String::new();
        for line in [
            "apply accounts.toml",
            "user list",
            "user show ann@owner.test",
            "config list",
            "config show openai_compatible",
            "mailbox list",
            "mailbox show ann@shop.test",
            "mailbox test ann@shop.test",
            "agent list",
            "agent show Desk",
            "runs list",
            "notices",
        ] {
            let arguments: Vec<&str> = line.split(' ').chain(["--config", "workers.toml"]).collect();
            let ended = self.program.run_arguments(&arguments).await;
            seen.push_str(&format!("{line}: {}\n{}\n{}\n", ended.code, ended.out, ended.err));
        }
        seen
    }
}

/// All rows of all tables as text, or the file with its write-ahead log.
async fn stored(database: &TestDatabase) -> Vec<u8> {
    if !database.is_postgres() {
        let path = database.url().trim_start_matches("sqlite://");
        let read = |suffix: &str| std::fs::read(format!("{path}{suffix}")).unwrap_or_default();
        return ["", "-wal", "-shm", ".lock"].into_iter().flat_map(read).collect();
    }
    let tables = "SELECT table_name::TEXT FROM information_schema.tables WHERE table_schema = 'public'";
    let mut rows = Vec::new();
    for table in texts(database, tables).await {
        rows.extend(texts(database, &format!("SELECT row_to_json(t)::TEXT FROM \"{table}\" AS t")).await);
    }
    rows.join("\n").into_bytes()
}

fn assert_free_of(canaries: &Canaries, place: &str, bytes: &[u8]) {
    assert!(!bytes.is_empty(), "{place} is empty: this tests nothing");
    for form in canaries.forms() {
        let found = bytes.windows(form.len()).position(|window| window == form);
        assert!(found.is_none(), "{place} holds {:?} at {found:?}", String::from_utf8_lossy(&form));
    }
}

on_both! {
    async fn no_secret_is_found_in_what_is_printed_logged_or_stored(database: TestDatabase) {
        let canaries = Canaries::new();
        let scene = Scene::begin(&database, &canaries).await;
        let applied = scene.program.run("apply accounts.toml --config workers.toml").await;
        assert_eq!(applied.code, 0, "{applied:?}");
        scene.complain(&canaries);
        let mut served = scene.serve();
        let store = open_store(&database, Clock::system()).await;
        let user = store.find_user_by_email("ann@owner.test").await.unwrap().unwrap().id;
        for number in 1..=3 {
            scene.imap.deliver(ADDRESS, &letter(number, ADDRESS));
        }
        until("all are replied", LONG, async || count(&store, user, RunState::Replied).await == 3).await;
        let looked = scene.look_around().await;
        assert!(looked.contains("sk-CANARY-..."), "the mask is gone, or this tests nothing:\n{looked}");
        served.kill().await.unwrap();
        let file = |name: &str| std::fs::read(scene.program.folder().join(name)).unwrap();
        let log = [file("serve.out"), file("serve.err")].concat();
        let printed = format!("{}{}{looked}", applied.out, applied.err);

        assert_free_of(&canaries, "the database", &stored(&database).await);
        assert_free_of(&canaries, "the log", &log);
        assert_free_of(&canaries, "what commands print", printed.as_bytes());
        let log = String::from_utf8_lossy(&log);
        for private in ["What about number", "person1@else.test", "Question 1", "You said"] {
            assert!(!log.contains(private), "the log tells {private:?} of a mail");
        }
    }

    async fn the_search_finds_what_is_there(database: TestDatabase) {
        let canaries = Canaries::new();
        let scene = Scene::begin(&database, &canaries).await;
        let file = std::fs::read(scene.program.folder().join(Path::new("accounts.toml"))).unwrap();
        let found = |form: &Vec<u8>| file.windows(form.len()).any(|window| window == form);
        assert!(canaries.forms().iter().filter(|form| found(form)).count() > 20);
    }
}
