//! What an owner lays down for an agent and a mailbox, written in a file and shown again.

use postkey::clock::Clock;
use postkey::store::{Limits, Reception, Rules, Store, WordList};

use super::{FILE, program};
use crate::support::database::{TestDatabase, on_both};
use crate::support::rows::open_store;

const RULES: &str = r#"link_domains = ["Example.com"]
allowed_senders = ["Bob@Example.org", "@friends.example"]
blocked_senders = ["spam.example"]
require_authenticated = true
limits = { per_thread_day = 2, per_agent_day = 50 }
"#;

const RECEPTION: &str =
    "authserv_id = \"mx.example.com\"\nanswer_copies = true\nplus_addressing = true\nimap = {";

async fn stored(database: &TestDatabase) -> (Rules, Reception) {
    let store: Store = open_store(database, Clock::system()).await;
    let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap();
    let agent = store.list_agents(user.id).await.unwrap().remove(0);
    (agent.rules, store.list_mailboxes(user.id).await.unwrap().remove(0).reception)
}

fn list(words: &[&str]) -> WordList {
    WordList(words.iter().map(|word| (*word).to_owned()).collect())
}

on_both! {
    async fn rules_are_stored_as_the_file_says_and_stay_where_it_leaves_them_out(database: TestDatabase) {
        let program = program(&database);
        program.write("accounts.toml", format!("{}{RULES}", FILE.replacen("imap = {", RECEPTION, 1)));
        program.run("apply accounts.toml").await.done();
        let (rules, reception) = stored(&database).await;
        let expected = Rules {
            link_domains: list(&["example.com"]),
            allowed_senders: list(&["bob@example.org", "friends.example"]),
            blocked_senders: list(&["spam.example"]),
            require_authenticated: true,
            limits: Limits { per_thread_day: Some(2), per_agent_day: Some(50), ..Limits::default() },
        };
        assert_eq!(rules, expected);
        assert_eq!(reception.authserv_id.as_deref(), Some("mx.example.com"));
        assert!(reception.answer_copies && !reception.answer_unaddressed);
        assert_eq!(reception.plus_addressing, Some(true));
        let again = program.run("apply accounts.toml").await.done();
        assert!(again.ends_with("0 made, 0 changed, 4 left as they were\n"), "{again}");
        program.write("accounts.toml", FILE);
        let left_out = program.run("apply accounts.toml").await.done();
        assert!(left_out.ends_with("0 made, 0 changed, 4 left as they were\n"), "{left_out}");
        assert_eq!(stored(&database).await.0, rules);
    }

    async fn plus_forms_that_would_be_too_long_are_told(database: TestDatabase) {
        let program = program(&database);
        let long = FILE.replace("support@example.com", "our-support-desk@example.com");
        let plus = "plus_addressing = true\nimap = {";
        let without_alias = long.replace("\"help@example.com\"", "");
        program.write("accounts.toml", without_alias.replacen("imap = {", plus, 1));
        let applied = program.run("apply accounts.toml").await;
        assert_eq!(applied.code, 0, "{applied:?}");
        assert!(applied.err.contains("plus_addressing: has no effect") && applied.err.contains("13"), "{applied:?}");
        let shown = program.run("mailbox show our-support-desk@example.com").await.done();
        let line = shown.lines().find(|line| line.starts_with("plus addressing")).unwrap();
        assert!(line.contains("yes, but without effect") && line.contains("13"), "{line}");

        // An agent may answer from the alias.
        program.write("accounts.toml", long.replacen("imap = {", plus, 1));
        let applied = program.run("apply accounts.toml").await;
        assert!(!applied.err.contains("plus_addressing"), "{applied:?}");
        let shown = program.run("mailbox show our-support-desk@example.com").await.done();
        assert!(shown.lines().any(|line| line.starts_with("plus addressing") && line.ends_with("yes")), "{shown}");
    }

    async fn rules_are_changed_taken_away_and_shown(database: TestDatabase) {
        let program = program(&database);
        program.write("accounts.toml", format!("{FILE}{RULES}"));
        program.run("apply accounts.toml").await.done();
        let shown = program.run("agent show Support").await.done();
        for part in ["example.com", "bob@example.org, friends.example", "spam.example", "50"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        let fewer = RULES.replace("per_thread_day = 2", "per_thread_day = \"\"").replace("\"spam.example\"", "");
        program.write("accounts.toml", format!("{FILE}{fewer}"));
        let out = program.run("apply accounts.toml").await.done();
        assert!(out.lines().any(|line| line.ends_with("blocked_senders, limits")), "{out}");
        let (rules, _) = stored(&database).await;
        assert_eq!((rules.blocked_senders, rules.limits.per_thread_day), (list(&[]), None));
    }

    async fn rules_that_mean_nobody_are_faults(database: TestDatabase) {
        let program = program(&database);
        for bad in [
            "allowed_senders = [\"not a domain\"]",
            "blocked_senders = \"eve@example.com\"",
            "link_domains = [\"https://example.com\"]",
            "limits = { per_thread_day = 0 }",
            "limits = { per_thread = 1 }",
            "language = \"xx\"",
            "disclosure = \"Written by {owner}. Reply HUMAN.\"",
        ] {
            program.write("accounts.toml", format!("{FILE}{bad}\n"));
            let ended = program.run("apply accounts.toml").await;
            assert_eq!(ended.code, 2, "{bad}: {ended:?}");
        }
    }

    async fn how_replies_sound_is_stored_and_taken_away(database: TestDatabase) {
        let program = program(&database);
        let voice = "signature = \"\"\"\nAnn\nThe Shop\"\"\"\nlanguage = \"DE\"\n\
            disclosure = \"{owner}'s AI wrote this; HUMAN gets a person.\"\n";
        program.write("accounts.toml", format!("{FILE}{voice}"));
        program.run("apply accounts.toml").await.done();
        let store = open_store(&database, Clock::system()).await;
        let user = store.find_user_by_email("ann@example.com").await.unwrap().unwrap();
        let stored = store.list_agents(user.id).await.unwrap().remove(0).voice;
        assert_eq!((stored.signature.as_deref(), stored.language.as_deref()), (Some("Ann\nThe Shop"), Some("de")));
        assert_eq!(stored.disclosure.as_deref(), Some("{owner}'s AI wrote this; HUMAN gets a person."));
        let shown = program.run("agent show Support").await.done();
        assert!(shown.contains("Ann / The Shop") && shown.contains("HUMAN gets a person."), "{shown}");
        program.write("accounts.toml", format!("{FILE}signature = \"\"\n"));
        let out = program.run("apply accounts.toml").await.done();
        assert!(out.lines().any(|line| line.ends_with(" signature")), "{out}");
        let stored = store.list_agents(user.id).await.unwrap().remove(0).voice;
        assert!(stored.signature.is_none() && stored.language.is_some());
    }
}
