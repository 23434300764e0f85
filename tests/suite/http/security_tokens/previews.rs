//! Tokens to see what an agent would answer.

use serde_json::{Value, json};

use super::{assert_refused, make, token};
use crate::support::api::{Service, Visitor};
use crate::support::database::on_both;
use crate::support::world::letter;

fn path(agent: &str) -> String {
    format!("/api/automation/agents/{agent}/preview")
}

fn pasted() -> Value {
    json!({ "mail": String::from_utf8(letter(1, "ann@shop.test")).unwrap() })
}

/// The id of a second key, beside the one that the agent uses.
async fn second_key(service: &Service, visitor: &Visitor) -> Value {
    let body = json!({ "provider": "openrouter", "apiKey": "sk-or-second", "modelName": "m", "baseUrl": service.provider.base_url() });
    visitor.post("/api/ai-config", body).await.expect(201)["id"].clone()
}

on_both! {
    async fn a_preview_with_a_token_is_made_on_the_key_of_the_token(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({})).await;
        let agents = ann.get("/api/automation/agents").await.expect(200);
        let agent = agents["items"][0]["id"].as_str().unwrap();
        let config = second_key(&service, &ann).await;
        let made = make(&ann, json!({ "purpose": "agent.preview", "configId": config })).await;
        let bearer = service.visitor(token(&made));
        let seen = bearer.post(&path(agent), pasted()).await.expect(200);
        assert!(seen["reply"]["words"].is_string());
        assert_eq!((service.provider.calls_of("sk-or-second").len(), service.provider.calls_of("key-of-ann").len()), (1, 0));
        // In the body it is taken out before the fields are looked at.
        let mut body = pasted();
        body["security_token"] = json!(token(&made));
        service.stranger().post(&path(agent), body.clone()).await.expect(200);
        body["security_token"] = Value::Null;
        ann.post(&path(agent), body).await.expect(200);
        // It does not open the mailbox.
        let stored = json!({ "messageId": "01890a5d-ac96-774b-bcce-b302099a8057" });
        assert_eq!(bearer.post(&path(agent), stored).await.refused(403), "forbidden");
        service.end().await;
    }

    async fn a_token_for_one_agent_is_for_no_other(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.hire("ann", json!({})).await, service.hire("bob", json!({})).await);
        let id = async |visitor: &Visitor| visitor.get("/api/automation/agents").await.expect(200)["items"][0]["id"].clone();
        let (own, bobs) = (id(&ann).await, id(&bob).await);
        let other = json!({ "name": "Other", "type": "email_inbound", "instructions": "Rhyme.", "enabled": false });
        let other = ann.post("/api/automation/agents", other).await.expect(201)["id"].clone();
        let config = second_key(&service, &ann).await;
        let body = json!({ "purpose": "agent.preview", "configId": config, "agentId": own });
        let made = make(&ann, body.clone()).await;
        let bearer = service.visitor(token(&made));
        bearer.post(&path(own.as_str().unwrap()), pasted()).await.expect(200);
        for agent in [&other, &bobs] {
            assert_refused(bearer.post(&path(agent.as_str().unwrap()), pasted()).await);
        }
        let mut foreign = body;
        foreign["agentId"] = bobs;
        assert_eq!(ann.post("/api/v1/security-tokens", foreign).await.refused(422), "invalid_input");
        for purpose in ["chat.completion", "config.verify"] {
            let without_agents = json!({ "purpose": purpose, "configId": config, "agentId": own });
            assert_eq!(ann.post("/api/v1/security-tokens", without_agents).await.refused(422), "invalid_input");
        }
        ann.delete(&format!("/api/automation/agents/{}", own.as_str().unwrap())).await.expect(204);
        assert_refused(bearer.post(&path(own.as_str().unwrap()), pasted()).await);
        service.end().await;
    }
}
