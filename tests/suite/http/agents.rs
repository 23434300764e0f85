//! Agents: made, changed, switched on and off, deleted.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Service, Visitor};
use crate::support::database::on_both;

const AGENTS: &str = "/api/automation/agents";

async fn make(visitor: &Visitor, body: Value) -> Value {
    visitor.post(AGENTS, body).await.expect(201)
}

fn path(agent: &Value) -> String {
    format!("{AGENTS}/{}", agent["id"].as_str().unwrap())
}

fn named(name: &str) -> Value {
    json!({ "name": name, "type": "email_inbound" })
}

on_both! {
    async fn a_name_and_a_type_are_enough(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let agent = make(&ann, named("Support")).await;
        assert_eq!((agent["ready"].as_bool(), &agent["missing"]), (Some(false), &json!(["mailbox", "ai_config"])));
        assert_eq!((agent["mode"].as_str(), agent["enabled"].as_bool()), (Some("automatic"), Some(true)));
        assert!(agent["instructions"].as_str().unwrap().starts_with("Answer helpfully"));
        for field in ["mailbox_id", "address", "ai_config_id", "signature", "disclosure", "language"] {
            assert!(agent[field].is_null(), "{field}");
        }
        assert_eq!(ann.get(&path(&agent)).await.expect(200), agent);
    }

    async fn every_setting_goes_in_and_comes_out(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let settings = json!({
            "name": "Support", "type": "email_inbound", "instructions": "Be kind.\nBe brief.", "address": "Sales@Shop.test",
            "mode": "draft", "ambiguous": "verify", "allowPlatformKey": true, "enabled": false,
            "allowedSenders": ["ann@example.com", "@Example.ORG"], "blockedSenders": ["spam.example"],
            "requireAuthenticated": true, "linkDomains": ["shop.example"],
            "limits": { "perCorrespondent10Minutes": 1, "perCorrespondentDay": 2, "perThreadDay": 3, "perAgentDay": 4 },
            "signature": "Ann\nThe Shop", "disclosure": "{owner}'s AI wrote this; HUMAN gets a person.", "language": "de",
        });
        let agent = make(&ann, settings).await;
        let expected = json!({
            "name": "Support", "type": "email_inbound", "instructions": "Be kind.\nBe brief.", "address": "sales@shop.test",
            "mode": "draft", "ambiguous": "verify", "allow_platform_key": true, "enabled": false,
            "allowed_senders": ["ann@example.com", "example.org"], "blocked_senders": ["spam.example"],
            "require_authenticated": true, "link_domains": ["shop.example"],
            "limits": { "per_correspondent_10_minutes": 1, "per_correspondent_day": 2, "per_thread_day": 3, "per_agent_day": 4 },
            "signature": "Ann\nThe Shop", "disclosure": "{owner}'s AI wrote this; HUMAN gets a person.", "language": "de",
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&agent[field], value, "{field}");
        }
        // An answer can be sent back: snake_case is understood.
        let mut again = agent.clone();
        for given in ["id", "ready", "missing", "created_at"] {
            again.as_object_mut().unwrap().remove(given);
        }
        assert_eq!(ann.put(&path(&agent), again).await.expect(200), agent);
        let cleared = json!({
            "instructions": null, "address": null, "mode": null, "ambiguous": null, "allowPlatformKey": null,
            "allowedSenders": null, "blockedSenders": null, "requireAuthenticated": null, "linkDomains": null,
            "limits": null, "signature": null, "disclosure": null, "language": null, "enabled": true,
        });
        let cleared = ann.put(&path(&agent), cleared).await.expect(200);
        let mut plain = make(&ann, named("Other")).await;
        for field in ["id", "name", "created_at"] {
            plain[field] = cleared[field].clone();
        }
        assert_eq!(cleared, plain);
    }

    async fn an_agent_takes_its_owners_only_mailbox(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        bob.post("/api/mailboxes", service.mailbox("bob@shop.test")).await.expect(201);
        let mailbox = ann.post("/api/mailboxes", service.mailbox("ann@shop.test")).await.expect(201);
        let agent = make(&ann, named("Support")).await;
        assert_eq!((&agent["mailbox_id"], &agent["missing"]), (&mailbox["id"], &json!(["ai_config"])));
        ann.post("/api/ai-config", service.ai_configuration("a-key")).await.expect(201);
        let ready = ann.get(&path(&agent)).await.expect(200);
        assert_eq!((ready["ready"].as_bool(), &ready["missing"]), (Some(true), &json!([])));
        let paused = format!("/api/mailboxes/{}/pause", mailbox["id"].as_str().unwrap());
        ann.call(Method::POST, &paused, None).await.expect(200);
        assert_eq!(ann.get(&path(&agent)).await.expect(200)["missing"], json!(["active_mailbox"]));
        // One agent answers for it already, and the second one has no address of its own.
        let second = make(&ann, named("Sales")).await;
        assert_eq!((second["mailbox_id"].clone(), &second["missing"]), (Value::Null, &json!(["mailbox"])));
        let shared = ann.put(&path(&second), json!({ "mailboxId": mailbox["id"] })).await;
        assert_eq!(shared.body["error"]["details"]["id"], agent["id"]);
        assert_eq!(shared.refused(409), "address_taken");
        let apart = json!({ "mailboxId": mailbox["id"], "address": "sales@shop.test" });
        ann.put(&path(&second), apart).await.expect(200);
        let alike = json!({ "name": "Third", "type": "email_inbound", "mailboxId": mailbox["id"], "address": "SALES@shop.test" });
        assert_eq!(ann.post(AGENTS, alike.clone()).await.refused(409), "address_taken");
        let mut asleep = alike;
        asleep["enabled"] = json!(false);
        let third = make(&ann, asleep).await;
        let woken = ann.call(Method::POST, &format!("{}/enable", path(&third)), None).await;
        assert_eq!(woken.refused(409), "address_taken");
        ann.post("/api/mailboxes", service.mailbox("two@shop.test")).await.expect(201);
        let unsure = make(&ann, named("Fourth")).await;
        assert_eq!((unsure["mailbox_id"].clone(), &unsure["missing"]), (Value::Null, &json!(["mailbox"])));
    }

    async fn what_is_left_out_stays(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut body = named("Support");
        body["signature"] = json!("Ann");
        let agent = make(&ann, body).await;
        let mut expected = agent.clone();
        expected["mode"] = json!("draft");
        assert_eq!(ann.put(&path(&agent), json!({ "mode": "draft" })).await.expect(200), expected);
        assert_eq!(ann.put(&path(&agent), json!({})).await.expect(200), expected);
    }

    async fn a_name_is_one_agents(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let agent = make(&ann, named("Support")).await;
        let other = make(&ann, named("Sales")).await;
        make(&bob, named("Support")).await;
        let again = ann.post(AGENTS, named("Support")).await;
        assert_eq!(again.body["error"]["details"]["id"], agent["id"]);
        assert_eq!(again.refused(409), "already_exists");
        let renamed = ann.put(&path(&other), json!({ "name": "Support" })).await;
        assert_eq!(renamed.refused(409), "already_exists");
        ann.put(&path(&agent), json!({ "name": "Support", "type": "email_inbound" })).await.expect(200);
        let at_once = (0..6).map(|_| ann.post(AGENTS, named("Third")));
        let mut statuses: Vec<u16> = futures::future::join_all(at_once).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    }

    async fn an_agent_that_cannot_be_is_refused_with_its_field(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let agent = make(&ann, named("Support")).await;
        let config = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
        let bobs = bob.post("/api/ai-config", config).await.expect(201);
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("a\nb")),
            ("name", json!(null)),
            ("type", json!("chat")),
            ("type", json!(7)),
            ("instructions", json!(" \n")),
            ("instructions", json!("a\u{0}b")),
            ("instructions", json!("x".repeat(65_537))),
            ("mailboxId", json!("7")),
            ("mailboxId", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
            ("aiConfigId", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
            ("aiConfigId", bobs["id"].clone()),
            ("address", json!("no address")),
            ("mode", json!("fast")),
            ("ambiguous", json!("resend")),
            ("enabled", json!("yes")),
            ("allowedSenders", json!(["not a domain"])),
            ("allowedSenders", json!("ann@example.com")),
            ("allowedSenders", json!(vec!["a.example"; 1001])),
            ("linkDomains", json!(["https://shop.example"])),
            ("signature", json!("x".repeat(2001))),
            ("disclosure", json!("Written by {owner}. Reply HUMAN.")),
            ("language", json!("xx")),
        ] {
            let mut body = named("Another");
            body[field] = value.clone();
            let refused = ann.post(AGENTS, body).await;
            let named = refused.body["error"]["details"]["field"].as_str().unwrap_or_default().to_owned();
            assert!(named == field || named.starts_with(&format!("{field}[")), "{field} {value} {refused:?}");
            assert_eq!(refused.refused(422), "invalid_input", "{field} {value}");
            if field == "name" && value.is_null() {
                continue;
            }
            assert_eq!(ann.put(&path(&agent), json!({ field: value.clone() })).await.refused(422), "invalid_input", "{field} {value}");
        }
        let limits = json!({ "limits": { "perThreadDay": 0 } });
        let refused = ann.put(&path(&agent), limits).await;
        assert_eq!(refused.body["error"]["details"]["field"], "limits.perThreadDay");
        for unknown in [json!({ "surprise": 1 }), json!({ "limits": { "surprise": 1 } })] {
            assert_eq!(ann.put(&path(&agent), unknown).await.refused(422), "invalid_input");
        }
        assert_eq!(ann.post(AGENTS, json!({ "name": "x" })).await.refused(422), "invalid_input");
        assert_eq!(ann.get(AGENTS).await.expect(200)["items"], json!([agent]));
    }

    async fn an_agent_is_switched_off_and_on_and_deleted(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let agent = make(&ann, named("Support")).await;
        let post = |action: &str| {
            let path = format!("{}/{action}", path(&agent));
            let ann = ann.clone();
            async move { ann.call(Method::POST, &path, None).await.expect(200) }
        };
        assert_eq!(post("disable").await["enabled"], false);
        assert_eq!(post("disable").await["enabled"], false);
        assert_eq!(post("enable").await["enabled"], true);
        assert_eq!(ann.delete(&path(&agent)).await.status, 204);
        assert_eq!(ann.delete(&path(&agent)).await.refused(404), "not_found");
        assert_eq!(ann.get(&path(&agent)).await.refused(404), "not_found");
        let user = service.store.find_user_by_email("ann@owner.test").await.unwrap().unwrap().id;
        let entries = service.store.list_audit_entries(user, None, 10).await.unwrap();
        let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["agent_deleted", "agent_enabled", "agent_disabled", "agent_disabled", "agent_added", "signed_up"]);
        let subject = format!("agent:{}", agent["id"].as_str().unwrap());
        assert!(entries[..5].iter().all(|entry| entry.subject.as_deref() == Some(&subject) && entry.address.is_some()));
    }

    async fn somebody_elses_agent_is_not_there(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let agent = make(&ann, named("Support")).await;
        let path = path(&agent);
        let nobodys = format!("{AGENTS}/01890a5d-ac96-774b-bcce-b302099a8057");
        for action in ["enable", "disable"] {
            let foreign = bob.call(Method::POST, &format!("{path}/{action}"), None).await;
            let unknown = bob.call(Method::POST, &format!("{nobodys}/{action}"), None).await;
            assert_eq!(foreign.body, unknown.body);
            assert_eq!(foreign.refused(404), "not_found");
        }
        assert_eq!(bob.get(&path).await.refused(404), "not_found");
        assert_eq!(bob.put(&path, json!({ "name": "Mine" })).await.refused(404), "not_found");
        assert_eq!(bob.delete(&path).await.refused(404), "not_found");
        assert_eq!(bob.get(AGENTS).await.expect(200)["items"], json!([]));
        assert_eq!(ann.get(&path).await.expect(200), agent);
    }

    async fn agents_come_in_pieces(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        for name in ["a", "b", "c"] {
            make(&ann, named(name)).await;
        }
        let first = ann.get(&format!("{AGENTS}?limit=2")).await.expect(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = ann.get(&format!("{AGENTS}?limit=2&cursor={cursor}")).await.expect(200);
        let names = |page: &Value| page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect::<Vec<_>>();
        assert_eq!((names(&first), names(&second)), (vec![json!("a"), json!("b")], vec![json!("c")]));
        assert!(second["next_cursor"].is_null());
    }
}
