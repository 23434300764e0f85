//! Previews: the whole journey of a mail, and nobody is written to.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Answered, Service, Visitor, send};
use crate::support::database::on_both;
use crate::support::provider_server::Answer;
use crate::support::raw::texts;
use crate::support::wait::some;
use crate::support::world::letter;

async fn preview_path(visitor: &Visitor) -> String {
    let agents = visitor.get("/api/automation/agents").await.expect(200);
    format!("/api/automation/agents/{}/preview", agents["items"][0]["id"].as_str().unwrap())
}

fn pasted(number: usize) -> String {
    String::from_utf8(letter(number, "ann@shop.test")).unwrap()
}

async fn preview(visitor: &Visitor, body: Value) -> Answered {
    visitor.post(&preview_path(visitor).await, body).await
}

on_both! {
    async fn a_pasted_mail_is_answered_on_the_owners_key_and_goes_nowhere(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({ "signature": "Ann" })).await;
        let seen = preview(&ann, json!({ "mail": pasted(1) })).await.expect(200);
        assert_eq!(seen["gate"], json!({ "decision": "answer", "reason": null, "to": "person1@else.test" }));
        assert!(seen["prompt"]["system"].as_str().unwrap().contains("Answer helpfully"));
        assert!(seen["prompt"]["turns"][0]["text"].as_str().unwrap().contains("What about number 1?"));
        let reply = &seen["reply"];
        assert_eq!((reply["subject"].as_str(), reply["model"].as_str(), reply["finish"].as_str()), (Some("Re: Question 1"), Some("test-model"), Some("stop")));
        assert!(reply["text"].as_str().unwrap().contains("written by an AI system on behalf of ann"));
        assert!(reply["usage"]["input_tokens"].as_i64() > Some(0) && reply["usage"]["cost_usd"].is_null());
        assert_eq!(seen["outcome"]["state"], "replied");
        assert_eq!(service.provider.calls_of("key-of-ann").len(), 1);
        assert_eq!(ann.get("/api/runs").await.expect(200)["items"], json!([]));
        assert_eq!(texts(&database, "SELECT payer || ' ' || state FROM provider_calls WHERE run_id IS NULL").await, ["owner done"]);
        let user = service.store.find_user_by_email("ann@owner.test").await.unwrap().unwrap().id;
        assert_eq!(service.store.sum_usage(user).await.unwrap()[0].calls, 1);
        assert!(service.smtp.accepted().is_empty() && texts(&database, "SELECT recipient FROM outbox").await.is_empty());
        service.end().await;
    }

    async fn without_asking_the_prompt_is_shown_and_nothing_is_spent(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({})).await;
        let seen = preview(&ann, json!({ "mail": pasted(1), "ask": false })).await.expect(200);
        assert!(seen["prompt"]["system"].is_string() && seen["reply"].is_null() && seen["outcome"].is_null());
        assert!(service.provider.calls().is_empty());
        service.end().await;
    }

    async fn a_stored_message_is_previewed_by_another_agent(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.hire("ann", json!({})).await, service.hire("bob", json!({})).await);
        service.deliver("ann", 1);
        let run = ann.until_runs("replied", 1).await.remove(0);
        let other = json!({ "name": "Other", "type": "email_inbound", "mode": "draft", "instructions": "Rhyme.", "enabled": false });
        let other = ann.post("/api/automation/agents", other).await.expect(201);
        let path = format!("/api/automation/agents/{}/preview", other["id"].as_str().unwrap());
        let seen = ann.post(&path, json!({ "messageId": run["id"] })).await.expect(200);
        assert!(seen["prompt"]["system"].as_str().unwrap().contains("Rhyme."));
        assert_eq!((seen["outcome"]["state"].as_str(), seen["outcome"]["reason"].as_str()), (Some("held"), Some("draft")));
        assert_eq!(ann.get(&format!("/api/runs/{}", run["id"].as_str().unwrap())).await.expect(200)["state"], "replied");
        assert_eq!(service.smtp.accepted().len(), 1);
        let foreign = preview(&bob, json!({ "messageId": run["id"] })).await;
        assert_eq!(foreign.body["error"]["details"]["field"], "messageId");
        assert_eq!(foreign.refused(422), "invalid_input");
        assert_eq!(bob.post(&path, json!({ "mail": pasted(1) })).await.refused(404), "not_found");
        service.end().await;
    }

    async fn what_keeps_a_mail_from_being_answered_is_said_and_changes_nothing(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({ "blockedSenders": ["person2@else.test"] })).await;
        let list = pasted(1).replace("Subject:", "List-Id: <list.else.test>\r\nSubject:");
        let seen = preview(&ann, json!({ "mail": list })).await.expect(200);
        assert_eq!((seen["gate"]["decision"].as_str(), seen["gate"]["reason"].as_str()), (Some("skip"), Some("mailing_list")));
        assert!(seen["prompt"].is_null() && seen["outcome"]["state"] == "skipped");
        let blocked = preview(&ann, json!({ "mail": pasted(2) })).await.expect(200);
        assert_eq!((blocked["gate"]["decision"].as_str(), blocked["outcome"]["reason"].as_str()), (Some("answer"), Some("sender_blocked")));
        let wish = pasted(3).replace("What about number 3?", "Please leave me alone.");
        let seen = preview(&ann, json!({ "mail": wish })).await.expect(200);
        assert_eq!(seen["outcome"]["reason"], "opted_out");
        assert!(texts(&database, "SELECT address FROM suppressions").await.is_empty(), "nobody has written to us");
        assert!(service.provider.calls().is_empty());
        for rubbish in ["no mail at all", "\u{0}\u{1}", "From: x"] {
            preview(&ann, json!({ "mail": rubbish })).await.expect(200);
        }
        service.end().await;
    }

    async fn a_provider_that_refuses_is_told_and_its_key_is_marked(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({})).await;
        service.provider.next("key-of-ann", Answer::status(401, "{\"error\":{\"code\":\"invalid_api_key\"}}"));
        let seen = preview(&ann, json!({ "mail": pasted(1) })).await.expect(200);
        assert_eq!((seen["outcome"]["state"].as_str(), seen["outcome"]["reason"].as_str()), (Some("waiting"), Some("key_invalid")));
        assert!(seen["prompt"].is_object() && seen["reply"].is_null());
        assert_eq!(ann.get("/api/ai-config").await.expect(200)["items"][0]["state"], "invalid");
        preview(&ann, json!({ "mail": pasted(1) })).await.expect(200);
        assert_eq!(service.provider.calls().len(), 1, "a refused key is not tried again");
        service.end().await;
    }

    async fn so_many_previews_at_once_and_no_more_and_mails_do_not_wait_for_them(database: TestDatabase) {
        let service = Service::start_with(&database, |config| {
            config.http.chats_per_user = 2;
            config.provider.per_key = 1;
        })
        .await;
        let (ann, bob) = (service.hire("ann", json!({})).await, service.hire("bob", json!({})).await);
        service.provider.next("key-of-ann", Answer::Hang);
        service.provider.next("key-of-ann", Answer::Hang);
        let hanging: Vec<_> = (0..2)
            .map(|_| {
                let ann = ann.clone();
                tokio::spawn(async move { preview(&ann, json!({ "mail": pasted(1) })).await })
            })
            .collect();
        some("both are asked", Duration::from_secs(20), || async { (service.provider.calls().len() == 2).then_some(()) }).await;
        let refused = preview(&ann, json!({ "mail": pasted(1) })).await;
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(refused.refused(429), "too_many_requests");
        preview(&bob, json!({ "mail": pasted(1) })).await.expect(200);
        service.deliver("ann", 1);
        ann.until_runs("replied", 1).await;
        hanging.iter().for_each(tokio::task::JoinHandle::abort);
        service.end().await;
    }

    async fn a_named_preview_that_comes_again_is_asked_for_once(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.call_timeout = Duration::from_secs(1)).await;
        let ann = service.hire("ann", json!({})).await;
        service.provider.next("key-of-ann", Answer::Late(Duration::from_secs(3), Box::new(Answer::words(|_| "Late but good.".into()))));
        let path = preview_path(&ann).await;
        let named = || send(ann.request(Method::POST, &path).header("idempotency-key", "one").json(&json!({ "mail": pasted(1) })));
        // Longer than the usual call: a model takes its time.
        let first = named().await.expect(200);
        assert_eq!(named().await.expect(200), first);
        assert_eq!(service.provider.calls().len(), 1);
        service.end().await;
    }

    async fn what_cannot_be_previewed_is_refused(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.platform_key = Some(platform_key())).await;
        let ann = service.sign_up("ann").await;
        let agent = json!({ "name": "Support", "type": "email_inbound", "allowPlatformKey": true });
        ann.post("/api/automation/agents", agent).await.expect(201);
        assert_eq!(preview(&ann, json!({ "mail": pasted(1) })).await.refused(409), "wrong_state");
        let mailbox = ann.post("/api/mailboxes", service.mailbox("ann@shop.test")).await.expect(201);
        let path = preview_path(&ann).await;
        ann.put(path.trim_end_matches("/preview"), json!({ "mailboxId": mailbox["id"] })).await.expect(200);
        for body in [json!({}), json!({ "mail": " " }), json!({ "mail": pasted(1), "messageId": mailbox["id"] }), json!({ "messageId": mailbox["id"] }),
            json!({ "messageId": "7" }), json!({ "mail": 7 }), json!({ "mail": pasted(1), "ask": "no" }), json!({ "surprise": 1 })] {
            assert_eq!(ann.post(&path, body.clone()).await.refused(422), "invalid_input", "{body}");
        }
        // The operator pays for no previews.
        let seen = ann.post(&path, json!({ "mail": pasted(1) })).await.expect(200);
        assert_eq!(seen["outcome"]["reason"], "no_key");
        assert!(service.provider.calls().is_empty());
    }
}

fn platform_key() -> postkey::config::PlatformKey {
    postkey::config::PlatformKey {
        provider: "openai".into(),
        api_key: "sk-platform-0123456789".to_owned().into(),
        model: "m".into(),
        base_url: None,
    }
}
