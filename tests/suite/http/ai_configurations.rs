//! Keys: saved, checked, masked, changed, deleted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::{Answered, Service, Visitor};
use crate::support::database::on_both;
use crate::support::provider_server::{Answer, ProviderServer};
use crate::support::wait::until;

const KEY: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789";

fn configuration(service: &Service, provider: &str, key: &str) -> Value {
    json!({ "provider": provider, "apiKey": key, "modelName": "test-model", "baseUrl": service.provider.base_url() })
}

async fn add(service: &Service, visitor: &Visitor, provider: &str, key: &str) -> Value {
    visitor.post("/api/ai-config", configuration(service, provider, key)).await.expect(201)
}

fn path(configuration: &Value) -> String {
    format!("/api/ai-config/{}", configuration["id"].as_str().unwrap())
}

async fn providers(visitor: &Visitor) -> Vec<(String, bool)> {
    let listed = visitor.get("/api/ai-config").await.expect(200);
    let items = listed["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["provider"].as_str().unwrap().to_owned(), item["is_default"].as_bool().unwrap()))
        .collect()
}

fn assert_hidden(answer: &Answered) {
    assert!(!answer.body.to_string().contains(&KEY[..12]), "{answer:?}");
}

on_both! {
    async fn a_key_goes_in_and_never_comes_out(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let saved = ann.post("/api/ai-config", configuration(&service, "openai", &format!("  {KEY}\n"))).await;
        assert_hidden(&saved);
        let saved = saved.expect(201);
        assert_eq!((saved["api_key"].as_str(), saved["api_key_last4"].as_str()), (Some("sk-proj-ab..."), Some("6789")));
        assert_eq!((saved["temperature"].as_f64(), saved["max_tokens"].as_i64()), (Some(0.7), Some(500)));
        assert_eq!((saved["is_default"].as_bool(), saved["model_name"].as_str()), (Some(true), Some("test-model")));
        assert!(saved["verified_at"].is_string());
        assert_eq!(service.provider.checks(), [KEY]);
        for answer in [ann.get("/api/ai-config").await, ann.get(&path(&saved)).await] {
            assert_hidden(&answer);
        }
        let changed = ann.put(&path(&saved), json!({ "temperature": 1, "max_tokens": null, "modelName": "other" })).await;
        assert_hidden(&changed);
        let changed = changed.expect(200);
        assert_eq!((changed["temperature"].as_f64(), changed["max_tokens"].as_i64()), (Some(1.0), Some(500)));
        assert_eq!((changed["model_name"].as_str(), changed["api_key"].as_str()), (Some("other"), Some("sk-proj-ab...")));
        assert_eq!(service.provider.checks().len(), 1, "the key did not change");
    }

    async fn a_provider_has_one_configuration_per_user(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let first = add(&service, &ann, "custom", "one-key").await;
        let again = ann.post("/api/ai-config", configuration(&service, "custom", "other-key")).await;
        assert_eq!(again.body["error"]["details"]["id"], first["id"]);
        assert_eq!(again.refused(409), "already_exists");
        assert_eq!(service.provider.checks(), ["one-key"], "nobody is shown a key that is not saved");
        add(&service, &bob, "custom", "one-key").await;
        let body = configuration(&service, "openai", KEY);
        let at_once = (0..6).map(|_| ann.post("/api/ai-config", body.clone()));
        let mut statuses: Vec<u16> = futures::future::join_all(at_once).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    }

    async fn there_is_always_one_default(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let custom = add(&service, &ann, "custom", "key-of-custom").await;
        let openai = add(&service, &ann, "openai", KEY).await;
        let openrouter = add(&service, &ann, "openrouter", "sk-or-v1-0123456789abcdef").await;
        let of = |default: &str| ["openai", "custom", "openrouter"].map(|name| (name.to_owned(), name == default)).to_vec();
        assert_eq!(providers(&ann).await, of("custom"));
        let made = ann.call(reqwest::Method::POST, &format!("{}/default", path(&openrouter)), None).await.expect(200);
        assert_eq!(made["is_default"], true);
        assert_eq!(providers(&ann).await, of("openrouter"));
        ann.put(&path(&openai), json!({ "isDefault": true })).await.expect(200);
        assert_eq!(providers(&ann).await, of("openai"));
        let taken_away = ann.put(&path(&openai), json!({ "isDefault": false })).await;
        assert_eq!(taken_away.refused(422), "invalid_input");
        assert_eq!(ann.delete(&path(&openai)).await.status, 204);
        assert_eq!(providers(&ann).await, [("custom".to_owned(), true), ("openrouter".to_owned(), false)]);
        assert_eq!(ann.delete(&path(&custom)).await.status, 204);
        assert_eq!(ann.delete(&path(&custom)).await.refused(404), "not_found");
        assert_eq!(providers(&ann).await, [("openrouter".to_owned(), true)]);
    }

    async fn first_keys_at_once_have_one_default(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        tokio::join!(
            add(&service, &ann, "custom", "key-of-custom"),
            add(&service, &ann, "openai", KEY),
            add(&service, &ann, "openrouter", "sk-or-v1-0123456789abcdef"),
        );
        assert_eq!(providers(&ann).await.iter().filter(|(_, is_default)| *is_default).count(), 1);
    }

    async fn a_key_that_the_provider_refuses_is_not_saved(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        service.provider.checked("refused-key", Answer::status(401, "{\"error\":{\"code\":\"invalid_api_key\"}}"));
        let refused = ann.post("/api/ai-config", configuration(&service, "custom", "refused-key")).await;
        assert_eq!(refused.refused(422), "key_refused");
        let managing = "sk-or-v1-managing-key-0123";
        service.provider.checked(managing, Answer::status(200, "{\"data\":{\"is_management_key\":true}}"));
        let refused = ann.post("/api/ai-config", configuration(&service, "openrouter", managing)).await;
        assert_eq!(refused.refused(422), "key_refused");
        for (provider, key) in [("openai", "sk-or-v1-0123456789abcdef"), ("openai", "sk-admin-0123456789abcdef"), ("openrouter", KEY)] {
            let refused = ann.post("/api/ai-config", configuration(&service, provider, key)).await;
            assert_eq!(refused.refused(422), "key_refused");
        }
        assert_eq!(service.provider.checks(), ["refused-key", managing], "a key of somebody else is shown to nobody");
        assert!(providers(&ann).await.is_empty());
    }

    async fn a_provider_that_is_away_leaves_the_key_unverified(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        service.provider.checked("a-key", Answer::status(503, "{}"));
        let saved = add(&service, &ann, "custom", "a-key").await;
        assert_eq!((saved["verified_at"].clone(), saved["state"].as_str()), (Value::Null, Some("active")));
        let verify = || async { ann.call(reqwest::Method::POST, &format!("{}/verify", path(&saved)), None).await.expect(200) };
        assert_eq!(verify().await, json!({ "verified": false, "reason": "overloaded" }));
        service.provider.checked("a-key", Answer::status(401, "{}"));
        assert_eq!(verify().await, json!({ "verified": false, "reason": "auth_invalid" }));
        assert_eq!(ann.get(&path(&saved)).await.expect(200)["state"], "invalid");
        // Whoever has asked may be a program.
        let told = ann.get("/api/notices").await.expect(200)["items"][0].clone();
        assert!(told["kind"] == "auth_invalid" && told["ended_at"].is_null(), "{told}");
        service.provider.checked("a-key", Answer::status(200, "{\"data\":[]}"));
        assert_eq!(verify().await, json!({ "verified": true, "reason": null }));
        let again = ann.get(&path(&saved)).await.expect(200);
        assert!(again["state"] == "active" && again["verified_at"].is_string(), "{again}");
        assert!(ann.get("/api/notices").await.expect(200)["items"][0]["ended_at"].is_string());
    }

    async fn a_key_stays_with_the_server_it_was_given_for(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let saved = add(&service, &ann, "openai", KEY).await;
        let moved = ann.put(&path(&saved), json!({ "baseUrl": "https://llm.example.com/v1" })).await;
        assert_eq!(moved.refused(422), "key_needed");
        let home = ann.put(&path(&saved), json!({ "baseUrl": null })).await;
        assert_eq!(home.refused(422), "key_needed");
        let same = ann.put(&path(&saved), json!({ "baseUrl": service.provider.base_url(), "provider": "openai" })).await;
        same.expect(200);
        let other = ann.put(&path(&saved), json!({ "provider": "openrouter" })).await;
        assert_eq!(other.refused(422), "invalid_input");
    }

    async fn a_key_stays_with_its_server_when_the_server_is_changed_meanwhile(database: TestDatabase) {
        let elsewhere = ProviderServer::start().await;
        let service = Service::start_with(&database, |config| {
            config.network.private_endpoints.push(elsewhere.address().to_string());
        }).await;
        let ann = service.sign_up("ann").await;
        let saved = path(&add(&service, &ann, "custom", "first-key").await);
        service.provider.checked("slow-key", Answer::status(200, "{\"data\":[]}").late(Duration::from_secs(5)));
        let (visitor, at) = (ann.clone(), saved.clone());
        let slow = tokio::spawn(async move { visitor.put(&at, json!({ "apiKey": "slow-key" })).await });
        let seconds = Duration::from_secs(20);
        until("the slow key is looked at", seconds, async || service.provider.checks().len() == 2).await;
        ann.put(&saved, json!({ "apiKey": "quick-key", "baseUrl": elsewhere.base_url() })).await.expect(200);
        assert_eq!(slow.await.unwrap().expect(200)["base_url"], service.provider.base_url());
        ann.call(reqwest::Method::POST, &format!("{saved}/verify"), None).await.expect(200);
        assert_eq!(elsewhere.checks(), ["quick-key"]);
        assert_eq!(service.provider.checks(), ["first-key", "slow-key", "slow-key"]);
    }

    async fn a_provider_that_cannot_be_called_is_refused_with_those_that_can(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let refused = ann.post("/api/ai-config", configuration(&service, "anthropic", "sk-ant-0123456789")).await;
        assert_eq!(refused.body["error"]["details"]["supported"], json!(["openai", "openrouter", "gemini", "custom"]));
        assert_eq!(refused.refused(422), "provider_unsupported");
    }

    async fn somebody_elses_key_is_not_there(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let saved = add(&service, &ann, "custom", "a-key").await;
        let path = path(&saved);
        assert_eq!(bob.get(&path).await.refused(404), "not_found");
        assert_eq!(bob.put(&path, json!({ "modelName": "theirs" })).await.refused(404), "not_found");
        assert_eq!(bob.delete(&path).await.refused(404), "not_found");
        for action in ["default", "verify"] {
            let refused = bob.call(reqwest::Method::POST, &format!("{path}/{action}"), None).await;
            assert_eq!(refused.refused(404), "not_found");
        }
        assert!(providers(&bob).await.is_empty());
        assert_eq!(ann.get(&path).await.expect(200)["model_name"], "test-model");
        assert_eq!(service.provider.checks().len(), 1);
    }
}
