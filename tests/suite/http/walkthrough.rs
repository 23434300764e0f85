//! The whole way over HTTP and IMAP: sign up, save a key, make an agent, get mail; the reply is billed to that key.

use serde_json::{Value, json};

use crate::support::api::Service;
use crate::support::database::on_both;

const MAILS: usize = 5;

/// One owner's whole way; gives back what usage says of them.
async fn walk(service: &Service, name: &str) -> Value {
    let owner = service.sign_up(name).await;
    let key = format!("sk-own-{name}-0123456789");
    let saved = owner.post("/api/ai-config", service.ai_configuration(&key)).await.expect(201);
    assert_eq!(saved["api_key"], format!("{}...", &key[..10]));
    assert_eq!(saved["is_default"], true);
    let mailbox = service.mailbox(&format!("{name}@shop.test"));
    owner.post("/api/mailboxes", mailbox).await.expect(201);
    let agent = json!({ "name": "Support", "type": "email_inbound" });
    let agent = owner.post("/api/automation/agents", agent).await.expect(201);
    assert_eq!(agent["ready"], true, "{agent}");
    for number in 1..=MAILS {
        service.deliver(name, number);
    }
    let runs = owner.until_runs("replied", MAILS).await;
    assert!(runs.iter().all(|run| run["agent_id"] == agent["id"]), "{runs:?}");
    owner.get("/api/usage?group_by=payer").await.expect(200)
}

on_both! {
    async fn two_owners_at_once_are_answered_for_and_pay_for_themselves(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = tokio::join!(walk(&service, "ann"), walk(&service, "bob"));
        for usage in [ann, bob] {
            let items = usage["items"].as_array().unwrap();
            assert_eq!((items.len(), items[0]["payer"].as_str(), items[0]["calls"].as_u64()), (1, Some("owner"), Some(5)), "{usage}");
        }
        let calls = service.provider.calls();
        for name in ["ann", "bob"] {
            let own: Vec<_> = calls.iter().filter(|call| call.key == format!("sk-own-{name}-0123456789")).collect();
            assert_eq!(own.len(), MAILS, "{name}");
            let other = if name == "ann" { "bob@shop.test" } else { "ann@shop.test" };
            assert!(own.iter().all(|call| !call.request.to_string().contains(other)), "{name}");
        }
        assert_eq!((calls.len(), service.smtp.accepted().len()), (2 * MAILS, 2 * MAILS));
        service.end().await;
    }
}
