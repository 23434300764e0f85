//! Tokens that carry keys, and tokens where they do not belong.

use serde_json::json;

use super::{configure, make, token, wanted};
use crate::support::api::Service;
use crate::support::database::on_both;
use crate::support::dump::{dump, says};

const KEY: &str = "sk-proj-carried-0123456789abcdefghijklmnopqrstuvwxyz";

on_both! {
    async fn keys_that_a_token_carries_are_stored_nowhere(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let body = json!({ "purpose": "chat.completion", "apiKeys": { "openai": KEY, "openrouter": "sk-or-v1-abc" } });
        let made = ann.request(reqwest::Method::POST, "/api/v1/security-tokens").header("idempotency-key", "once").json(&body);
        let made = crate::support::api::send(made).await;
        assert_eq!(made.headers["cache-control"], "no-store");
        let made = made.expect(201);
        assert!(!token(&made).contains("sk-"));
        for (table, rows) in dump(&database).await {
            let is_there = rows.iter().any(|row| says(row, KEY) || says(row, token(&made)) || row.contains("pkst1"));
            assert!(!is_there, "{table}");
        }
        assert!(service.provider.checks().is_empty(), "the keys were shown to nobody");
    }

    async fn keys_that_a_token_cannot_carry_are_refused(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let long = format!("sk-{}", "k".repeat(500));
        for (keys, code) in [
            (json!({}), "invalid_input"),
            (json!({ "nobody": KEY }), "provider_unsupported"),
            (json!({ "openai": "" }), "invalid_input"),
            (json!({ "openai": "sk-ant-abc" }), "key_refused"),
            (json!({ "openai": "sk-admin-abc" }), "key_refused"),
            (json!({ "openai": "has blanks" }), "key_refused"),
            (json!({ "openai": "pkst1.k1.AAAA" }), "key_refused"),
            // Nobody says where that server is.
            (json!({ "custom": "a-key" }), "invalid_input"),
            (json!([KEY]), "invalid_input"),
        ] {
            let body = json!({ "purpose": "chat.completion", "apiKeys": keys });
            assert_eq!(ann.post("/api/v1/security-tokens", body).await.refused(422), code, "{keys}");
        }
        configure(&service, &ann).await;
        make(&ann, json!({ "purpose": "chat.completion", "apiKeys": { "custom": "a-key" } })).await;
        let models: Vec<String> = (0..20).map(|_| "m".repeat(200)).collect();
        let large = json!({ "purpose": "chat.completion", "apiKeys": { "openai": long, "gemini": format!("AIza{long}") .chars().take(500).collect::<String>() }, "models": models });
        assert_eq!(ann.post("/api/v1/security-tokens", large).await.refused(422), "invalid_input");
    }

    async fn a_token_in_an_address_is_refused_and_its_owner_is_told_once(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let made = make(&ann, wanted(&config)).await;
        for path in [format!("/api/docs?t={}", token(&made)), format!("/front-end/{}/chat", token(&made))] {
            assert_eq!(service.stranger().get(&path).await.refused(400), "credential_in_url", "{path}");
        }
        let told = ann.get("/api/notices").await.expect(200);
        assert_eq!((told["items"].as_array().unwrap().len(), &told["items"][0]["kind"]), (1, &json!("security_token_exposed")));
        // What only looks like one is anybody's.
        service.stranger().get("/api/docs?t=pkst1.k1.AAAA").await;
    }
}
