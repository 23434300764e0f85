//! One bad entry changes nothing, and every fault is told at once with its place.

use super::rows::Rows;
use super::{FILE, SECRETS, program};
use crate::support::database::on_both;

const BAD: &str = r#"
nonsense = 1
[[user]]
email = "bob@example.com"
name = "Bob"
passwort = "x"
[[user.ai_config]]
provider = "openai"
api_key = "sk-ant-api03-0123456789abcdef"
model = "m"
base_url = "http://other.example.com/v1"
temperature = 9
[[user.mailbox]]
address = "bob@box.example.com"
folder = "IN\r\nBOX"
imap = { host = "localhost", port = 1143, security = "none", password = "env:NOT_THERE" }
smtp = { host = "smtp.example.com", password = "file:not-there" }
[[user.mailbox]]
address = "second@box.example.com"
imap = { host = "imap.example.com", port = 70000, password = "env:SMTP_WORD" }
[[user.agent]]
name = "A"
type = "chat"
mailbox = "bob@box.example.com"
instructions = "x"
mode = "auto"
"#;

/// Line, place and a part of each problem of [`BAD`].
const FAULTS: [(usize, &str, &str); 14] = [
    (2, "unknown key `nonsense`", "`user`"),
    (6, r#"user[0] "bob@example.com": unknown key `passwort`"#, "`password`"),
    (9, r#"user[0] "bob@example.com".ai_config[0].api_key"#, "Anthropic"),
    (11, r#"user[0] "bob@example.com".ai_config[0].base_url"#, "https://"),
    (12, r#"user[0] "bob@example.com".ai_config[0].temperature"#, "from 0 to 2"),
    (15, r#"user[0] "bob@example.com".mailbox[0].folder"#, "one line"),
    (16, r#"user[0] "bob@example.com".mailbox[0].imap.security"#, "private_endpoints"),
    (16, r#"user[0] "bob@example.com".mailbox[0].imap.port"#, "993 or 143"),
    (16, r#"user[0] "bob@example.com".mailbox[0].imap.password"#, "NOT_THERE is not set"),
    (17, r#"user[0] "bob@example.com".mailbox[0].smtp.password"#, "not-there cannot be read"),
    (18, r#"user[0] "bob@example.com".mailbox[1]"#, "`smtp` is missing"),
    (20, r#"user[0] "bob@example.com".mailbox[1].imap.port"#, "from 1 to 65535"),
    (23, r#"user[0] "bob@example.com".agent[0].type"#, "email_inbound"),
    (26, r#"user[0] "bob@example.com".agent[0].mode"#, r#""automatic" or "draft""#),
];

on_both! {
    async fn one_bad_entry_changes_nothing_and_every_fault_is_told(database: TestDatabase) {
        let program = program(&database);
        program.write("bad.toml", format!("{BAD}\n{FILE}"));
        assert_eq!(program.run("apply bad.toml").await.code, 2);
        assert!(program.run("user list").await.err.contains("has no tables yet"));
        program.run("migrate").await.done();

        let ended = program.run("apply bad.toml").await;

        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
        assert!(ended.err.contains("bad.toml has 14 errors; nothing was changed"), "{}", ended.err);
        for (line, place, problem) in FAULTS {
            let start = format!("  line {line}: {place}");
            let found = ended.err.lines().any(|said| said.starts_with(&start) && said.contains(problem));
            assert!(found, "not told: {start} .. {problem}\n{}", ended.err);
        }
        assert_eq!(Rows::read(&database).await.counts(), [0, 0, 0, 0]);
        for secret in SECRETS.iter().chain(&["sk-ant-api03-0123456789abcdef"]) {
            assert!(!ended.err.contains(secret), "{}", ended.err);
        }
    }

    async fn a_bad_entry_leaves_what_is_there_as_it_is(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();
        let before = Rows::read(&database).await;
        program.write("bad.toml", FILE.replace("gpt-5-mini", "gpt-5").replace("\"draft\"", "\"auto\""));

        let ended = program.run("apply bad.toml").await;

        assert_eq!(ended.code, 2, "{ended:?}");
        assert_eq!(Rows::read(&database).await, before);
    }

    async fn references_that_lead_nowhere_are_faults(database: TestDatabase) {
        let program = program(&database);
        let lost = "[[user]]\nemail = \"eve@example.com\"\n[[user.agent]]\nname = \"Lost\"\n\
                    mailbox = \"nowhere@example.com\"\nai_config = \"gemini\"\ninstructions = \"x\"\n";
        program.write("bad.toml", lost);

        let ended = program.run("apply bad.toml").await;

        assert_eq!(ended.code, 2, "{ended:?}");
        for problem in ["`name` is missing", "no mailbox nowhere@example.com", "no ai_config gemini"] {
            assert!(ended.err.contains(problem), "{}", ended.err);
        }
    }

    async fn two_agents_of_one_mailbox_need_addresses(database: TestDatabase) {
        let program = program(&database);
        let second = |address: &str| {
            format!(
                "{FILE}\n[[user.agent]]\nname = \"Second\"\nmailbox = \"support@example.com\"\n\
                 instructions = \"x\"\n{address}"
            )
        };
        program.write("two.toml", second(""));
        let ended = program.run("apply two.toml").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("agent[1].address: agent \"Support\" answers for this mailbox"), "{}", ended.err);

        program.write("two.toml", second("address = \"support+second@example.com\""));
        let out = program.run("apply two.toml").await.done();
        assert!(out.ends_with("5 made, 0 changed, 0 left as they were\n"), "{out}");
    }

    async fn two_mailboxes_do_not_read_the_same_folder_of_an_account(database: TestDatabase) {
        let program = program(&database);
        program.run("apply accounts.toml").await.done();
        // As when the owner's address is corrected in the file: the old owner stays, and goes on answering.
        program.write("renamed.toml", FILE.replace("Ann@example.com", "anna@example.com"));
        let ended = program.run("apply renamed.toml").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("support@example.com of ann@example.com reads the same folder"), "{}", ended.err);

        let paused = FILE.replace("aliases", "enabled = false\naliases");
        program.write("both.toml", format!("{paused}\n{}", FILE.replace("Ann@example.com", "anna@example.com")));
        program.run("apply both.toml").await.done();
        // Of two in one file neither need be stored.
        let second = "[[user.mailbox]]\naddress = \"sales@example.com\"\n\
                      imap = { host = \"IMAP.example.com\", username = \"eve\", password = \"x\" }\n\
                      smtp = { host = \"smtp.example.com\", password = \"x\" }\n\n[[user.agent]]";
        let twice = FILE.replace("Ann@example.com", "eve@example.com").replace("username = \"ann\"", "username = \"eve\"");
        program.write("twice.toml", twice.replace("[[user.agent]]", second));
        let ended = program.run("apply twice.toml").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("mailbox[1]: mailbox support@example.com of eve@example.com reads"), "{}", ended.err);
    }

    async fn what_stands_twice_is_a_fault(database: TestDatabase) {
        let program = program(&database);
        program.write("bad.toml", format!("{FILE}\n{FILE}"));
        let ended = program.run("apply bad.toml").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("line 29: user[1] \"Ann@example.com\": the same user stands in line 2"), "{}", ended.err);
    }

    async fn two_ai_configurations_need_one_default(database: TestDatabase) {
        let program = program(&database);
        let file = |first: &str, second: &str| {
            format!(
                "[[user]]\nemail = \"eve@example.com\"\nname = \"Eve\"\n\
                 [[user.ai_config]]\nprovider = \"openai\"\napi_key = \"sk-proj-0123456789\"\nmodel = \"m\"\n{first}\n\
                 [[user.ai_config]]\nprovider = \"openrouter\"\napi_key = \"sk-or-v1-0123456789\"\nmodel = \"m\"\n{second}\n"
            )
        };
        for (first, second) in [("", ""), ("default = true", "default = true"), ("default = false", "")] {
            program.write("bad.toml", file(first, second));
            let ended = program.run("apply bad.toml").await;
            assert_eq!(ended.code, 2, "{ended:?}");
            assert!(ended.err.contains("has 1 error;") && ended.err.contains("default = true"), "{}", ended.err);
        }
        program.write("good.toml", file("", "default = true"));
        program.run("apply good.toml").await.done();
    }

    async fn a_provider_without_a_server_of_its_own_needs_one(database: TestDatabase) {
        let program = program(&database);
        let file = |base_url: &str| {
            FILE.replace("provider = \"openai\"", &format!("provider = \"openai_compatible\"\n{base_url}"))
        };
        for (base_url, problem) in
            [("", "ai_config[0]: `base_url` is missing"), ("base_url = \"\"", "ai_config[0].base_url: must not be empty")]
        {
            program.write("bad.toml", file(base_url));
            let ended = program.run("apply bad.toml").await;
            assert_eq!(ended.code, 2, "{ended:?}");
            assert!(ended.err.contains("has 1 error") && ended.err.contains(problem), "{}", ended.err);
        }
        program.write("good.toml", file("base_url = \"https://ai.example.com/v1\""));
        program.run("apply good.toml").await.done();
    }

    async fn plain_text_is_for_listed_hosts_only(database: TestDatabase) {
        let program = program(&database).with("POSTKEY_NETWORK__PRIVATE_ENDPOINTS", "localhost:1143,localhost:8080");
        let file = FILE
            .replace("host = \"imap.example.com\", port = 993, security = \"tls\"",
                "host = \"localhost\", port = 1143, security = \"none\"")
            .replace("provider = \"openai\"",
                "provider = \"openai_compatible\"\nbase_url = \"http://localhost:8080/v1/\"");
        program.write("accounts.toml", &file);
        program.run("apply accounts.toml").await.done();
        let shown = program.run("config show openai_compatible").await.done();
        assert!(shown.contains("http://localhost:8080/v1\n"), "{shown}");
    }

    async fn a_broken_neighbour_hides_no_other_fault(database: TestDatabase) {
        let program = program(&database);
        // Whole agents are checked beside a broken one, each of their references by itself.
        program.write("bad.toml", "[[user]]\nemail = \"eve@example.com\"\nname = \"Eve\"\n\
            [[user.agent]]\nname = \"Broken\"\nmode = \"auto\"\n\
            [[user.agent]]\nname = \"Lost\"\nmailbox = \"nowhere@example.com\"\nai_config = \"gemini\"\ninstructions = \"x\"\n");
        let ended = program.run("apply bad.toml").await;
        for problem in ["or \"draft\"", "no mailbox nowhere@example.com", "no ai_config gemini"] {
            assert!(ended.err.contains(problem), "{}", ended.err);
        }
        // An AI configuration that cannot be read may be the one that is meant, but is no mailbox.
        program.write("bad.toml", "[[user]]\nemail = \"eve@example.com\"\nname = \"Eve\"\n\
            [[user.ai_config]]\nprovider = \"gemini\"\nmodel = \"m\"\n\
            [[user.agent]]\nname = \"Lost\"\nmailbox = \"nowhere@example.com\"\nai_config = \"gemini\"\ninstructions = \"x\"\n");
        let ended = program.run("apply bad.toml").await;
        assert!(ended.err.contains("has 2 errors"), "{}", ended.err);
        assert!(ended.err.contains("no mailbox nowhere@example.com") && !ended.err.contains("no ai_config"), "{}", ended.err);
    }

    async fn entries_with_faults_count_among_those_that_stand_twice(database: TestDatabase) {
        let program = program(&database);
        let user = "[[user]]\nemail = \"Eve@example.com\"\n\
            [[user.ai_config]]\nprovider = \"openai\"\ndefault = true\n\
            [[user.ai_config]]\nprovider = \"openai\"\ndefault = true\n\
            [[user.mailbox]]\naddress = \"eve@example.com\"\n\
            [[user.mailbox]]\naddress = \"EVE@example.com\"\n\
            [[user.agent]]\nname = \"A\"\n\
            [[user.agent]]\nname = \"A\"\n";
        program.write("bad.toml", format!("{user}{user}"));
        let ended = program.run("apply bad.toml").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        for (start, problem) in [
            ("line 6: user[0] \"Eve@example.com\".ai_config[1]: ", "the same ai_config stands in line 3"),
            ("line 8: user[0] \"Eve@example.com\".ai_config[1].default: ", "a user has one default"),
            ("line 11: user[0] \"Eve@example.com\".mailbox[1]: ", "the same mailbox stands in line 9"),
            ("line 15: user[0] \"Eve@example.com\".agent[1]: ", "the same agent stands in line 13"),
            ("line 17: user[1] \"Eve@example.com\": ", "the same user stands in line 1"),
        ] {
            let is_told = ended.err.lines().any(|line| line.contains(start) && line.contains(problem));
            assert!(is_told, "not told: {start}{problem}\n{}", ended.err);
        }
    }

    async fn a_host_that_can_never_be_reached_is_a_fault(database: TestDatabase) {
        let program = program(&database);
        let private = ["10.0.0.1", "169.254.169.254", "127.0.0.1", "2130706433", "0x7f.1", "::1", "[fd00::1]"];
        for (hosts, problem) in [
            (&private[..], "must be on the public internet"),
            (&["-x", "x-", "hunter2!", "a b", "mail..example.com"], "must be a host name"),
        ] {
            for host in hosts {
                program.write("bad.toml", FILE.replace("imap.example.com", host));
                let ended = program.run("apply bad.toml").await;
                assert_eq!(ended.code, 2, "{host}: {ended:?}");
                assert!(ended.err.contains("has 1 error") && ended.err.contains("imap.host: "), "{host}: {}", ended.err);
                assert!(ended.err.contains(problem), "{host}: {}", ended.err);
            }
        }
        for url in ["https://10.0.0.1/v1", "https://0x7f.1/v1", "https://[::1]/v1", "https://-x/v1"] {
            let file = FILE.replace("model = ", &format!("base_url = \"{url}\"\nmodel = "));
            program.write("bad.toml", &file);
            let ended = program.run("apply bad.toml").await;
            assert_eq!(ended.code, 2, "{url}: {ended:?}");
            assert!(ended.err.contains("has 1 error") && ended.err.contains("ai_config[0].base_url: must "), "{}", ended.err);
        }
        let program = program.with("POSTKEY_NETWORK__PRIVATE_ENDPOINTS", "10.0.0.1:993");
        for host in ["10.0.0.1", "mail_1.example.com", "93.184.216.34", "bücher.example"] {
            program.write("good.toml", FILE.replace("imap.example.com", host));
            program.run("apply --dry-run good.toml").await.done();
        }
    }

    async fn a_file_of_another_encoding_names_the_line(database: TestDatabase) {
        let program = program(&database);
        program.write("bad.toml", b"[[user]]\nname = \"Ren\xe9\"\n");
        let ended = program.run("apply bad.toml").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("line 2: is not UTF-8 text"), "{}", ended.err);
        program.write("ca.der", b"\x30\x82\xff");
        program.write("bad.toml", FILE.replace("username = \"ann\"", "ca_file = \"ca.der\""));
        let ended = program.run("apply bad.toml").await;
        assert!(ended.err.contains("ca.der holds no certificate in PEM form"), "{}", ended.err);
    }

    async fn a_broken_file_is_not_repeated(database: TestDatabase) {
        let program = program(&database);
        program.write("bad.toml", "[[user]]\npassword = \"sesame-open");
        let ended = program.run("apply bad.toml").await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("line 2: is not TOML") && !ended.err.contains("sesame"), "{}", ended.err);
    }
}
