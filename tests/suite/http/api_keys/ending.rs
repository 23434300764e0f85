//! What is no good key any more, or never was one; and what owners are told of their keys.

use std::time::Duration;

use postkey::letters::remind_of_api_keys;
use serde_json::{Value, json};

use super::{assert_refused, make, path, wanted, with};
use crate::support::api::{PASSWORD, Service, Visitor};
use crate::support::database::{TestDatabase, on_both};
use crate::support::raw::execute;
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(20);
const DAY: i64 = 24 * 3_600_000;

async fn actions(visitor: &Visitor) -> Vec<String> {
    let audit = visitor.get("/api/audit?limit=200").await.expect(200);
    audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect()
}

/// Kind and sentence of what lasts.
async fn notices(visitor: &Visitor) -> Vec<(String, String)> {
    let notices = visitor.get("/api/notices").await.expect(200);
    let lasting = notices["items"].as_array().unwrap().iter().filter(|notice| notice["ended_at"].is_null());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lasting.map(|notice| (text(&notice["kind"]), text(&notice["sentence"]))).collect()
}

/// Sets a time of all keys to so many days from now.
async fn set(service: &Service, database: &TestDatabase, column: &str, days: i64) {
    let at = service.store.clock().now().millis() + days * DAY;
    execute(database, &format!("UPDATE api_keys SET {column} = {at}")).await;
}

on_both! {
    async fn what_is_no_good_key_gets_one_and_the_same_refusal(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let made = make(&ann, wanted("good", &["usage:read"])).await;
        let key = made["key"].as_str().unwrap();
        let mut bad: Vec<String> = (0..key.len())
            .map(|at| {
                let other = if &key[at..=at] == "x" { "y" } else { "x" };
                format!("{}{other}{}", &key[..at], &key[at + 1..])
            })
            .collect();
        bad.extend([key[..52].to_owned(), format!("{key}0"), key.to_uppercase(), "pk_sk_".to_owned()]);
        // Of the right form, and nobody's.
        bad.push("pk_sk_Ab12Cd34Ef_0123456789ABCDEFGHIJKLMNOPQRST3LzHOE".to_owned());
        for key in bad {
            assert_refused(&service, service.visitor(&key).get("/api/usage").await).await;
        }
        let revoked = make(&ann, wanted("revoked", &["usage:read"])).await;
        ann.delete(&path(&revoked)).await.expect(204);
        assert_refused(&service, with(&service, &revoked).get("/api/usage").await).await;
        with(&service, &made).get("/api/usage").await.expect(200);
        set(&service, &database, "expires_at", 0).await;
        assert_refused(&service, with(&service, &made).get("/api/usage").await).await;
        until("the reasons are in the log", LONG, async || {
            let actions = actions(&ann).await;
            ["api_key_used_revoked", "api_key_used_expired"].iter().all(|action| actions.iter().any(|said| said == action))
        }).await;
        assert_eq!(ann.get(&path(&made)).await.expect(200)["state"], "expired");
    }

    async fn a_key_lives_on_without_its_makers_session_and_dies_with_the_account(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let key = with(&service, &make(&ann, wanted("nightly", &["usage:read"])).await);
        let change = json!({ "currentPassword": PASSWORD, "newPassword": "another good password" });
        let changed = ann.post("/api/auth/password", change).await.expect(200);
        key.get("/api/usage").await.expect(200);
        let ann = service.visitor(changed["token"].as_str().unwrap());
        ann.post("/api/account/delete", json!({ "password": "another good password" })).await.expect(204);
        assert_refused(&service, key.get("/api/usage").await).await;
    }

    async fn a_key_in_an_address_is_refused_and_its_owner_is_told_once(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let made = make(&ann, wanted("leaky", &["usage:read"])).await;
        let key = made["key"].as_str().unwrap();
        let stranger = service.stranger();
        // Of the right form, but not the key.
        stranger.get("/api/usage?key=pk_sk_Ab12Cd34Ef_0123456789ABCDEFGHIJKLMNOPQRST3LzHOE").await.expect(400);
        assert!(notices(&ann).await.is_empty());
        for path in [
            format!("/api/usage?api_key={key}"),
            format!("/api/usage?x={}", key.replace('_', "%5F")),
            format!("/{key}/api/usage"),
            format!("/api/usage?a&b=1&{key}"),
        ] {
            assert_eq!(stranger.get(&path).await.refused(400), "credential_in_url", "{path}");
            assert_eq!(with(&service, &made).get(&path).await.refused(400), "credential_in_url", "{path}");
        }
        assert!(ann.get(&path(&made)).await.expect(200)["exposed_at"].is_string());
        let told = notices(&ann).await;
        assert_eq!(told.len(), 1);
        assert!(told[0].0 == "api_key_exposed" && told[0].1.contains("leaky") && !told[0].1.contains(key));
        assert_eq!(actions(&ann).await.iter().filter(|action| *action == "api_key_exposed").count(), 1);
        ann.delete(&path(&made)).await.expect(204);
        assert!(notices(&ann).await.is_empty());
    }

    async fn uses_are_counted(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let made = make(&ann, wanted("nightly", &["usage:read"])).await;
        with(&service, &made).get("/api/usage").await.expect(200);
        until("the use is written", LONG, async || {
            ann.get(&path(&made)).await.expect(200)["uses"] == 1
        }).await;
        let seen = ann.get(&path(&made)).await.expect(200);
        assert!(seen["last_used_at"].is_string() && seen["last_used_address"] == "127.0.0.1");
    }

    async fn owners_are_told_when_a_key_ends_and_when_nobody_uses_it(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut body = wanted("nightly", &["usage:read"]);
        body["expiresAt"] = json!("2990-01-01T00:00:00Z");
        let made = make(&ann, body).await;
        let store = &service.store;
        for (days, told) in [(15, None), (14, Some("within 14 days")), (8, Some("within 14 days")), (7, Some("within 7 days")),
            (2, Some("within 7 days")), (1, Some("within a day")), (0, Some("within a day"))] {
            set(&service, &database, "expires_at", days).await;
            remind_of_api_keys(store).await.unwrap();
            remind_of_api_keys(store).await.unwrap();
            let notices = notices(&ann).await;
            assert_eq!(notices.len(), usize::from(told.is_some()), "{days} {notices:?}");
            assert!(told.is_none_or(|told| notices[0].1.contains(told) && notices[0].0 == "api_key_expiry"), "{days} {notices:?}");
        }
        ann.put(&path(&made), json!({ "expiresAt": "never" })).await.expect(200);
        assert!(notices(&ann).await.is_empty());
        set(&service, &database, "created_at", -91).await;
        remind_of_api_keys(store).await.unwrap();
        remind_of_api_keys(store).await.unwrap();
        assert_eq!(notices(&ann).await.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["api_key_unused"]);
        assert_eq!(ann.get(&path(&made)).await.expect(200)["is_unused"], true);
        with(&service, &made).get("/api/usage").await.expect(200);
        until("it is told no more", LONG, async || notices(&ann).await.is_empty()).await;
    }

    async fn of_a_key_that_was_made_for_hours_nothing_is_told(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let soon = service.store.clock().now().plus(Duration::from_secs(3600));
        let mut body = wanted("today", &["usage:read"]);
        body["expiresAt"] = json!(soon.to_string());
        make(&ann, body).await;
        remind_of_api_keys(&service.store).await.unwrap();
        assert!(notices(&ann).await.is_empty());
    }
}
