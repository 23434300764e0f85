//! One key after the other, with a while in which both are good.

use serde_json::{Value, json};

use super::{assert_refused, make, path, wanted, with};
use crate::support::api::{Service, Visitor};
use crate::support::database::on_both;

async fn rotate(visitor: &Visitor, key: &Value, overlap: Value) -> Value {
    visitor.post(&format!("{}/rotate", path(key)), json!({ "overlap_seconds": overlap })).await.expect(201)
}

on_both! {
    async fn for_a_while_both_keys_are_good_and_a_third_ends_the_first(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut body = wanted("nightly", &["usage:read"]);
        body["ipDeny"] = json!(["192.0.2.0/24"]);
        let first = make(&ann, body).await;
        let second = rotate(&ann, &first, json!(3600)).await;
        for key in [&first, &second] {
            with(&service, key).get("/api/usage").await.expect(200);
        }
        let old = ann.get(&path(&first)).await.expect(200);
        assert_eq!((old["state"].as_str(), &old["rotated_to"]), (Some("rotated"), &second["id"]));
        assert!(old["expires_at"].is_string() && second["expires_at"].is_null());
        for field in ["name", "scopes", "ip_deny", "description"] {
            assert_eq!(first[field], second[field], "{field}");
        }
        assert_eq!(second["rotated_from"], first["id"]);
        let narrowed = ann.put(&path(&first), json!({ "description": "about to end" })).await.expect(200);
        assert_eq!((&narrowed["state"], &narrowed["expires_at"]), (&old["state"], &old["expires_at"]));
        let again = ann.post(&format!("{}/rotate", path(&first)), json!({})).await;
        assert_eq!(again.refused(409), "already_exists");
        let third = rotate(&ann, &second, json!(3600)).await;
        assert_refused(&service, with(&service, &first).get("/api/usage").await).await;
        for key in [&second, &third] {
            with(&service, key).get("/api/usage").await.expect(200);
        }
        let oldest = ann.get(&path(&first)).await.expect(200);
        assert_eq!((oldest["state"].as_str(), oldest["revoked_reason"].as_str()), (Some("revoked"), Some("rotated")));
    }

    async fn without_overlap_the_old_key_ends_at_once(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let first = make(&ann, wanted("nightly", &["usage:read"])).await;
        for overlap in [json!(604_801), json!(-1), json!(1.5), json!("a day")] {
            let body = json!({ "overlapSeconds": overlap });
            assert_eq!(ann.post(&format!("{}/rotate", path(&first)), body).await.refused(422), "invalid_input", "{overlap}");
        }
        let second = rotate(&ann, &first, json!(0)).await;
        assert_refused(&service, with(&service, &first).get("/api/usage").await).await;
        with(&service, &second).get("/api/usage").await.expect(200);
        assert_eq!(ann.post(&format!("{}/rotate", path(&first)), json!({})).await.refused(404), "not_found");
    }

    async fn a_key_with_an_end_is_followed_by_one_that_lasts_as_long(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut body = wanted("nightly", &["usage:read"]);
        body["expiresAt"] = json!("2990-01-01T00:00:00Z");
        let first = make(&ann, body).await;
        let second = rotate(&ann, &first, json!(60)).await;
        assert!(second["expires_at"].as_str().unwrap() >= "2990-01-01T00:00:00");
        let old = ann.get(&path(&first)).await.expect(200);
        assert!(old["expires_at"].as_str().unwrap() < "2990");
    }
}
