//! `postkey apply`: the same file any number of times, all of it or nothing, and no secret anywhere.

mod faults;
mod rows;
mod rules;

use postkey::clock::Clock;
use postkey::store::{API_KEY_COLUMN, AmbiguousPolicy, Mode, Role, Store, columns};
use postkey::vault::Place;
use secrecy::ExposeSecret;

use self::rows::Rows;
use crate::support::database::{TestDatabase, on_both};
use crate::support::program::Program;
use crate::support::rows::open_store;
use crate::support::world::test_vault;

/// Every secret of [`FILE`] and of the program's variables.
const SECRETS: [&str; 4] = [
    "sk-proj-inline-0123456789abcdef0123456789",
    "word \"from\\ é file",
    "word from variable",
    "sign in, please",
];

const FILE: &str = r#"
[[user]]
email = "Ann@example.com"
name = "Ann Example"
password = "env:ANN_PASSWORD"

[[user.ai_config]]
provider = "openai"
api_key = "sk-proj-inline-0123456789abcdef0123456789"
model = "gpt-5-mini"
temperature = 0.3

[[user.mailbox]]
address = "support@example.com"
aliases = ["help@example.com"]
imap = { host = "imap.example.com", port = 993, security = "tls", username = "ann", password = "file:word" }
smtp = { host = "smtp.example.com", security = "starttls", password = "env:SMTP_WORD" }

[[user.agent]]
name = "Support"
type = "email_inbound"
mailbox = "support@example.com"
instructions = """
You answer questions about orders.
Be brief."""
mode = "draft"
"#;

fn program(database: &TestDatabase) -> Program {
    let program = Program::new(database).with("ANN_PASSWORD", SECRETS[3]).with("SMTP_WORD", SECRETS[2]);
    program.write("word", format!("{}\n", SECRETS[1]));
    program.write("accounts.toml", FILE);
    program
}

