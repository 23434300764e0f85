//! Platform API keys: what they do, what they do not, and how they end.

mod ending;
mod limits;
mod rotation;

use serde_json::{Value, json};

use crate::support::api::{Answered, Service, Visitor};
use crate::support::database::on_both;
use crate::support::dump::{dump, says};
use crate::support::raw::texts;

/// Every scope that there is.
pub const ALL_SCOPES: [&str; 12] = [
    "configs:read",
    "configs:write",
    "agents:read",
    "agents:write",
    "mail:read",
    "runs:read",
    "runs:write",
    "usage:read",
    "chat:create",
    "tokens:create",
    "keys:write",
    "export:read",
];

/// What makes a key.
pub fn wanted(name: &str, scopes: &[&str]) -> Value {
    json!({ "name": name, "scopes": scopes, "expiresAt": "never" })
}

/// Makes a key; the answer has it.
pub async fn make(visitor: &Visitor, wanted: Value) -> Value {
    visitor.post("/api/v1/api-keys", wanted).await.expect(201)
}

/// Whoever calls with the key that was just made.
pub fn with(service: &Service, made: &Value) -> Visitor {
    service.visitor(made["key"].as_str().unwrap())
}

/// The path of a key.
pub fn path(made: &Value) -> String {
    format!("/api/v1/api-keys/{}", made["id"].as_str().unwrap())
}

/// Every refusal of a key is the same, and the same as without one.
pub async fn assert_refused(service: &Service, answer: Answered) {
    let without = service.stranger().get("/api/auth/me").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    assert_eq!((answer.status, &answer.body), (401, &without.body));
}

on_both! {
    async fn a_key_is_shown_once_and_stored_as_a_hash(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let body = json!({ "name": " nightly ", "description": "reads\nusage", "scopes": ["usage:read", "configs:read", "usage:read"],
            "expires_at": "2999-01-01T00:00:00Z", "ip_allow": ["127.0.0.1", "::ffff:10.0.0.0/104"], "ipDeny": ["192.0.2.7/24"] });
        let made = make(&ann, body).await;
        let key = made["key"].as_str().unwrap();
        let is_written = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (id, rest) = key.strip_prefix("pk_sk_").unwrap().split_once('_').unwrap();
        assert!(id.len() == 10 && rest.len() == 36 && is_written(id) && is_written(rest), "{key}");
        let seen = ann.get(&path(&made)).await.expect(200);
        let listed = ann.get("/api/v1/api-keys").await.expect(200);
        assert_eq!(listed["items"], json!([seen]));
        assert!(!listed.to_string().contains(rest) && seen.get("key").is_none());
        assert_eq!((seen["name"].as_str(), seen["description"].as_str()), (Some("nightly"), Some("reads\nusage")));
        assert_eq!(seen["scopes"], json!(["configs:read", "usage:read"]));
        assert_eq!((&seen["ip_allow"], &seen["ip_deny"]), (&json!(["127.0.0.1/32", "10.0.0.0/8"]), &json!(["192.0.2.0/24"])));
        assert_eq!((seen["prefix"].as_str(), seen["state"].as_str()), (Some(&key[..16]), Some("active")));
        assert_eq!((seen["created_address"].as_str(), seen["uses"].as_i64()), (Some("127.0.0.1"), Some(0)));
        for (table, rows) in dump(&database).await {
            assert!(!rows.iter().any(|row| says(row, rest)), "{table}");
        }
    }

    async fn a_key_does_what_its_scopes_say_in_its_owners_name(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        service.sign_up("bob").await;
        let reader = with(&service, &make(&ann, wanted("reader", &["usage:read"])).await);
        reader.get("/api/usage").await.expect(200);
        assert_eq!(reader.get("/api/ai-config").await.refused(403), "forbidden");
        let everything = with(&service, &make(&ann, wanted("everything", &ALL_SCOPES)).await);
        let configuration = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
        let added = everything.post("/api/ai-config", configuration).await.expect(201);
        assert_eq!(ann.get("/api/ai-config").await.expect(200)["items"][0]["id"], added["id"]);
        // What only the person may do, or an administrator: Ann is one, her key is none.
        for path in ["/api/auth/me", "/api/auth/sessions", "/api/audit", "/api/invites"] {
            assert_eq!(everything.get(path).await.refused(403), "forbidden", "{path}");
        }
        let export = with(&service, &make(&ann, wanted("backup", &["export:read"])).await).get("/api/account/export").await;
        assert!(export.status == 200 && export.text.contains("ann@owner.test"), "{export:?}");
        let audit = ann.get("/api/audit").await.expect(200).to_string();
        assert!(audit.contains("api_key_made") && audit.contains("ai_config_added") && audit.contains("\"actor\":\"api_key:"));
    }

    async fn settings_that_cannot_be_are_refused(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let bob = service.sign_up("bob").await.get("/api/auth/me").await.expect(200);
        for (field, value) in [
            ("name", json!("")), ("name", json!("a\nb")), ("name", json!("n".repeat(201))), ("name", Value::Null),
            ("description", json!("d".repeat(501))), ("description", json!("a\u{0}b")),
            ("scopes", json!([])), ("scopes", json!(["everything"])), ("scopes", json!("usage:read")),
            ("expiresAt", Value::Null), ("expiresAt", json!("2001-01-01T00:00:00Z")), ("expiresAt", json!("forever")),
            ("ipAllow", json!(["10.0.0.0/33"])), ("ipDeny", json!(["localhost"])), ("ipAllow", json!(vec!["10.0.0.1"; 101])),
            ("userId", bob["id"].clone()), ("isAdmin", json!(true)),
        ] {
            let mut body = wanted("good", &["usage:read"]);
            body[field] = value.clone();
            let refused = ann.post("/api/v1/api-keys", body).await;
            assert_eq!(refused.status, 422, "{field} {value} {refused:?}");
        }
        let mut without_end = wanted("good", &["usage:read"]);
        without_end.as_object_mut().unwrap().remove("expiresAt");
        assert_eq!(ann.post("/api/v1/api-keys", without_end).await.refused(422), "invalid_input");
        let first = make(&ann, wanted("taken", &["usage:read"])).await;
        assert_eq!(ann.post("/api/v1/api-keys", wanted("taken", &["usage:read"])).await.refused(409), "already_exists");
        let second = make(&ann, wanted("free", &["usage:read"])).await;
        assert_eq!(ann.put(&path(&second), json!({ "name": "taken" })).await.refused(409), "already_exists");
        ann.delete(&path(&first)).await.expect(204);
        ann.put(&path(&second), json!({ "name": "taken" })).await.expect(200);
        assert_eq!(ann.put(&path(&first), json!({ "name": "back" })).await.refused(404), "not_found");
        assert_eq!(ann.delete(&path(&first)).await.refused(404), "not_found");
    }

    async fn so_many_new_keys_in_an_hour_and_no_more(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.new_keys_per_user = 2).await;
        let ann = service.sign_up("ann").await;
        let first = make(&ann, wanted("1", &["usage:read"])).await;
        ann.post(&format!("{}/rotate", path(&first)), json!({})).await.expect(201);
        assert_eq!(ann.post("/api/v1/api-keys", wanted("2", &["usage:read"])).await.refused(429), "too_many_requests");
        let sums = texts(&database, "SELECT COUNT(*) || '' FROM api_keys").await;
        assert_eq!(sums, ["2"]);
    }
}
