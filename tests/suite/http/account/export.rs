//! An export has everything of its user, no secret, and nothing of anybody else.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use postkey::store::{EXPORT_PARTS, RunState};
use serde_json::Value;

use super::{Resident, Town};
use crate::support::api::PASSWORD;
use crate::support::database::on_both;
use crate::support::dump::tables_of_users;
use crate::support::office;
use crate::support::raw::texts;
use crate::support::world::letter;

/// Which table is in which records. What a table's rows are that are not here is said below.
const EXPORTED: [(&str, &str); 16] = [
    ("agents", "agent"),
    ("ai_configurations", "ai_configuration"),
    ("audit_entries", "audit_entry"),
    ("completions", "completion"),
    ("invites", "invite"),
    ("key_limits", "key_limits"),
    ("mailboxes", "mailbox"),
    ("messages", "message"),
    ("notices", "notice"),
    ("outbox", "reply"),
    ("provider_calls", "provider_call"),
    ("runs", "run"),
    ("sent_mails", "sent_mail"),
    ("sessions", "session"),
    ("suppressions", "suppression"),
    ("threads", "thread"),
];

/// Hashes of tokens and states, sealed answers, sums of what is exported, and what the queue remembers.
const NOT_EXPORTED: [&str; 7] = [
    "agent_hours",
    "idempotency_keys",
    "lanes",
    "oauth_states",
    "password_resets",
    "refresh_tokens",
    "usage_hours",
];

/// Columns that hold what nobody but the program may see.
const SECRET: [&str; 11] = [
    "SELECT api_key FROM ai_configurations WHERE api_key IS NOT NULL",
    "SELECT imap_password FROM mailboxes WHERE imap_password IS NOT NULL",
    "SELECT smtp_password FROM mailboxes WHERE smtp_password IS NOT NULL",
    "SELECT password_hash FROM users WHERE password_hash IS NOT NULL",
    "SELECT hash FROM refresh_tokens WHERE hash IS NOT NULL",
    "SELECT hash FROM password_resets WHERE hash IS NOT NULL",
    "SELECT hash FROM invites WHERE hash IS NOT NULL",
    "SELECT verifier FROM oauth_states WHERE verifier IS NOT NULL",
    "SELECT state_hash FROM oauth_states WHERE state_hash IS NOT NULL",
    "SELECT browser_hash FROM oauth_states WHERE browser_hash IS NOT NULL",
    "SELECT answer FROM idempotency_keys WHERE answer IS NOT NULL",
];

async fn export(resident: &Resident) -> (String, Vec<Value>) {
    let request = resident.visitor.request(reqwest::Method::GET, "/api/account/export");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    assert!(response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let text = response.text().await.unwrap();
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (text, records)
}

fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["record"] == kind).collect()
}

fn mails(records: &[Value], kind: &str) -> BTreeSet<Vec<u8>> {
    of_kind(records, kind)
        .iter()
        .map(|record| BASE64.decode(record["raw"].as_str().unwrap()).unwrap())
        .collect()
}

on_both! {
    async fn an_export_has_everything_of_its_user_and_no_secret(database: TestDatabase) {
        let town = Town::found(&database).await;
        // Larger than several pieces in which mails are read.
        let mut large = letter(12, "ann@shop.test");
        large.extend("A long line that says little.\r\n".repeat(70_000).into_bytes());
        town.office.imap.deliver("ann@shop.test", &large);
        town.office.until_counted(&town.ann.desk, RunState::Replied, 3).await;
        let (text, records) = export(&town.ann).await;

        let kinds: BTreeSet<&str> = records.iter().map(|record| record["record"].as_str().unwrap()).collect();
        let expected: BTreeSet<&str> = EXPORT_PARTS.iter().map(|part| part.name).chain(["end"]).collect();
        assert_eq!(kinds, expected);
        let end = records.last().unwrap();
        assert_eq!((end["record"].as_str(), end["records"].as_u64()), (Some("end"), u64::try_from(records.len() - 1).ok()));
        let delivered = BTreeSet::from([letter(10, "ann@shop.test"), letter(11, "ann@shop.test"), large]);
        assert_eq!(mails(&records, "message"), delivered);
        let accepted = town.office.smtp.accepted();
        let replies: BTreeSet<String> = accepted.iter().map(|reply| office::read(reply).message_id.unwrap().as_str().to_owned()).collect();
        let exported: BTreeSet<String> = of_kind(&records, "reply").iter().map(|reply| reply["rfc_message_id"].as_str().unwrap().to_owned()).collect();
        assert!(exported.len() == 3 && exported.is_subset(&replies));
        let account = of_kind(&records, "account")[0];
        assert_eq!((account["email"].as_str(), account["role"].as_str()), (Some("ann@owner.test"), Some("admin")));
        let mailbox = of_kind(&records, "mailbox")[0];
        assert_eq!((mailbox["enabled"].as_bool(), mailbox["aliases"].as_array().map(Vec::len)), (Some(true), Some(0)));
        assert!(mailbox["created_at"].as_str().unwrap().ends_with('Z'));

        for query in SECRET {
            for secret in texts(&database, query).await {
                assert!(!text.contains(&secret), "{query}");
            }
        }
        for secret in [&town.ann.desk.key, PASSWORD, office::PASSWORD] {
            assert!(!text.contains(secret), "{secret}");
        }
        for foreign in [town.bob.desk.user.to_string(), town.bob.desk.mailbox.to_string(), "bob@".into()] {
            assert!(!text.contains(&foreign), "{foreign}");
        }
        let audit = town.ann.visitor.get("/api/audit?limit=1").await.expect(200);
        assert_eq!(audit["items"][0]["action"], "exported");
        town.served.end().await;
    }

    async fn every_table_of_users_is_exported_or_has_a_reason_not_to_be(database: TestDatabase) {
        let _store = crate::support::rows::open_store(&database, postkey::clock::Clock::system()).await;
        let found: BTreeSet<String> = tables_of_users(&database).await.into_iter().collect();
        let known = EXPORTED.iter().map(|(table, _)| *table).chain(NOT_EXPORTED);
        assert_eq!(found, known.map(str::to_owned).collect());
        let parts: BTreeSet<&str> = EXPORT_PARTS.iter().map(|part| part.name).collect();
        assert!(EXPORTED.iter().all(|(_, record)| parts.contains(record)));
    }
}
