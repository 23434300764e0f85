//! Mailboxes: added, changed, tried, paused, deleted.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{PASSWORD, Service, Visitor};
use crate::support::certificate::Certificate;
use crate::support::database::on_both;
use crate::support::raw::texts;
use crate::support::wait::until;

const MAILBOXES: &str = "/api/mailboxes";
const LONG: Duration = Duration::from_secs(30);

async fn add(visitor: &Visitor, body: Value) -> Value {
    visitor.post(MAILBOXES, body).await.expect(201)
}

fn path(mailbox: &Value) -> String {
    format!("{MAILBOXES}/{}", mailbox["id"].as_str().unwrap())
}

/// The settings without the passwords.
fn without_passwords(mut body: Value) -> Value {
    for server in ["imap", "smtp"] {
        body[server].as_object_mut().unwrap().remove("password");
    }
    body
}

on_both! {
    async fn a_mailbox_is_added_and_watched_and_shows_no_secret(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut body = service.mailbox("ann@shop.test");
        body["aliases"] = json!(["help@shop.test"]);
        let added = add(&ann, body).await;
        assert_eq!((added["address"].as_str(), added["folder"].as_str()), (Some("ann@shop.test"), Some("INBOX")));
        assert_eq!((added["state"].as_str(), added["enabled"].as_bool()), (Some("active"), Some(true)));
        assert_eq!((added["imap"]["username"].as_str(), added["imap"]["has_password"].as_bool()), (Some("ann@shop.test"), Some(true)));
        until("it is watched", LONG, async || {
            ann.get(&path(&added)).await.expect(200)["last_alive_at"].is_string()
        }).await;
        let listed = ann.get(MAILBOXES).await.expect(200);
        assert!(!listed.to_string().contains(PASSWORD) && listed["items"][0]["id"] == added["id"], "{listed}");
        let stored = texts(&database, "SELECT imap_password || smtp_password FROM mailboxes").await.join(" ");
        assert!(stored.starts_with("v1.k1.") && !stored.contains(PASSWORD));
    }

    async fn a_password_stays_with_the_server_it_was_given_for(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let body = service.mailbox("ann@shop.test");
        let added = add(&ann, body.clone()).await;
        let same = without_passwords(body.clone());
        ann.put(&path(&added), same.clone()).await.expect(200);
        let tried = ann.call(Method::POST, &format!("{}/test", path(&added)), None).await.expect(200);
        assert_eq!(tried["ok"], true, "{tried}");
        for (server, field, value) in [
            ("imap", "host", json!("mail.example.com")),
            ("imap", "username", json!("other")),
            ("smtp", "host", json!("mail.example.com")),
        ] {
            let mut moved = same.clone();
            moved[server][field] = value;
            if field == "host" {
                moved[server]["security"] = json!("tls");
                moved[server].as_object_mut().unwrap().remove("port");
            }
            let refused = ann.put(&path(&added), moved.clone()).await;
            assert_eq!(refused.body["error"]["details"]["field"], format!("{server}.password"));
            assert_eq!(refused.refused(422), "key_needed");
            moved[server]["password"] = json!("another");
            ann.put(&path(&added), moved).await.expect(200);
            ann.put(&path(&added), body.clone()).await.expect(200);
        }
        let renamed = ann.put(&path(&added), json!({ "address": "other@shop.test" })).await;
        assert_eq!(renamed.refused(422), "invalid_input");
        let settings = json!({ "folder": "Archive", "answerCopies": true, "authservId": "mx.shop.test", "aliases": null });
        let changed = ann.put(&path(&added), settings).await.expect(200);
        assert_eq!((changed["folder"].as_str(), changed["answer_copies"].as_bool()), (Some("Archive"), Some(true)));
        assert_eq!((changed["authserv_id"].as_str(), &changed["aliases"]), (Some("mx.shop.test"), &json!([])));
        let cleared = ann.put(&path(&added), json!({ "folder": null, "answerCopies": null, "authservId": null })).await.expect(200);
        assert_eq!((cleared["folder"].as_str(), cleared["answer_copies"].as_bool()), (Some("INBOX"), Some(false)));
        assert!(cleared["authserv_id"].is_null());
    }

    async fn tokens_stay_with_their_servers_too(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut body = without_passwords(service.mailbox("ann@shop.test"));
        body["oauth"] = json!({
            "clientId": "postkey", "clientSecret": "app-secret-0123", "refreshToken": "refresh-0123",
            "tokenUrl": "https://oauth.example.com/token",
        });
        let added = add(&ann, body.clone()).await;
        assert_eq!(added["oauth"], json!({ "client_id": "postkey", "has_client_secret": true, "token_url": "https://oauth.example.com/token" }));
        assert!(!added.to_string().contains("0123"));
        let mut moved = without_passwords(service.mailbox("ann@shop.test"));
        ann.put(&path(&added), moved.clone()).await.expect(200);
        moved["imap"]["username"] = json!("someone");
        let refused = ann.put(&path(&added), moved).await;
        assert_eq!(refused.body["error"]["details"]["field"], "oauth.refreshToken");
        assert_eq!(refused.refused(422), "key_needed");
        let both = json!({ "imap": service.mailbox("ann@shop.test")["imap"] });
        assert_eq!(ann.put(&path(&added), both).await.refused(422), "invalid_input");
        let without = ann.put(&path(&added), json!({ "oauth": null })).await;
        assert_eq!(without.refused(422), "key_needed");
        let mut passwords = service.mailbox("ann@shop.test");
        passwords["oauth"] = Value::Null;
        let changed = ann.put(&path(&added), passwords).await.expect(200);
        assert!(changed["oauth"].is_null() && changed["imap"]["has_password"] == true);
    }

    async fn a_mailbox_that_cannot_be_is_refused_with_its_field(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let good = service.mailbox("ann@shop.test");
        for (pointer, value, field) in [
            ("/address", json!("no address"), "address"),
            ("/imap/host", json!("a b"), "imap.host"),
            ("/imap/host", json!("10.0.0.1"), "imap.host"),
            ("/imap/host", json!("-x"), "imap.host"),
            ("/smtp/host", json!("hunter2!"), "smtp.host"),
            ("/imap/host", json!("a\r\nb"), "imap.host"),
            ("/smtp/port", json!(22), "smtp.host"),
            ("/imap/port", json!(0), "imap.port"),
            ("/imap/port", json!(65_536), "imap.port"),
            ("/imap/security", json!("maybe"), "imap.security"),
            ("/imap/password", json!("a\r\nb"), "imap.password"),
            ("/imap/password", json!(""), "imap.password"),
            ("/imap/password", json!(7), "imap.password"),
            ("/imap/surprise", json!(7), "surprise"),
            ("/imap/ca", json!("no certificate"), "imap.ca"),
            ("/folder", json!("a\nb"), "folder"),
            ("/aliases", json!(["no address"]), "aliases[0]"),
            ("/aliases", json!(vec!["a@b.example"; 101]), "aliases"),
            ("/enabled", json!("yes"), "enabled"),
            ("/oauth", json!({ "clientId": "a", "refreshToken": "b", "tokenUrl": "http://oauth.example.com" }), "oauth.tokenUrl"),
        ] {
            let mut body = good.clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[key] = value.clone();
            let refused = ann.post(MAILBOXES, body).await;
            assert_eq!(refused.body["error"]["details"]["field"], field, "{pointer} {value} {refused:?}");
            assert_eq!(refused.refused(422), "invalid_input", "{pointer} {value}");
        }
        let mut elsewhere = good.clone();
        elsewhere["smtp"] = json!({ "host": "smtp.example.com", "port": 22, "password": "x" });
        assert_eq!(ann.post(MAILBOXES, elsewhere).await.body["error"]["details"]["field"], "smtp.port");
        let refused = ann.post(MAILBOXES, without_passwords(good.clone())).await;
        assert_eq!(refused.body["error"]["details"]["field"], "imap.password");
        assert_eq!(refused.refused(422), "key_needed");
        assert_eq!(ann.get(MAILBOXES).await.expect(200)["items"], json!([]));
        let mut trusting = good;
        trusting["imap"]["ca"] = json!(Certificate::generate().certificate_pem());
        assert_eq!(add(&ann, trusting).await["imap"]["has_ca"], true);
    }

    async fn an_address_is_one_mailboxs_of_its_owner(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let added = add(&ann, service.mailbox("ann@shop.test")).await;
        add(&bob, service.mailbox("ann@shop.test")).await;
        let mut again = service.mailbox("ann@shop.test");
        again["address"] = json!("ANN@shop.test");
        let refused = ann.post(MAILBOXES, again).await;
        assert_eq!(refused.body["error"]["details"]["id"], added["id"]);
        assert_eq!(refused.refused(409), "already_exists");
    }

    async fn a_trial_says_what_works_and_what_does_not(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.key_checks_per_user = 4).await;
        let ann = service.sign_up("ann").await;
        let test = async |mailbox: &Value| ann.call(Method::POST, &format!("{}/test", path(mailbox)), None).await;
        let good = add(&ann, service.mailbox("ann@shop.test")).await;
        let tried = test(&good).await.expect(200);
        assert!(tried["ok"] == true && tried["imap"]["mails"] == 0 && tried["smtp"]["ok"] == true, "{tried}");
        let mut wrong = service.mailbox("bob@shop.test");
        wrong["imap"]["password"] = json!("wrong");
        wrong["smtp"]["password"] = json!("wrong");
        let tried = test(&add(&ann, wrong).await).await.expect(200);
        assert_eq!((tried["ok"].as_bool(), tried["imap"]["code"].as_str(), tried["smtp"]["code"].as_str()), (Some(false), Some("login_refused"), Some("login_refused")));
        let mut nowhere = service.mailbox("cleo@shop.test");
        nowhere["folder"] = json!("Nowhere");
        nowhere["smtp"] = json!({ "host": "no-such-host.invalid", "password": "x" });
        let tried = test(&add(&ann, nowhere).await).await.expect(200);
        assert_eq!((tried["imap"]["code"].as_str(), tried["smtp"]["code"].as_str()), (Some("folder_missing"), Some("unreachable")));
        let mut inside = service.mailbox("dora@shop.test");
        inside["smtp"] = json!({ "host": "localhost", "password": "x" });
        let began = std::time::Instant::now();
        let inside = add(&ann, inside).await;
        assert_eq!(test(&inside).await.expect(200)["smtp"]["code"], "not_allowed");
        assert!(began.elapsed() >= Duration::from_secs(1), "no failure is told sooner");
        assert_eq!(test(&inside).await.refused(429), "too_many_requests");
    }

    async fn a_mailbox_is_paused_and_activated(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let added = add(&ann, service.mailbox("ann@shop.test")).await;
        let post = async |action: &str| ann.call(Method::POST, &format!("{}/{action}", path(&added)), None).await.expect(200);
        assert_eq!(post("pause").await["state"], "paused");
        let active = post("activate").await;
        assert_eq!(active["state"], "active");
        assert!(active["activated_at"].as_str() >= added["activated_at"].as_str());
    }

    async fn a_stopped_mailbox_says_why_and_is_tried_again(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let mut body = service.mailbox("ann@shop.test");
        body["folder"] = json!("Nowhere");
        let added = add(&ann, body).await;
        until("it is stopped", LONG, async || ann.get(&path(&added)).await.expect(200)["state"] == "stopped").await;
        assert_eq!(ann.get(&path(&added)).await.expect(200)["state_reason"], "folder_missing");
        let changed = ann.put(&path(&added), json!({ "folder": null })).await.expect(200);
        assert_eq!((changed["state"].as_str(), &changed["state_reason"]), (Some("active"), &Value::Null));
        until("it is watched", LONG, async || ann.get(&path(&added)).await.expect(200)["last_alive_at"].is_string()).await;
    }

    async fn a_deleted_mailbox_leaves_its_agent_without_one(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let added = add(&ann, service.mailbox("ann@shop.test")).await;
        let agent = ann.post("/api/automation/agents", json!({ "name": "Support", "type": "email_inbound" })).await.expect(201);
        assert_eq!(agent["mailbox_id"], added["id"]);
        assert_eq!(ann.delete(&path(&added)).await.status, 204);
        assert_eq!(ann.delete(&path(&added)).await.refused(404), "not_found");
        let agent = ann.get(&format!("/api/automation/agents/{}", agent["id"].as_str().unwrap())).await.expect(200);
        assert!(agent["mailbox_id"].is_null() && agent["missing"][0] == "mailbox");
        let user = service.store.find_user_by_email("ann@owner.test").await.unwrap().unwrap().id;
        let entries = service.store.list_audit_entries(user, None, 2).await.unwrap();
        assert_eq!((entries[0].action.as_str(), entries[1].action.as_str()), ("mailbox_deleted", "agent_added"));
    }

    async fn somebody_elses_mailbox_is_not_there(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let added = add(&ann, service.mailbox("ann@shop.test")).await;
        let path = path(&added);
        for action in ["pause", "activate", "test"] {
            let refused = bob.call(Method::POST, &format!("{path}/{action}"), None).await;
            assert_eq!(refused.refused(404), "not_found", "{action}");
        }
        assert_eq!(bob.get(&path).await.refused(404), "not_found");
        assert_eq!(bob.put(&path, json!({ "folder": "Mine" })).await.refused(404), "not_found");
        assert_eq!(bob.delete(&path).await.refused(404), "not_found");
        assert_eq!(bob.get(MAILBOXES).await.expect(200)["items"], json!([]));
        let body = json!({ "name": "Spy", "type": "email_inbound", "mailboxId": added["id"] });
        assert_eq!(bob.post("/api/automation/agents", body).await.refused(422), "invalid_input");
        assert_eq!(ann.get(&path).await.expect(200)["folder"], "INBOX");
    }
}
