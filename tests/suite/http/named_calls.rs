//! A creating call that comes again under its name is answered and not carried out again.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::api::{Answered, PASSWORD, Service, Visitor, send};
use crate::support::database::on_both;
use crate::support::raw::texts;

async fn named(visitor: &Visitor, name: &str, path: &str, body: Value) -> Answered {
    send(visitor.request(Method::POST, path).header("idempotency-key", name).json(&body)).await
}

on_both! {
    async fn a_call_that_comes_again_gets_its_first_answer(database: TestDatabase) {
        let service = Service::start(&database).await;
        let admin = service.sign_up("admin").await;
        let first = named(&admin, "one", "/api/invites", json!({})).await;
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let first = first.expect(201);
        let again = named(&admin, "one", "/api/invites", json!({})).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.expect(201), first);
        let second = named(&admin, "two", "/api/invites", json!({})).await.expect(201);
        assert_ne!(second["id"], first["id"]);
        assert_eq!(admin.get("/api/invites").await.expect(200)["items"].as_array().unwrap().len(), 2);
        // The answer holds a secret that is shown once.
        let kept = texts(&database, "SELECT answer FROM idempotency_keys").await.join(" ");
        assert!(kept.starts_with("v1.k1.") && !kept.contains(first["token"].as_str().unwrap()));
    }

    async fn a_name_is_one_calls(database: TestDatabase) {
        let service = Service::start(&database).await;
        let admin = service.sign_up("admin").await;
        named(&admin, "one", "/api/invites", json!({})).await.expect(201);
        let other = named(&admin, "one", "/api/invites", json!({ "email": "ann@owner.test" })).await;
        assert_eq!(other.refused(422), "idempotency_key_reused");
    }

    async fn a_name_is_one_users(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let body = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
        let anns = named(&ann, "one", "/api/ai-config", body.clone()).await.expect(201);
        let bobs = named(&bob, "one", "/api/ai-config", body).await.expect(201);
        assert_ne!(anns["id"], bobs["id"]);
    }

    async fn what_is_kept_of_a_call_tells_nobody_what_was_sent(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let body = service.ai_configuration("a-key");
        for visitor in [&ann, &bob] {
            named(visitor, "one", "/api/ai-config", body.clone()).await.expect(201);
        }
        let kept = texts(&database, "SELECT fingerprint FROM idempotency_keys").await;
        let sent = format!("\0POST\0/api/ai-config\0{body}");
        let guessed: String = Sha256::digest(sent).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(kept.len() == 2 && kept[0] != kept[1] && !kept.contains(&guessed), "{kept:?}");
    }

    async fn what_a_person_was_answered_no_key_gets(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let body = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
        named(&ann, "one", "/api/ai-config", body.clone()).await.expect(201);
        let key = json!({ "name": "writer", "scopes": ["configs:write"], "expiresAt": "never" });
        let key = ann.post("/api/v1/api-keys", key).await.expect(201);
        let program = service.visitor(key["key"].as_str().unwrap());
        let refused = named(&program, "one", "/api/ai-config", body.clone()).await;
        assert!(refused.body["error"]["message"].as_str().unwrap().contains("or by another key or token"), "{refused:?}");
        assert_eq!(refused.refused(422), "idempotency_key_reused");
        // The next session is the same person.
        let sign_in = json!({ "email": "ann@owner.test", "password": PASSWORD });
        let again = service.stranger().post("/api/auth/login", sign_in).await.expect(200);
        let again = service.visitor(again["token"].as_str().unwrap());
        assert_eq!(named(&again, "one", "/api/ai-config", body).await.headers["idempotency-replayed"], "true");
    }

    async fn of_calls_at_once_one_is_carried_out(database: TestDatabase) {
        let service = Service::start(&database).await;
        let admin = service.sign_up("admin").await;
        let calls = (0..8).map(|_| named(&admin, "one", "/api/invites", json!({})));
        for answer in futures::future::join_all(calls).await {
            assert!(answer.status == 201 || answer.body["error"]["code"] == "in_progress", "{answer:?}");
        }
        assert_eq!(admin.get("/api/invites").await.expect(200)["items"].as_array().unwrap().len(), 1);
    }

    async fn a_refused_call_may_be_corrected_under_its_name(database: TestDatabase) {
        let service = Service::start(&database).await;
        let admin = service.sign_up("admin").await;
        let refused = named(&admin, "one", "/api/invites", json!({ "email": "no address" })).await;
        assert_eq!(refused.refused(422), "invalid_input");
        named(&admin, "one", "/api/invites", json!({ "email": "ann@owner.test" })).await.expect(201);
        for name in ["", "a b", "x\u{e9}", &"x".repeat(256)] {
            let request = admin.request(Method::POST, "/api/invites");
            let value = reqwest::header::HeaderValue::from_bytes(name.as_bytes()).unwrap();
            let refused = send(request.header("idempotency-key", value).json(&json!({}))).await;
            assert_eq!(refused.refused(400), "invalid_header", "{name:?}");
        }
    }
}
