//! Security tokens: what they are good for, and what they are not.

mod ending;
mod forged;
mod sealed;

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::api::{Answered, Service, Visitor, send};
use crate::support::database::on_both;

/// An AI configuration whose provider answers.
pub async fn configure(service: &Service, visitor: &Visitor) -> String {
    let body = json!({ "provider": "custom", "apiKey": "a-stored-key", "modelName": "m", "baseUrl": service.provider.base_url() });
    visitor.post("/api/ai-config", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// What makes a token to verify this AI configuration.
pub fn wanted(config: &str) -> Value {
    json!({ "purpose": "config.verify", "config_id": config })
}

/// Makes a token; the answer has it.
pub async fn make(visitor: &Visitor, wanted: Value) -> Value {
    visitor.post("/api/v1/security-tokens", wanted).await.expect(201)
}

/// The token of an answer.
pub fn token(made: &Value) -> &str {
    made["token"].as_str().unwrap()
}

/// The one call that such a token is for.
pub async fn verify(service: &Service, token: &str, config: &str) -> Answered {
    let call = service.stranger().request(Method::POST, &verify_path(config));
    send(call.header("x-security-token", token)).await
}

pub fn verify_path(config: &str) -> String {
    format!("/api/ai-config/{config}/verify")
}

/// Every refusal of a token is the same.
#[track_caller]
pub fn assert_refused(answer: Answered) {
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let message = "this security token is not good for this call; ask for a new one where it was made";
    let error = json!({ "error": { "code": "invalid_security_token", "message": message, "details": null } });
    assert_eq!((answer.status, answer.body), (401, error));
}

on_both! {
    async fn a_token_does_the_one_thing_that_it_was_made_for(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let made = make(&ann, wanted(&config)).await;
        assert!(token(&made).starts_with("pkst1.") && token(&made).len() <= 4096);
        assert_eq!(made["purpose"], "config.verify");
        verify(&service, token(&made), &config).await.expect(200);
        let stranger = service.stranger();
        for field in ["security_token", "securityToken"] {
            stranger.post(&verify_path(&config), json!({ field: token(&made) })).await.expect(200);
        }
        let bearer = service.visitor(token(&made));
        bearer.call(Method::POST, &verify_path(&config), None).await.expect(200);
        assert_eq!(service.provider.checks(), vec!["a-stored-key"; 5]);
        // Neither reads, nor lists, nor makes tokens or keys, in whatever way it is shown.
        for (method, path, body) in [
            (Method::GET, format!("/api/ai-config/{config}"), None),
            (Method::GET, "/api/ai-config".to_owned(), None),
            (Method::GET, "/api/usage".to_owned(), None),
            (Method::GET, "/api/auth/me".to_owned(), None),
            (Method::GET, "/api/invites".to_owned(), None),
            (Method::DELETE, format!("/api/ai-config/{config}"), None),
            (Method::POST, "/api/v1/security-tokens".to_owned(), Some(wanted(&config))),
            (Method::POST, "/api/v1/api-keys".to_owned(), Some(json!({ "name": "n", "scopes": ["usage:read"], "expiresAt": "never" }))),
        ] {
            assert_refused(bearer.call(method.clone(), &path, body.clone()).await);
            let call = stranger.request(method, &path).header("x-security-token", token(&made));
            assert_refused(send(if let Some(body) = body { call.json(&body) } else { call }).await);
        }
        let audit = ann.get("/api/audit").await.expect(200).to_string();
        assert!(audit.contains("security_token_made"));
    }

    async fn a_token_is_for_its_own_configuration_and_purpose(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let (anns, bobs) = (configure(&service, &ann).await, configure(&service, &bob).await);
        let other = json!({ "provider": "openai", "apiKey": "sk-another", "modelName": "m", "baseUrl": service.provider.base_url() });
        let other = ann.post("/api/ai-config", other).await.expect(201)["id"].as_str().unwrap().to_owned();
        let made = make(&ann, wanted(&anns)).await;
        for config in [&bobs, &other, "no-id", "01890a5d-ac96-774b-bcce-b302099a8057"] {
            assert_refused(verify(&service, token(&made), config).await);
        }
        for purpose in ["chat.completion", "agent.run", "agent.preview"] {
            let made = make(&ann, json!({ "purpose": purpose, "configId": anns })).await;
            assert_refused(verify(&service, token(&made), &anns).await);
        }
        let elsewhere = json!({ "purpose": "config.verify", "configId": anns, "ipAllow": ["203.0.113.0/24"] });
        assert_refused(verify(&service, token(&make(&ann, elsewhere).await), &anns).await);
        let here = json!({ "purpose": "config.verify", "configId": anns, "ipAllow": ["127.0.0.1"] });
        verify(&service, token(&make(&ann, here).await), &anns).await.expect(200);
    }

    async fn a_token_stands_alone(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let made = make(&ann, wanted(&config)).await;
        let key = json!({ "name": "n", "scopes": ["configs:write"], "expiresAt": "never" });
        let key = ann.post("/api/v1/api-keys", key).await.expect(201)["key"].as_str().unwrap().to_owned();
        let call = || service.stranger().request(Method::POST, &verify_path(&config));
        let header = || call().header("x-security-token", token(&made));
        let bearer = |text: &str| format!("Bearer {text}");
        for (what, both) in [
            ("session", header().header(AUTHORIZATION, bearer(&ann.token))),
            ("platform API key", header().header(AUTHORIZATION, bearer(&key))),
            ("itself as the bearer", header().header(AUTHORIZATION, bearer(token(&made)))),
            ("itself in the body", header().json(&json!({ "security_token": token(&made) }))),
            ("itself twice", header().header("x-security-token", token(&made))),
            ("user key", header().header("x-user-api-key", "sk-a-user-key")),
            ("user key in the body", header().json(&json!({ "api_key": "sk-a-user-key" }))),
            ("user key beside the bearer", call().header(AUTHORIZATION, bearer(token(&made))).header("x-user-api-key", "sk-a-user-key")),
            ("user key in the body beside the field", call().json(&json!({ "security_token": token(&made), "apiKey": "sk-a-user-key" }))),
        ] {
            assert_eq!(send(both).await.refused(400), "conflicting_credentials", "{what}");
        }
        assert!(service.provider.checks().len() == 1, "only what was asked when the key was saved");
        // Fields that are empty are no keys.
        send(header().header("x-user-api-key", "").json(&json!({ "api_key": "", "security_token": "" }))).await.expect(200);
        // A platform API key needs the right to do it itself, or to make such tokens.
        service.visitor(&key).post(&verify_path(&config), json!({})).await.expect(200);
    }

    async fn tokens_that_cannot_be_are_refused(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let (config, bobs) = (configure(&service, &ann).await, configure(&service, &bob).await);
        for (field, value) in [
            ("purpose", json!("everything")), ("purpose", json!(["config.verify", "agent.run"])), ("purpose", Value::Null),
            ("configId", Value::Null), ("configId", json!(bobs)), ("configId", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
            ("apiKeys", json!({ "openai": "sk-abc" })),
            ("expiresInMinutes", json!(0)), ("expiresInMinutes", json!(1441)), ("expiresInMinutes", json!(-1)), ("expiresInMinutes", json!(1.5)),
            ("maxUses", json!(0)), ("maxUses", json!(-1)), ("maxCostUsd", json!(1.5)),
            ("models", json!(["m"])), ("agentId", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
            ("ipAllow", json!(["here"])), ("scopes", json!(["usage:read"])),
        ] {
            let mut body = json!({ "purpose": "config.verify", "configId": config });
            body[field] = value.clone();
            let refused = ann.post("/api/v1/security-tokens", body).await;
            assert_eq!(refused.status, 422, "{field} {value} {refused:?}");
        }
        let documented = json!({ "purpose": "chat.completion", "config_id": config, "expires_in_minutes": 360, "max_uses": null,
            "max_cost_usd": null, "models": ["gpt-5.5-mini"], "agent_id": null, "ip_allow": [] });
        let made = make(&ann, documented).await;
        let left = chrono::DateTime::parse_from_rfc3339(made["expires_at"].as_str().unwrap()).unwrap().timestamp_millis()
            - service.store.clock().now().millis();
        assert!((359 * 60_000..=360 * 60_000).contains(&left), "{left}");
    }
}
