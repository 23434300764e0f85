//! After an account is deleted nothing of it is left, nothing is done for it, and nobody else has lost anything.

use std::time::Duration;

use postkey::store::RunState;
use serde_json::json;

use super::Town;
use crate::support::api::{PASSWORD, Visitor};
use crate::support::database::{TestDatabase, on_both};
use crate::support::dump::{dump, says};
use crate::support::office::LONG;
use crate::support::provider_server::Answer;
use crate::support::raw::execute;
use crate::support::wait::until;

/// What names Ann wherever it stands.
fn marks(town: &Town) -> Vec<String> {
    let desk = &town.ann.desk;
    vec![
        desk.user.to_string(),
        desk.mailbox.to_string(),
        desk.address.clone(),
        "ann@owner.test".into(),
        desk.key.clone(),
    ]
}

/// The rows that say one of these, with their tables.
async fn find(database: &TestDatabase, marks: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (table, rows) in dump(database).await {
        let guilty = rows.into_iter().filter(|row| marks.iter().any(|mark| says(row, mark)));
        found.extend(guilty.map(|row| (table.clone(), row)));
    }
    found
}

/// Rows that change by themselves, such as a mailbox's last sign of life, left out.
async fn lasting_rows(database: &TestDatabase, mark: &str) -> Vec<(String, String)> {
    let mut rows = find(database, &[mark.to_owned()]).await;
    rows.retain(|(table, _)| !["mailboxes", "lanes"].contains(&table.as_str()));
    rows.sort();
    rows
}

async fn delete(visitor: &Visitor, password: &str) -> crate::support::api::Answered {
    visitor.post("/api/account/delete", json!({ "password": password })).await
}

on_both! {
    async fn nothing_of_a_deleted_account_is_left(database: TestDatabase) {
        let town = Town::found(&database).await;
        let (office, marks) = (&town.office, marks(&town));
        // A run of Ann's is at work while she goes, and would be answered.
        office.provider.always(&town.ann.desk.key, Answer::words(|_| "Too late.".into()).late(Duration::from_secs(4)));
        office.deliver(&town.ann.desk, 12);
        office.until_counted(&town.ann.desk, RunState::Running, 1).await;
        let bobs = lasting_rows(&database, &town.bob.desk.user.to_string()).await;
        assert!(bobs.len() > 20);

        let wrong = delete(&town.ann.visitor, "not my password").await;
        assert_eq!(wrong.body["error"]["details"]["field"], "password");
        assert_eq!(wrong.refused(422), "invalid_input");
        assert!(find(&database, &marks).await.len() > 20);

        assert_eq!(delete(&town.ann.visitor, PASSWORD).await.status, 204);
        assert_eq!(find(&database, &marks).await, []);
        assert_eq!(lasting_rows(&database, &town.bob.desk.user.to_string()).await, bobs);
        assert_eq!(town.ann.visitor.get("/api/auth/me").await.refused(401), "unauthorized");
        let sign_in = json!({ "email": "ann@owner.test", "password": PASSWORD });
        let refused = Visitor::at(town.served.address, "").post("/api/auth/login", sign_in).await;
        assert_eq!(refused.refused(401), "wrong_credentials");

        until("Ann's mailbox is watched no more", LONG, async || office.imap.open() == 1).await;
        let fetched = office.imap.commands(&town.ann.desk.address).len();
        office.deliver(&town.ann.desk, 13);
        // Bob's answer is asked for later and takes longer than the one that Ann's run waits for.
        office.provider.always(&town.bob.desk.key, Answer::words(|_| "In time.".into()).late(Duration::from_secs(5)));
        office.deliver(&town.bob.desk, 22);
        office.until_counted(&town.bob.desk, RunState::Replied, 3).await;
        assert_eq!(office.imap.commands(&town.ann.desk.address).len(), fetched);
        assert_eq!(find(&database, &marks).await, [], "the run that was at work has come back");
        office.check_answered_once([10, 11, 20, 21, 22]);
        town.served.end().await;
    }

    async fn a_departure_that_was_interrupted_is_carried_on(database: TestDatabase) {
        let town = Town::found(&database).await;
        let marks = marks(&town);
        town.served.end().await;
        let store = &town.office.store;
        let ann = store.find_user(town.ann.desk.user).await.unwrap().unwrap();
        let hash = ann.password_hash.unwrap();
        assert!(!store.begin_departure(ann.id, format!("not {hash}")).await.unwrap());
        assert!(store.find_user(ann.id).await.unwrap().unwrap().password_hash.is_some(), "nothing has begun");
        assert!(store.begin_departure(ann.id, hash).await.unwrap());
        assert!(!find(&database, &marks).await.is_empty());
        let served = town.office.serve().await;
        until("the sweep carries on", LONG, async || find(&database, &marks).await.is_empty()).await;
        served.end().await;
    }

    async fn an_invitation_that_was_used_forgets_who_used_it(database: TestDatabase) {
        let service = crate::support::api::Service::start_with(&database, |config| {
            config.http.sign_up = postkey::config::SignUp::Invite;
        }).await;
        let admin = service.sign_up("admin").await;
        let invited = admin.post("/api/invites", json!({ "email": "ann@owner.test" })).await.expect(201);
        let unused = admin.post("/api/invites", json!({ "email": "ann@owner.test" })).await.expect(201);
        let mut account = crate::support::api::account("ann");
        account["invite"] = invited["token"].clone();
        let signed_up = service.stranger().post("/api/auth/signup", account).await.expect(201);
        let ann = service.visitor(signed_up["token"].as_str().unwrap());
        assert_eq!(delete(&ann, PASSWORD).await.status, 204);
        let invites = admin.get("/api/invites").await.expect(200);
        for invite in invites["items"].as_array().unwrap() {
            let is_unused = invite["id"] == unused["id"];
            assert_eq!(invite["email"] == "ann@owner.test", is_unused, "{invite}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_of_a_deleted_account_is_in_a_file_that_was_compacted() {
    let database = TestDatabase::sqlite().await;
    let town = Town::found(&database).await;
    let marks = marks(&town);
    assert_eq!(delete(&town.ann.visitor, PASSWORD).await.status, 204);
    town.served.end().await;
    execute(&database, "VACUUM").await;
    execute(&database, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let path = database.url().strip_prefix("sqlite://").unwrap();
    let is_in = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    for end in ["", "-wal"] {
        let bytes = std::fs::read(format!("{path}{end}")).unwrap_or_default();
        assert!(end == "-wal" || is_in(&bytes, town.bob.desk.user.uuid().as_bytes()));
        assert!(!is_in(&bytes, town.ann.desk.user.uuid().as_bytes()), "her id is in {end}");
        for mark in &marks {
            assert!(!is_in(&bytes, mark.as_bytes()), "{mark} is in {end}");
        }
    }
}
