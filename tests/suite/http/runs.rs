//! Runs over HTTP: found, explained, tried again, approved, edited, discarded; messages as they came in.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Service, Visitor};
use crate::support::database::on_both;
use crate::support::office::read;
use crate::support::provider_server::Answer;
use crate::support::smtp_server::{Fault, Rule, Step};
use crate::support::wait::until;

fn path(run: &Value) -> String {
    format!("/api/runs/{}", run["id"].as_str().unwrap())
}

async fn held_draft(service: &Service, name: &str) -> (Visitor, Value) {
    let owner = service.hire(name, json!({ "mode": "draft" })).await;
    service.deliver(name, 1);
    let run = owner.until_runs("held", 1).await.remove(0);
    (owner, run)
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

fn steps(run: &Value) -> Vec<&str> {
    run["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}

on_both! {
    async fn a_run_explains_itself_and_says_what_it_used(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({})).await;
        service.deliver("ann", 1);
        let run = ann.until_runs("replied", 1).await.remove(0);
        let run = ann.get(&path(&run)).await.expect(200);
        assert_eq!(run["explanation"], "Answered: the reply was handed over to the mail server.");
        assert_eq!(steps(&run), ["received", "asked", "answered", "written", "handing_over", "sent", "ended"]);
        let calls = run["calls"].as_array().unwrap();
        assert_eq!((calls.len(), calls[0]["payer"].as_str(), calls[0]["model"].as_str()), (1, Some("owner"), Some("test-model")));
        assert!(calls[0]["latency_ms"].is_i64() && run["usage"] == calls[0]["usage"] && run["usage"]["input_tokens"].as_i64() > Some(0));
        assert_eq!(run["may"], json!([]));
        let reply = ann.get(&format!("{}/reply", path(&run))).await.expect(200);
        assert_eq!((reply["state"].as_str(), reply["to"].as_str()), (Some("sent"), Some("person1@else.test")));
        assert_eq!((reply["subject"].as_str(), reply["edited"].as_bool()), (Some("Re: Question 1"), Some(false)));
        assert!(reply["text"].as_str().unwrap().contains("What about number 1?"));
        for (action, query) in [("retry", ""), ("retry", "?resend=true"), ("approve", ""), ("discard", "")] {
            assert_eq!(ann.act(&format!("{}/{action}{query}", path(&run))).await.refused(409), "wrong_state", "{action}{query}");
        }
        assert_eq!(ann.post(&format!("{}/edit", path(&run)), json!({ "text": "No." })).await.refused(409), "wrong_state");
        service.end().await;
    }

    async fn an_approved_draft_goes_out_as_it_was_written(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, run) = held_draft(&service, "ann").await;
        let detail = ann.get(&path(&run)).await.expect(200);
        assert_eq!(strings(&detail["may"]), ["resend", "approve", "edit", "discard"]);
        assert_eq!(detail["reason"], "draft");
        let draft = ann.get(&format!("{}/reply", path(&run))).await.expect(200);
        assert_eq!(draft["state"], "ready");
        assert!(service.smtp.accepted().is_empty());
        assert_eq!(ann.act(&format!("{}/retry", path(&run))).await.refused(409), "wrong_state");
        ann.act(&format!("{}/approve", path(&run))).await.expect(200);
        ann.until_runs("replied", 1).await;
        let sent = service.smtp.accepted();
        assert_eq!((sent.len(), service.provider.calls().len()), (1, 1));
        assert_eq!(read(&sent[0]).message_id.unwrap().as_str(), draft["message_id"].as_str().unwrap());
        assert_eq!(ann.act(&format!("{}/approve", path(&run))).await.refused(409), "wrong_state");
        let user = service.store.find_user_by_email("ann@owner.test").await.unwrap().unwrap().id;
        let newest = service.store.list_audit_entries(user, None, 1).await.unwrap().remove(0);
        assert_eq!((newest.action.as_str(), newest.subject), ("run_approved", Some(format!("run:{}", run["id"].as_str().unwrap()))));
        service.end().await;
    }

    async fn an_edited_draft_says_what_its_owner_wrote(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, run) = held_draft(&service, "ann").await;
        let before = ann.get(&format!("{}/reply", path(&run))).await.expect(200);
        for text in [json!(" \n"), json!("a\u{0}b"), json!("x".repeat(16_001)), json!(7), json!(null)] {
            let refused = ann.post(&format!("{}/edit", path(&run)), json!({ "text": text })).await;
            assert_eq!(refused.refused(422), "invalid_input");
        }
        // What would make a model's answer unusable is the owner's own business.
        let text = "We open at **nine**. [[NO REPLY]]";
        ann.post(&format!("{}/edit", path(&run)), json!({ "text": text })).await.expect(200);
        ann.until_runs("replied", 1).await;
        let sent = service.smtp.accepted();
        assert_eq!((sent.len(), service.provider.calls().len()), (1, 1), "nobody was asked again");
        let mail = read(&sent[0]);
        assert!(mail.text.visible.starts_with("We open at nine. [[NO REPLY]]\n\nThis answer was written by an AI system"), "{}", mail.text.visible);
        assert_eq!(sent[0].to, ["person1@else.test"]);
        assert_eq!((mail.subject.as_str(), mail.in_reply_to[0].as_str()), ("Re: Question 1", "question-1@else.test"));
        let after = ann.get(&format!("{}/reply", path(&run))).await.expect(200);
        assert_eq!((after["words"].as_str(), after["edited"].as_bool()), (Some(text), Some(true)));
        assert_ne!(after["message_id"], before["message_id"]);
        service.end().await;
    }

    async fn words_stay_once_somebody_has_tried_to_send_them(database: TestDatabase) {
        let service = Service::start(&database).await;
        service.smtp.rule(Rule::at(Step::AfterDot, Fault::Cut).times(1));
        let ann = service.hire("ann", json!({})).await;
        service.deliver("ann", 1);
        let run = ann.until_runs("held", 1).await.remove(0);
        let detail = ann.get(&path(&run)).await.expect(200);
        assert_eq!((detail["reason"].as_str(), strings(&detail["may"])), (Some("ambiguous"), vec!["resend", "discard"]));
        let frozen = ann.get(&format!("{}/reply", path(&run))).await.expect(200);
        assert_eq!(ann.post(&format!("{}/edit", path(&run)), json!({ "text": "Other." })).await.refused(409), "wrong_state");
        assert_eq!(ann.act(&format!("{}/approve", path(&run))).await.refused(409), "wrong_state");
        assert_eq!(ann.act(&format!("{}/retry", path(&run))).await.refused(409), "wrong_state");
        ann.act(&format!("{}/retry?resend=true", path(&run))).await.expect(200);
        ann.until_runs("replied", 1).await;
        assert_eq!(read(&service.smtp.accepted()[0]).message_id.unwrap().as_str(), frozen["message_id"].as_str().unwrap());
        service.end().await;
    }

    async fn a_draft_whose_sending_was_begun_is_not_edited(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.smtp.retry_first = Duration::from_secs(600)).await;
        let (ann, run) = held_draft(&service, "ann").await;
        service.smtp.rule(Rule::at(Step::Body, Fault::Reply("451 4.3.0 later")));
        service.smtp.rule(Rule::at(Step::AfterDot, Fault::Reply("451 4.3.0 later")));
        ann.act(&format!("{}/approve", path(&run))).await.expect(200);
        ann.until_runs("waiting", 1).await;
        assert_eq!(ann.post(&format!("{}/edit", path(&run)), json!({ "text": "Other." })).await.refused(409), "wrong_state");
        service.end().await;
    }

    async fn a_discarded_draft_is_not_answered(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, run) = held_draft(&service, "ann").await;
        let ended = ann.act(&format!("{}/discard", path(&run))).await.expect(200);
        assert_eq!((ended["state"].as_str(), ended["reason"].as_str()), (Some("skipped"), Some("discarded")));
        assert_eq!(ended["explanation"], "Not answered: its owner has decided so.");
        assert!(ended["ended_at"].is_string());
        assert_eq!(ann.act(&format!("{}/discard", path(&run))).await.refused(409), "wrong_state");
        let user = service.store.find_user_by_email("ann@owner.test").await.unwrap().unwrap().id;
        assert!(service.store.list_notices(user, None, 10).await.unwrap().iter().all(|notice| notice.ended_at.is_some()));
        // A change of mind: written anew of the same words, and held again.
        ann.act(&format!("{}/retry", path(&run))).await.expect(200);
        ann.until_runs("held", 1).await;
        assert_eq!((service.provider.calls().len(), service.smtp.accepted().len()), (1, 0));
        service.end().await;
    }

    async fn of_two_decisions_at_once_one_holds(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, run) = held_draft(&service, "ann").await;
        let (approve, discard) = (format!("{}/approve", path(&run)), format!("{}/discard", path(&run)));
        let (approved, discarded) = tokio::join!(ann.act(&approve), ann.act(&discard));
        let mut statuses = [approved.status, discarded.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        service.end().await;
    }

    async fn a_failed_run_is_tried_again(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({})).await;
        service.provider.next("key-of-ann", Answer::status(400, "{\"error\":{\"message\":\"no\"}}"));
        service.deliver("ann", 1);
        let run = ann.until_runs("failed", 1).await.remove(0);
        let detail = ann.get(&path(&run)).await.expect(200);
        assert_eq!((detail["reason"].as_str(), strings(&detail["may"])), (Some("provider_rejects"), vec!["retry"]));
        assert_eq!(steps(&detail), ["received", "asked", "call_failed", "ended"]);
        assert_eq!(ann.get(&format!("{}/reply", path(&run))).await.refused(404), "not_found");
        assert_eq!(ann.act(&format!("{}/retry?resend=true", path(&run))).await.refused(409), "wrong_state");
        ann.act(&format!("{}/retry", path(&run))).await.expect(200);
        ann.until_runs("replied", 1).await;
        service.end().await;
    }

    async fn runs_and_messages_are_found_by_what_they_are(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({ "blockedSenders": ["person2@else.test"] })).await;
        for number in 1..=3 {
            service.deliver("ann", number);
        }
        ann.until_runs("replied", 2).await;
        ann.until_runs("skipped", 1).await;
        let found = async |path: &str| ann.get(path).await.expect(200)["items"].as_array().unwrap().len();
        let all = ann.get("/api/runs").await.expect(200)["items"].clone();
        let (mailbox, agent) = (all[0]["mailbox_id"].as_str().unwrap(), all[0]["agent_id"].as_str());
        let agent = agent.or(all[1]["agent_id"].as_str()).unwrap();
        let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
        for (query, runs, messages) in [
            (String::new(), 3, 3),
            (format!("mailbox={mailbox}"), 3, 3),
            (format!("mailbox={nobody}"), 0, 0),
            ("since=2020-01-01T00:00:00Z".to_owned(), 3, 3),
            ("since=2200-01-01T00:00:00Z".to_owned(), 0, 0),
            ("until=2020-01-01T00:00:00%2B02:00".to_owned(), 0, 0),
            ("until=2200-01-01T00:00:00Z".to_owned(), 3, 3),
        ] {
            assert_eq!(found(&format!("/api/runs?{query}")).await, runs, "{query}");
            assert_eq!(found(&format!("/api/messages?{query}")).await, messages, "{query}");
        }
        assert_eq!(found(&format!("/api/runs?agent={agent}")).await, 2);
        assert_eq!(found(&format!("/api/runs?agent={agent}&state=replied&mailbox={mailbox}")).await, 2);
        assert_eq!(found(&format!("/api/runs?agent={agent}&state=held")).await, 0);
        let first = ann.get("/api/runs?limit=2").await.expect(200);
        let rest = ann.get(&format!("/api/runs?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.expect(200);
        assert_eq!((first["items"][1]["id"].clone(), rest["items"][0]["id"].clone()), (all[1]["id"].clone(), all[2]["id"].clone()));
        let message = ann.get("/api/messages?limit=1").await.expect(200)["items"][0].clone();
        assert_eq!(message["id"], all[0]["id"]);
        assert!(message["subject"].as_str().unwrap().starts_with("Question "));
        assert_eq!(found(&format!("/api/messages?thread={}", message["thread_id"].as_str().unwrap())).await, 1);
        for query in ["state=asleep", "mailbox=7", "agent=x", "since=yesterday", "until=2020-01-01", "surprise=1", "limit=0"] {
            assert_eq!(ann.get(&format!("/api/runs?{query}")).await.refused(422), "invalid_input", "{query}");
        }
        service.end().await;
    }

    async fn a_message_is_read_and_downloaded_as_it_came(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.hire("ann", json!({})).await, service.sign_up("bob").await);
        service.deliver("ann", 1);
        let run = ann.until_runs("replied", 1).await.remove(0);
        let id = run["id"].as_str().unwrap();
        let message = ann.get(&format!("/api/messages/{id}")).await.expect(200);
        assert_eq!((&message["from"], &message["to"]), (&json!(["person1@else.test"]), &json!(["ann@shop.test"])));
        assert_eq!((message["subject"].as_str(), message["text"].as_str()), (Some("Question 1"), Some("What about number 1?")));
        let path = format!("/api/messages/{id}/raw");
        let response = ann.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "message/rfc822");
        assert_eq!(response.headers()["content-disposition"], format!("attachment; filename=\"{id}.eml\""));
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.bytes().await.unwrap(), crate::support::world::letter(1, "ann@shop.test"));
        for path in [path, format!("/api/messages/{id}"), format!("/api/runs/{id}"), format!("/api/runs/{id}/reply")] {
            assert_eq!(bob.get(&path).await.refused(404), "not_found", "{path}");
        }
        for action in ["retry", "approve", "discard"] {
            assert_eq!(bob.act(&format!("/api/runs/{id}/{action}")).await.refused(404), "not_found", "{action}");
        }
        assert_eq!(bob.post(&format!("/api/runs/{id}/edit"), json!({ "text": "Mine." })).await.refused(404), "not_found");
        for list in ["/api/runs", "/api/messages"] {
            assert_eq!(bob.get(list).await.expect(200)["items"], json!([]));
        }
        service.end().await;
    }

    async fn a_changed_agent_answers_the_next_mail_as_it_is_now(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.hire("ann", json!({})).await;
        let agent = ann.get("/api/automation/agents").await.expect(200)["items"][0].clone();
        let agent = format!("/api/automation/agents/{}", agent["id"].as_str().unwrap());
        let change = json!({
            "instructions": "Say where we are.", "signature": "Ann\nThe Shop", "language": "de",
            "disclosure": "Geschrieben von der KI von {owner}; HUMAN erreicht einen Menschen.",
        });
        ann.put(&agent, change).await.expect(200);
        service.deliver("ann", 1);
        ann.until_runs("replied", 1).await;
        let asked = service.provider.calls()[0].request.to_string();
        assert!(asked.contains("Say where we are.") && asked.contains("Write in German"), "{asked}");
        let sent = service.smtp.accepted();
        let text = read(&sent[0]).text;
        assert!(text.visible.ends_with("Geschrieben von der KI von ann; HUMAN erreicht einen Menschen."), "{}", text.visible);
        assert!(String::from_utf8_lossy(&sent[0].bytes).contains("--=20\r\nAnn\r\nThe Shop"));
        ann.act(&format!("{agent}/disable")).await.expect(200);
        service.deliver("ann", 2);
        assert_eq!(ann.until_runs("skipped", 1).await[0]["reason"], "no_agent");
        service.end().await;
    }

    async fn a_mailbox_deleted_at_work_leaves_its_owner_the_place(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.worker.per_user = 1).await;
        let ann = service.hire("ann", json!({})).await;
        service.provider.next("key-of-ann", Answer::Hang);
        service.deliver("ann", 1);
        let run = ann.until_runs("running", 1).await.remove(0);
        until("the model is asked", Duration::from_secs(60), async || service.provider.calls().len() == 1).await;
        ann.delete(&format!("/api/mailboxes/{}", run["mailbox_id"].as_str().unwrap())).await.expect(204);
        assert_eq!(ann.get(&path(&run)).await.refused(404), "not_found");
        let mailbox = ann.post("/api/mailboxes", service.mailbox("again@shop.test")).await.expect(201);
        let agent = ann.get("/api/automation/agents").await.expect(200)["items"][0].clone();
        ann.put(&format!("/api/automation/agents/{}", agent["id"].as_str().unwrap()), json!({ "mailboxId": mailbox["id"] })).await.expect(200);
        service.deliver("again", 2);
        ann.until_runs("replied", 1).await;
    }
}