on_both! {
    async fn the_first_run_makes_and_the_second_changes_nothing(database: TestDatabase) {
        let program = program(&database);
        let first = program.run("apply accounts.toml").await.done();
        assert!(first.ends_with("4 made, 0 changed, 0 left as they were\n"), "{first}");
        let before = Rows::read(&database).await;

        let second = program.run("apply accounts.toml").await.done();

        assert!(second.ends_with("0 made, 0 changed, 4 left as they were\n"), "{second}");
        assert_eq!(second.matches("left  ").count(), 4, "{second}");
        assert_eq!(Rows::read(&database).await, before);
    }

    async fn what_is_applied_is_what_the_file_says(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();

        let store = open_store(&database, Clock::system()).await;
        let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap();
        let hash = user.password_hash.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let configuration = store.find_ai_configuration(user.id, None).await.unwrap().expect("a default");
        assert_eq!((configuration.provider.as_str(), configuration.temperature), ("openai", Some(0.3)));
        assert_eq!(configuration.api_key_mask, "sk-proj-in...");
        let mailbox = store.list_mailboxes(user.id).await.unwrap().remove(0);
        assert_eq!((mailbox.folder.as_str(), mailbox.aliases), ("INBOX", vec!["help@example.com".to_owned()]));
        assert_eq!((mailbox.imap.username.as_str(), mailbox.imap.port), ("ann", 993));
        assert_eq!((mailbox.smtp.username.as_str(), mailbox.smtp.port), ("support@example.com", 587));
        assert_eq!(mailbox.smtp.security, "starttls");
        let agent = store.list_agents(user.id).await.unwrap().remove(0);
        assert_eq!((agent.mailbox_id, agent.mode), (Some(mailbox.id), Mode::Draft));
        assert_eq!((agent.ambiguous, agent.allow_platform_key), (AmbiguousPolicy::Hold, false));
        assert_eq!(agent.instructions, "You answer questions about orders.\nBe brief.");
    }

    async fn secrets_open_in_their_own_place_only(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();

        let store = open_store(&database, Clock::system()).await;
        let vault = test_vault();
        let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap();
        let configuration = store.find_ai_configuration(user.id, None).await.unwrap().unwrap();
        let place = Place {
            column: API_KEY_COLUMN,
            owner: user.id.uuid(),
            record: configuration.id.uuid(),
            provider: "openai",
        };
        assert_eq!(vault.open(&place, &configuration.api_key).unwrap().expose_secret(), SECRETS[0]);
        let mailbox = store.list_mailboxes(user.id).await.unwrap().remove(0);
        let imap = mailbox.imap.password.clone().unwrap();
        let opened = vault.open(&mailbox.place(columns::IMAP_PASSWORD), &imap).unwrap();
        assert_eq!(opened.expose_secret(), SECRETS[1]);
        let smtp = mailbox.smtp.password.clone().unwrap();
        let opened = vault.open(&mailbox.place(columns::SMTP_PASSWORD), &smtp).unwrap();
        assert_eq!(opened.expose_secret(), SECRETS[2]);
        assert!(vault.open(&mailbox.place(columns::SMTP_PASSWORD), &imap).is_err());
    }

    async fn a_changed_entry_is_changed_and_its_neighbours_are_left(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();
        let before = mailbox_time(&database).await;
        program.write("accounts.toml", FILE.replace("gpt-5-mini", "gpt-5").replace("\"draft\"", "\"automatic\""));

        let out = program.run("apply accounts.toml").await.done();

        assert!(out.ends_with("0 made, 2 changed, 2 left as they were\n"), "{out}");
        let line = |kind: &str| out.lines().find(|line| line.contains(kind)).unwrap().to_owned();
        assert!(line("ai_config").starts_with("changed") && line("ai_config").ends_with("model"), "{out}");
        assert!(line("agent").starts_with("changed") && line("agent").ends_with("mode"), "{out}");
        assert_eq!(mailbox_time(&database).await, before);
    }

    async fn a_new_password_is_sealed_and_hashed_anew(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();
        let program = program.with("ANN_PASSWORD", "another word").with("SMTP_WORD", "another one");

        let out = program.run("apply accounts.toml").await.done();

        assert!(out.contains("password") && out.contains("secrets"), "{out}");
        assert!(out.ends_with("0 made, 2 changed, 2 left as they were\n"), "{out}");
        let again = program.run("apply accounts.toml").await.done();
        assert!(again.ends_with("0 made, 0 changed, 4 left as they were\n"), "{again}");
    }

    async fn what_the_file_leaves_out_is_left_alone(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();
        let agent = "[[user]]\nemail = \"ann@example.com\"\n[[user.agent]]\nname = \"Second\"\n\
                     mailbox = \"support@example.com\"\naddress = \"support+second@example.com\"\n\
                     ai_config = \"openai\"\ninstructions = \"Be kind.\"\n";
        program.write("more.toml", agent);

        let out = program.run("apply more.toml").await.done();

        assert!(out.ends_with("1 made, 0 changed, 1 left as they were\n"), "{out}");
        let rows = Rows::read(&database).await;
        assert_eq!(rows.counts(), [1, 1, 1, 2]);
        // A setting that an entry leaves out stays as well; an empty one is taken away.
        let without = FILE.replace("temperature = 0.3\n", "").replace("mode = \"draft\"\n", "");
        program.write("accounts.toml", &without);
        let out = program.run("apply accounts.toml").await.done();
        assert!(out.ends_with("0 made, 0 changed, 4 left as they were\n"), "{out}");
        program.write("accounts.toml", FILE.replace("temperature = 0.3", "temperature = \"\""));
        let out = program.run("apply accounts.toml").await.done();
        assert!(out.ends_with("0 made, 1 changed, 3 left as they were\n"), "{out}");
    }

    async fn the_example_in_the_documentation_works(database: TestDatabase) {
        let page = include_str!("../../src/cli/apply/mod.rs");
        let lines = page.lines().filter_map(|line| line.strip_prefix("//!")).map(|line| line.trim_start());
        let lines = lines.skip_while(|line| *line != "```toml").skip(1).take_while(|line| *line != "```");
        let program = Program::new(&database)
            .with("ANN_PASSWORD", SECRETS[3])
            .with("ANN_OPENAI_KEY", "sk-proj-0123456789abcdef")
            .with("SUPPORT_PASSWORD", SECRETS[2]);
        program.write("example.toml", lines.collect::<Vec<_>>().join("\n"));

        let ended = program.run("apply example.toml").await;

        assert_eq!(ended.err, "");
        assert!(ended.done().ends_with("4 made, 0 changed, 0 left as they were\n"));
    }

    async fn a_dry_run_writes_nothing(database: TestDatabase) {
        let program = program(&database);
        let out = program.run("apply --dry-run accounts.toml").await.done();
        assert!(out.contains("to do: 4 made"), "{out}");
        let ended = program.run("user list").await;
        assert!(ended.code == 1 && ended.err.contains("has no tables yet"), "{ended:?}");
        program.run("apply accounts.toml").await.done();
        let out = program.run("apply --dry-run accounts.toml").await.done();
        assert!(out.contains("to do: 0 made, 0 changed, 4 left"), "{out}");
        program.write("accounts.toml", FILE.replace("gpt-5-mini", "gpt-5"));
        let before = Rows::read(&database).await;
        let out = program.run("apply --dry-run accounts.toml").await.done();
        assert!(out.contains("to do: 0 made, 1 changed"), "{out}");
        assert_eq!(Rows::read(&database).await, before);
    }

    async fn a_role_is_given_changed_and_left(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();
        assert!(program.run("user show ann@example.com").await.done().contains("role               user"));
        program.write("accounts.toml", FILE.replace("name = \"Ann Example\"", "name = \"Ann Example\"\nrole = \"admin\""));
        let out = program.run("apply accounts.toml").await.done();
        assert!(out.ends_with("0 made, 1 changed, 3 left as they were\n") && out.contains("role"), "{out}");
        program.write("accounts.toml", FILE);
        let out = program.run("apply accounts.toml").await.done();
        assert!(out.ends_with("0 made, 0 changed, 4 left as they were\n"), "{out}");
        let store = open_store(&database, Clock::system()).await;
        let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap();
        assert_eq!(user.role, Role::Admin);
    }

    async fn no_secret_is_printed_and_the_inline_one_is_warned_of(database: TestDatabase) {
        let program = program(&database);
        let mut said = String::new();
        for line in [
            "apply accounts.toml",
            "apply accounts.toml",
            "user list",
            "user show ann@example.com",
            "agent show Support",
            "mailbox show support@example.com",
            "config list",
            "config show openai",
        ] {
            let ended = program.run(line).await;
            assert_eq!(ended.code, 0, "{ended:?}");
            let warnings = ended.err.matches("is written out in the file").count();
            assert_eq!(warnings, usize::from(line.starts_with("apply")), "{ended:?}");
            said = said + &ended.out + &ended.err;
        }
        for secret in SECRETS {
            assert!(!said.contains(secret), "{said}");
        }
        assert!(said.contains("sk-proj-in..."), "{said}");
    }

    async fn another_ai_configuration_becomes_the_default_when_it_says_so(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();
        let other = "[[user]]\nemail = \"ann@example.com\"\n[[user.ai_config]]\nprovider = \"gemini\"\n\
                     api_key = \"AIzaSyA0123456789abcdef\"\nmodel = \"gemini-flash\"\ndefault = true\n";
        program.write("more.toml", other);

        program.run("apply more.toml").await.done();

        let store = open_store(&database, Clock::system()).await;
        assert_eq!(default_provider(&store).await, "gemini");
        // The first file does not say which one is the default, so it leaves that alone.
        let out = program.run("apply accounts.toml").await.done();
        assert!(out.ends_with("0 made, 0 changed, 4 left as they were\n"), "{out}");
        assert_eq!(default_provider(&store).await, "gemini");
    }
}

async fn default_provider(store: &Store) -> String {
    let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap();
    store.find_ai_configuration(user.id, None).await.unwrap().unwrap().provider
}

async fn mailbox_time(database: &TestDatabase) -> postkey::clock::Timestamp {
    let store = open_store(database, Clock::system()).await;
    let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap();
    store.list_mailboxes(user.id).await.unwrap().remove(0).updated_at
}
