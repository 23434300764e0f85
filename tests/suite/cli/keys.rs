//! The vault's keys, as an operator handles them.

use std::process::Stdio;
use std::time::Duration;

use postkey::clock::Clock;
use postkey::store::{MailboxState, NewNotice};

use super::ended_soon;
use crate::support::database::on_both;
use crate::support::program::Program;
use crate::support::raw::{execute, texts};
use crate::support::rows::open_store;
use crate::support::wait::until;
use crate::support::world::KEKS;

/// Another key than that of [`KEKS`].
const OTHER_KEKS: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

const TWO_MAILBOXES: &str = r#"
[[user]]
email = "ann@example.com"
name = "Ann"
[[user.mailbox]]
address = "one@example.com"
imap = { host = "imap.invalid", password = "first word" }
smtp = { host = "smtp.invalid", password = "first word" }
[[user.mailbox]]
address = "two@example.com"
imap = { host = "imap.invalid", password = "second word" }
smtp = { host = "smtp.invalid", password = "second word" }
"#;

on_both! {
    async fn a_generated_key_starts_a_vault(database: TestDatabase) {
        let program = Program::new(&database).with("POSTKEY_KEKS", "");
        program.write("users.toml", "[[user]]\nemail = \"ann@example.com\"\nname = \"Ann\"\n");
        let without = program.run("apply users.toml").await;
        assert_eq!(without.code, 2, "{without:?}");
        assert!(without.err.contains("postkey keys generate"), "{without:?}");

        let generated = program.run("keys generate").await.done();

        let lines = generated.lines().filter(|line| !line.starts_with('#'));
        let [line] = lines.collect::<Vec<_>>()[..] else { panic!("not one line that does something: {generated}") };
        let key = line.strip_prefix("export POSTKEY_KEKS='").unwrap().strip_suffix('\'').unwrap();
        assert!(generated.contains("BACK IT UP"), "{generated}");
        let mut program = program.with("POSTKEY_KEKS", key);
        program.run("apply users.toml").await.done();

        for bad in ["k1", "k1:AAAA", "k1:AAAA,k1:AAAA"] {
            let malformed = program.with("POSTKEY_KEKS", bad);
            let ended = malformed.run("apply users.toml").await;
            assert_eq!(ended.code, 2, "{ended:?}");
            program = malformed;
        }
        let program = program.with("POSTKEY_KEKS", key);

        // Another key under the same name is recognised before it seals anything (SR-21).
        let other = program.run("keys generate").await.done();
        let other = other.lines().find_map(|line| line.strip_prefix("export POSTKEY_KEKS='")).unwrap();
        let program = program.with("POSTKEY_KEKS", other.trim_end_matches('\''));
        let wrong = program.run("apply users.toml").await;
        assert_eq!(wrong.code, 2, "{wrong:?}");
        assert!(wrong.err.contains("restore the right key"), "{wrong:?}");
        let program = program.with("POSTKEY_KEKS", OTHER_KEKS);
        let unknown = program.run("apply users.toml").await;
        assert_eq!(unknown.code, 2, "{unknown:?}");
        assert!(unknown.err.contains("key k1, which is not loaded"), "{unknown:?}");
        let program = program.with("POSTKEY_KEKS", "").with("POSTKEY_VAULT__KEKS_COMMAND", "/nonexistent now");
        let absent = program.run("apply users.toml").await;
        assert_eq!(absent.code, 2, "{absent:?}");
        assert!(absent.err.contains("/nonexistent"), "{absent:?}");
    }

    async fn what_keys_generate_prints_can_be_the_file_of_keys(database: TestDatabase) {
        let program = Program::new(&database).with("POSTKEY_KEKS", "").with("POSTKEY_VAULT__KEKS_FILE", "kek");
        program.write("kek", program.run("keys generate").await.done());
        program.write("users.toml", "[[user]]\nemail = \"ann@example.com\"\nname = \"Ann\"\n");
        program.run("apply users.toml").await.done();
    }

    async fn a_key_that_secrets_still_need_is_missed_at_the_start(database: TestDatabase) {
        let program = Program::new(&database);
        program.write("accounts.toml", TWO_MAILBOXES);
        program.run("apply accounts.toml").await.done();
        let both = format!("{OTHER_KEKS},{KEKS}");
        let program = program.with("POSTKEY_KEKS", &both).with("POSTKEY_KEK_ACTIVE", "k2");
        program.write("users.toml", "[[user]]\nemail = \"bob@example.com\"\nname = \"Bob\"\n");
        program.run("apply users.toml").await.done();

        let program = program.with("POSTKEY_KEKS", OTHER_KEKS);
        let missed = ended_soon(&program, "serve").await;

        assert_eq!(missed.code, 2, "{missed:?}");
        assert!(missed.err.contains("key k1, which is not loaded"), "{missed:?}");
        // What is entered again is sealed under the active key, and the old one has done its work.
        program.run("apply accounts.toml").await.done();
        let _serving = program.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let store = open_store(&database, Clock::system()).await;
        until("the mailboxes are watched", Duration::from_secs(20), || async {
            texts(&database, "SELECT address FROM mailboxes WHERE lease_until IS NOT NULL").await.len() == 2
        })
        .await;
        assert!(!store.is_sealed_under("k1").await.unwrap() && store.is_sealed_under("k2").await.unwrap());
    }

    async fn mailboxes_that_stopped_for_want_of_a_key_go_on_with_it(database: TestDatabase) {
        let program = Program::new(&database);
        program.write("accounts.toml", TWO_MAILBOXES);
        program.run("apply accounts.toml").await.done();
        let store = open_store(&database, Clock::system()).await;
        let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap().id;
        for mailbox in store.list_mailboxes(user).await.unwrap() {
            let notice = NewNotice {
                user,
                cause: format!("mailbox:{}", mailbox.id),
                kind: "secret_unreadable",
                sentence: "set it anew".to_owned(),
            };
            store.stop_mailbox(mailbox.id, mailbox.updated_at, notice).await.unwrap();
        }
        let spoilt = "UPDATE mailboxes SET imap_password = smtp_password WHERE address LIKE 'two@%'";
        assert_eq!(execute(&database, spoilt).await, 1);

        let _serving = program.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();

        until("the mailbox is watched again", Duration::from_secs(20), || async {
            let mailboxes = store.list_mailboxes(user).await.unwrap();
            let state = |address: &str| mailboxes.iter().find(|mailbox| mailbox.address == address).unwrap().state;
            state("one@example.com") == MailboxState::Active && state("two@example.com") == MailboxState::Stopped
        })
        .await;
        let notices = store.list_notices(user, None, 10).await.unwrap();
        assert_eq!(notices.iter().filter(|notice| notice.ended_at.is_none()).count(), 1, "{notices:?}");
    }
}
