//! From where a key is good, and what it may give to others.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{ALL_SCOPES, assert_refused, make, path, wanted, with};
use crate::support::api::{Answered, Service, Visitor, send};
use crate::support::database::on_both;

/// A call that says it comes from somewhere else.
async fn from(visitor: &Visitor, said: &str) -> Answered {
    send(visitor.request(reqwest::Method::GET, "/api/usage").header("x-forwarded-for", said)).await
}

fn merged(mut body: Value, other: Value) -> Value {
    body.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    body
}

on_both! {
    async fn a_key_is_good_where_its_networks_say(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        for (name, networks, is_good) in [
            ("here", json!({ "ipAllow": ["127.0.0.0/8"] }), true),
            ("mapped", json!({ "ipAllow": ["::ffff:127.0.0.1"] }), true),
            ("elsewhere", json!({ "ipAllow": ["203.0.113.0/24", "2001:db8::/32"] }), false),
            ("denied", json!({ "ipAllow": ["127.0.0.0/8"], "ipDeny": ["127.0.0.1"] }), false),
            ("denied elsewhere", json!({ "ipDeny": ["203.0.113.0/24"] }), true),
        ] {
            let key = with(&service, &make(&ann, merged(wanted(name, &["usage:read"]), networks)).await);
            // What a direct peer says of itself changes nothing.
            for answer in [key.get("/api/usage").await, from(&key, "203.0.113.7").await] {
                if is_good { answer.expect(200); } else { assert_refused(&service, answer).await; }
            }
        }
    }

    async fn behind_a_trusted_proxy_the_last_stranger_counts(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.trusted_proxies = vec!["127.0.0.1".into()]).await;
        let ann = service.sign_up("ann").await;
        let key = make(&ann, merged(wanted("office", &["usage:read"]), json!({ "ipAllow": ["203.0.113.0/24"] }))).await;
        let key = with(&service, &key);
        from(&key, "198.51.100.9, 203.0.113.7").await.expect(200);
        assert_refused(&service, from(&key, "203.0.113.7, 198.51.100.9").await).await;
        assert_refused(&service, key.get("/api/usage").await).await;
    }

    async fn a_key_gives_no_more_than_it_has(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let own = json!({ "expiresAt": "2990-01-01T00:00:00Z", "ipAllow": ["127.0.0.0/8", "10.0.0.0/8"], "ipDeny": ["10.1.0.0/16"] });
        let manager = make(&ann, merged(wanted("manager", &["keys:write", "usage:read"]), own.clone())).await;
        let manager_key = with(&service, &manager);
        let wide = make(&ann, wanted("wide", &["usage:read"])).await;
        let within = merged(wanted("within", &["usage:read"]), own.clone());
        let narrow = make(&manager_key, within.clone()).await;
        for more in [
            json!({ "scopes": ["usage:read", "mail:read"] }),
            json!({ "scopes": ALL_SCOPES }),
            json!({ "expiresAt": "never" }),
            json!({ "expiresAt": "2990-01-01T00:00:01Z" }),
            json!({ "ipAllow": [] }),
            json!({ "ipAllow": ["127.0.0.0/7"] }),
            json!({ "ipAllow": ["127.0.0.1", "192.0.2.1"] }),
            json!({ "ipDeny": [] }),
            json!({ "ipDeny": ["10.1.0.0/17"] }),
        ] {
            let made = manager_key.post("/api/v1/api-keys", merged(merged(within.clone(), json!({ "name": "more" })), more.clone())).await;
            assert_eq!(made.refused(403), "forbidden", "{more}");
            assert_eq!(manager_key.put(&path(&narrow), more.clone()).await.refused(403), "forbidden", "{more}");
            assert_eq!(manager_key.put(&path(&manager), more.clone()).await.refused(403), "forbidden", "{more}");
        }
        // What is wider than itself it neither narrows, nor replaces, nor ends.
        assert_eq!(manager_key.put(&path(&wide), own.clone()).await.refused(403), "forbidden");
        assert_eq!(manager_key.post(&format!("{}/rotate", path(&wide)), json!({})).await.refused(403), "forbidden");
        assert_eq!(manager_key.delete(&path(&wide)).await.refused(403), "forbidden");
        let less = json!({ "ipAllow": ["10.2.0.0/16"], "ipDeny": ["10.0.0.0/8"], "expiresAt": "2980-01-01T00:00:00Z" });
        manager_key.put(&path(&narrow), less).await.expect(200);
        // Without the scope it manages nothing, not even itself.
        let plain = make(&ann, wanted("plain", &["usage:read"])).await;
        for answer in [
            with(&service, &plain).get("/api/v1/api-keys").await,
            with(&service, &plain).put(&path(&plain), json!({ "scopes": ALL_SCOPES })).await,
            with(&service, &plain).post("/api/v1/api-keys", wanted("another", &["usage:read"])).await,
        ] {
            assert_eq!(answer.refused(403), "forbidden");
        }
    }

    async fn what_was_taken_from_a_key_does_not_come_back_by_a_change_at_the_same_moment(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        for round in 0..8 {
            let made = make(&ann, wanted(&format!("key {round}"), &["keys:write", "usage:read"])).await;
            let (key, path) = (with(&service, &made), path(&made));
            let edits = join_all((0..6).map(|edit| key.put(&path, json!({ "description": edit.to_string() }))));
            let rotate = format!("{path}/rotate");
            let rotation = key.post(&rotate, json!({}));
            let narrowing = async {
                while ann.put(&path, json!({ "scopes": ["keys:write"] })).await.status != 200 {}
            };
            let (_, rotated, ()) = tokio::join!(edits, rotation, narrowing);
            let narrowed = ann.get(&path).await.expect(200);
            assert_eq!(narrowed["scopes"], json!(["keys:write"]), "round {round}");
            // What was replaced before it was narrowed is another key.
            assert!([201, 409].contains(&rotated.status), "{rotated:?}");
        }
    }

    async fn replacing_itself_a_key_gains_no_time(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let end = json!({ "expiresAt": "2990-01-01T00:00:00Z" });
        let made = make(&ann, merged(wanted("manager", &["keys:write"]), end)).await;
        let rotate = format!("{}/rotate", path(&made));
        let next = with(&service, &made).post(&rotate, json!({})).await.expect(201);
        assert_eq!(next["expires_at"], made["expires_at"]);
    }
}
