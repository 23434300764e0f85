//! With what one may chat: a session, a platform API key, a security token, or a key of one's own for one call.

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{KEY, PATH, calls, question, settle, streamed, words};
use crate::support::api::{Service, Visitor, send};
use crate::support::database::on_both;
use crate::support::dump::dump;
use crate::support::provider_server::ProviderServer;
use crate::support::raw::texts;
use crate::support::world::test_vault;

/// A key that is stored nowhere.
const OWN: &str = "sk-own-ABCDEFGHIJ0123456789";

async fn security_token(visitor: &Visitor, more: Value) -> String {
    let mut wanted = json!({ "purpose": "chat.completion" });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = visitor.post("/api/v1/security-tokens", wanted).await.expect(201);
    made["token"].as_str().unwrap().to_owned()
}

async fn token_of_configuration(visitor: &Visitor, more: Value) -> String {
    let listed = visitor.get("/api/ai-config").await.expect(200);
    let mut wanted = json!({ "configId": listed["items"][0]["id"] });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    security_token(visitor, wanted).await
}

async fn api_key(visitor: &Visitor, scopes: &[&str]) -> String {
    let wanted = json!({ "name": scopes.join(" "), "scopes": scopes, "expiresAt": "never" });
    visitor.post("/api/v1/api-keys", wanted).await.expect(201)["key"].as_str().unwrap().to_owned()
}

/// With a key for this call, at the scripted provider.
fn with_own_key(service: &Service, request: RequestBuilder) -> RequestBuilder {
    let request = request.header("x-user-api-key", OWN).header("x-user-provider", "custom");
    request.header("x-user-base-url", service.provider.base_url())
}

