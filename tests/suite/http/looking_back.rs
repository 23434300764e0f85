//! The audit log and the notices, each in pieces, each one's own.

use postkey::store::{NewNotice, UserId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Service, Visitor};
use crate::support::database::on_both;

async fn user_of(service: &Service, name: &str) -> UserId {
    service.store.find_user_by_email(&format!("{name}@owner.test")).await.unwrap().unwrap().id
}

async fn give(service: &Service, user: UserId, cause: &str) {
    let notice =
        NewNotice { user, cause: cause.into(), kind: "mailbox_away", sentence: "Look at it.".into() };
    service.store.give_notice(notice).await.unwrap();
}

/// All items of a list, two at a time.
async fn walk(visitor: &Visitor, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let piece = visitor.get(&format!("{path}?limit=2{cursor}")).await.expect(200);
        items.extend(piece["items"].as_array().unwrap().clone());
        match piece["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

on_both! {
    async fn the_audit_log_is_read_in_pieces(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let body = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
        let made = ann.post("/api/ai-config", body).await.expect(201);
        let path = format!("/api/ai-config/{}", made["id"].as_str().unwrap());
        ann.put(&path, json!({ "modelName": "n" })).await.expect(200);
        ann.delete(&path).await.expect(204);
        let entries = walk(&ann, "/api/audit").await;
        let positions: Vec<i64> = entries.iter().map(|entry| entry["position"].as_i64().unwrap()).collect();
        assert_eq!(positions, (1..=i64::try_from(entries.len()).unwrap()).rev().collect::<Vec<_>>());
        assert!(entries.len() >= 4, "{entries:?}");
        let last = entries.last().unwrap();
        assert_eq!((last["action"].as_str(), last["address"].as_str()), (Some("signed_up"), Some("127.0.0.1")));
        assert!(entries.iter().any(|entry| entry["subject"] == format!("ai_config:{}", made["id"].as_str().unwrap())));
        assert_eq!(walk(&bob, "/api/audit").await.len(), 1);
        assert_eq!(ann.get("/api/audit?cursor=_____________________w").await.refused(422), "invalid_input");
    }

    async fn a_notice_is_read_and_dealt_with_by_its_owner_only(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let user = user_of(&service, "ann").await;
        for number in 0..5 {
            give(&service, user, &format!("mailbox:{number}")).await;
        }
        let notices = walk(&ann, "/api/notices").await;
        assert_eq!(notices.len(), 5);
        assert_eq!((notices[0]["cause"].as_str(), notices[0]["ended_at"].as_str()), (Some("mailbox:4"), None));
        assert!(walk(&bob, "/api/notices").await.is_empty());
        let end = format!("/api/notices/{}/end", notices[0]["id"].as_str().unwrap());
        assert_eq!(bob.call(Method::POST, &end, None).await.refused(404), "not_found");
        ann.call(Method::POST, &end, None).await.expect(204);
        let ended = walk(&ann, "/api/notices").await[0]["ended_at"].clone();
        assert!(ended.is_string());
        ann.call(Method::POST, &end, None).await.expect(204);
        assert_eq!(walk(&ann, "/api/notices").await[0]["ended_at"], ended);
        // The same trouble again is told again.
        give(&service, user, "mailbox:4").await;
        assert_eq!(walk(&ann, "/api/notices").await.len(), 6);
    }
}