on_both! {
    async fn a_platform_api_key_chats_where_it_has_the_right(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        for (scopes, status) in [(["chat:create"], 200), (["tokens:create"], 200), (["mail:read"], 403)] {
            let program = service.visitor(&api_key(&ann, &scopes).await);
            assert_eq!(program.post(PATH, question("x")).await.status, status, "{scopes:?}");
            assert_eq!(program.post(PATH, streamed("x")).await.status, status, "{scopes:?}");
        }
        let program = service.visitor(&api_key(&ann, &["chat:create", "usage:read"]).await);
        assert_eq!(program.get("/api/v1/models").await.expect(200)["data"][0]["id"], "test-model");
        assert_eq!(calls(&database, 4).await.len(), service.provider.calls_of(KEY).len());
        service.end().await;
    }

    async fn a_security_token_chats_and_does_nothing_else(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let token = token_of_configuration(&ann, json!({})).await;
        let bearer = service.visitor(&token);
        assert_eq!(words(&bearer.post(PATH, streamed("x")).await), "Answer to: x");
        let stranger = service.stranger();
        let header = stranger.request(Method::POST, PATH).header("x-security-token", &token).json(&question("x"));
        send(header).await.expect(200);
        let mut field = question("x");
        field["security_token"] = json!(token);
        stranger.post(PATH, field).await.expect(200);
        // It is not handed on.
        assert!(service.provider.calls().iter().all(|call| !call.request.to_string().contains("pkst1")));
        assert_eq!(bearer.get("/api/v1/models").await.refused(401), "invalid_security_token");
        assert_eq!(calls(&database, 3).await, ["owner done - - 1 3"; 3]);
        service.end().await;
    }

    async fn a_body_that_only_mentions_a_token_is_read_as_it_came(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let ask = |fields: &str| {
            let body = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"What is a security_token?\"}}]{fields}}}");
            send(ann.request(Method::POST, PATH).header("content-type", "application/json").body(body))
        };
        ask("").await.expect(200);
        let twice = ask(",\"temperature\":0,\"temperature\":1").await;
        assert_eq!(twice.body["error"]["message"], "the call has the field `temperature` twice");
        assert_eq!(twice.refused(422), "invalid_input");
        service.end().await;
    }

    async fn a_token_and_a_key_do_not_go_together(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let token = token_of_configuration(&ann, json!({})).await;
        let mut in_body = question("x");
        in_body["security_token"] = json!(token);
        for request in [
            with_own_key(&service, service.visitor(&token).request(Method::POST, PATH)).json(&question("x")),
            with_own_key(&service, service.stranger().request(Method::POST, PATH)).json(&in_body),
            with_own_key(&service, service.stranger().request(Method::POST, PATH)).header("x-security-token", &token).json(&question("x")),
            ann.request(Method::POST, PATH).header("x-security-token", &token).json(&question("x")),
        ] {
            assert_eq!(send(request).await.refused(400), "conflicting_credentials");
        }
        assert!(service.provider.calls().is_empty());
        service.end().await;
    }

    async fn a_token_asks_no_other_model_and_no_other_configuration(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let token = token_of_configuration(&ann, json!({ "models": ["test-model"], "maxUses": 1 })).await;
        let bearer = service.visitor(&token);
        let mut asked = question("x");
        for model in [json!("dearer-model"), json!(null)] {
            asked["model"] = model;
            assert_eq!(bearer.post(PATH, asked.clone()).await.refused(401), "invalid_security_token");
        }
        asked["model"] = json!("test-model");
        bearer.post(PATH, asked.clone()).await.expect(200);
        assert_eq!(bearer.post(PATH, asked).await.refused(401), "invalid_security_token", "it is used up");
        // A token of one configuration does not reach another one by naming its model.
        let token = token_of_configuration(&ann, json!({})).await;
        let other = json!({ "provider": "openai", "apiKey": "sk-other-0123456789abcdef", "modelName": "gpt-5-mini" });
        ann.post("/api/ai-config", other).await.expect(201);
        let mut asked = question("x");
        asked["model"] = json!("gpt-5-mini");
        service.visitor(&token).post(PATH, asked).await.expect(200);
        assert_eq!(service.provider.calls_of(KEY)[1].request["model"], "gpt-5-mini");
        service.end().await;
    }

    async fn keys_inside_a_token_are_used_at_their_own_providers(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let token = security_token(&ann, json!({ "apiKeys": { "custom": OWN, "openai": "sk-inside-0123456789abcdef" } })).await;
        let ask = |provider: Option<&str>, model: Option<&str>| {
            let mut asked = question("x");
            asked["model"] = json!(model);
            let request = service.visitor(&token).request(Method::POST, PATH).json(&asked);
            send(match provider {
                Some(provider) => request.header("x-user-provider", provider),
                None => request,
            })
        };
        assert_eq!(ask(None, Some("m")).await.refused(400), "invalid_header", "one of two must be named");
        assert_eq!(ask(Some("gemini"), Some("m")).await.refused(400), "invalid_header");
        assert_eq!(ask(Some("custom"), None).await.refused(422), "invalid_input", "nothing says which model");
        ask(Some("custom"), Some("m")).await.expect(200);
        assert_eq!((service.provider.calls_of(OWN).len(), service.provider.calls_of(KEY).len()), (1, 0));
        assert_eq!(texts(&database, "SELECT payer || ' ' || provider FROM provider_calls WHERE ai_configuration_id IS NULL").await, ["owner openai_compatible"]);
        let rows = format!("{:?}", dump(&database).await);
        assert!(!rows.contains(OWN) && !rows.contains(KEY));
        service.end().await;
    }

    async fn a_key_inside_a_token_does_not_follow_its_configuration(database: TestDatabase) {
        let elsewhere = ProviderServer::start().await;
        let service = Service::start_with(&database, |config| {
            config.network.private_endpoints.push(elsewhere.address().to_string());
        }).await;
        let ann = settle(&service, "ann").await;
        let bearer = service.visitor(&security_token(&ann, json!({ "apiKeys": { "custom": OWN } })).await);
        let mut asked = question("x");
        asked["model"] = json!("m");
        bearer.post(PATH, asked.clone()).await.expect(200);
        let program = service.visitor(&api_key(&ann, &["configs:write"]).await);
        let id = ann.get("/api/ai-config").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/ai-config/{id}");
        program.put(&path, json!({ "apiKey": "their-key", "baseUrl": elsewhere.base_url() })).await.expect(200);
        assert_eq!(bearer.post(PATH, asked.clone()).await.refused(401), "invalid_security_token");
        assert!(elsewhere.calls().is_empty());
        // It is not over: its key is good where it was good.
        ann.put(&path, json!({ "apiKey": KEY, "baseUrl": service.provider.base_url() })).await.expect(200);
        bearer.post(PATH, asked.clone()).await.expect(200);
        ann.delete(&path).await.expect(204);
        assert_eq!(bearer.post(PATH, asked).await.refused(422), "no_key");
        service.end().await;
    }

    async fn a_key_inside_a_token_that_says_no_server_goes_nowhere(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let token = security_token(&ann, json!({ "apiKeys": { "custom": OWN } })).await;
        let vault = test_vault();
        let contents = vault.open_security_token(&token).unwrap();
        let mut contents: Value = serde_json::from_str(contents.expose_secret()).unwrap();
        contents.as_object_mut().unwrap().remove("url").expect("the server's address");
        let token = vault.seal_security_token(&SecretString::from(contents.to_string())).unwrap();
        let mut asked = question("x");
        asked["model"] = json!("m");
        assert_eq!(service.visitor(&token).post(PATH, asked).await.refused(401), "invalid_security_token");
        assert!(service.provider.calls().is_empty());
        service.end().await;
    }

    async fn a_key_of_ones_own_is_used_for_one_call_and_stored_nowhere(database: TestDatabase) {
        let service = Service::start(&database).await;
        // Somebody without any stored key.
        let ann = service.sign_up("ann").await;
        let mut asked = question("x");
        asked["model"] = json!("m");
        let ask = |asked: &Value| send(with_own_key(&service, ann.request(Method::POST, PATH)).json(asked));
        let answer = ask(&asked).await;
        assert!(!answer.text.contains(OWN) && !format!("{:?}", answer.headers).contains(OWN));
        answer.expect(200);
        assert_eq!(ask(&question("x")).await.refused(422), "invalid_input", "nothing says which model");
        asked["stream"] = json!(true);
        assert_eq!(words(&ask(&asked).await), "Answer to: x");
        assert_eq!(service.provider.calls_of(OWN).len(), 2);
        assert_eq!(ann.post(PATH, question("x")).await.refused(422), "no_key", "the key is gone");
        assert_eq!(calls(&database, 2).await, ["owner done - - 1 3"; 2]);
        assert!(!format!("{:?}", dump(&database).await).contains(OWN));
        service.end().await;
    }

    async fn a_key_of_ones_own_that_is_refused_harms_no_stored_one(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let refusal = crate::support::provider_server::Answer::status(401, "{\"error\":{\"code\":\"invalid_api_key\"}}");
        service.provider.always(OWN, refusal);
        let mut asked = question("x");
        asked["model"] = json!("m");
        let refused = send(with_own_key(&service, ann.request(Method::POST, PATH)).json(&asked)).await;
        assert_eq!(refused.refused(422), "key_refused");
        ann.post(PATH, question("x")).await.expect(200);
        assert_eq!(ann.get("/api/notices").await.expect(200)["items"], json!([]));
        service.end().await;
    }

    async fn a_key_goes_only_where_it_belongs(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut asked = question("x");
        asked["model"] = json!("m");
        let base = service.provider.base_url();
        for (key, provider, url, status, code) in [
            ("sk-or-v1-0123456789abcdef", None, None, 422, "key_refused"),
            ("gsk_0123456789abcdef", Some("openai"), None, 422, "key_refused"),
            ("sk-admin-0123456789abcdef", Some("custom"), Some(base.as_str()), 422, "key_refused"),
            ("two words", Some("custom"), Some(base.as_str()), 422, "key_refused"),
            (OWN, Some("anthropic"), None, 400, "invalid_header"),
            (OWN, Some("custom"), None, 400, "invalid_header"),
            (OWN, Some("openai"), Some(base.as_str()), 400, "invalid_header"),
            (OWN, Some("custom"), Some("http://169.254.169.254/v1"), 400, "invalid_header"),
            (OWN, Some("custom"), Some("https://10.0.0.1/v1"), 400, "invalid_header"),
            (OWN, Some("custom"), Some("https://localhost/v1"), 422, "provider_refused"),
            (OWN, None, Some("file:///etc/passwd"), 400, "invalid_header"),
        ] {
            let mut request = ann.request(Method::POST, PATH).header("x-user-api-key", key).json(&asked);
            if let Some(provider) = provider {
                request = request.header("x-user-provider", provider);
            }
            if let Some(url) = url {
                request = request.header("x-user-base-url", url);
            }
            let refused = send(request).await;
            assert!(!refused.text.contains(key), "{refused:?}");
            assert_eq!(refused.refused(status), code, "{key} {provider:?} {url:?}");
        }
        assert!(service.provider.calls().is_empty());
        service.end().await;
    }
}
