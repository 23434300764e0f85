//! What keys may still spend, and until when: shown, refreshed, and warned of once.

use std::time::Duration;

use postkey::clock::Clock;
use serde_json::Value;

use super::Scene;
use crate::support::api::Visitor;
use crate::support::database::on_both;
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn in_days(days: u32) -> Option<String> {
    // A little less, so that it is still within these days when it is looked at.
    Some(Clock::system().now().plus(DAY * days).minus(Duration::from_secs(60)).to_string())
}

/// The kinds of the notices that last, and how many there were in all.
async fn warnings(visitor: &Visitor) -> (Vec<String>, usize) {
    let listed = visitor.get("/api/notices").await.expect(200);
    let all = listed["items"].as_array().unwrap();
    let lasting = all.iter().filter(|notice| notice["ended_at"].is_null());
    let mut kinds: Vec<String> = lasting.map(|notice| notice["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort_unstable();
    (kinds, all.len())
}

async fn remaining(visitor: &Visitor) -> Option<f64> {
    super::configurations(visitor).await[0]["limits"]["limit_remaining"].as_f64()
}

/// Waits until the warnings that last are these.
async fn until_warned(visitor: &Visitor, kinds: &[&str]) {
    until(&format!("{kinds:?} last"), LONG, async || warnings(visitor).await.0 == kinds).await;
}

on_both! {
    async fn an_owner_is_warned_before_a_key_ends_and_once_it_is_nearly_spent(database: TestDatabase) {
        let scene = Scene::open_with(&database, |config| config.openrouter.refresh = Duration::from_secs(1)).await;
        let ann = &scene.ann;
        scene.openrouter.next(|account| account.expires_at = in_days(30));
        scene.connect_headless(ann).await.expect(200);
        assert_eq!(warnings(ann).await, (vec![], 0));
        let key = scene.openrouter.granted().remove(0);
        scene.openrouter.change(&key, |account| account.expires_at = in_days(7));
        until_warned(ann, &["key_expires_in_a_week"]).await;
        scene.openrouter.change(&key, |account| account.expires_at = in_days(1));
        until_warned(ann, &["key_expires_in_a_day"]).await;
        scene.openrouter.change(&key, |account| account.remaining = Some(0.49));
        until_warned(ann, &["key_expires_in_a_day", "key_nearly_spent"]).await;
        assert_eq!(remaining(ann).await, Some(0.49));
        let listed = ann.get("/api/notices").await.expect(200);
        assert!(!listed.to_string().contains(&key[..12]) && listed.to_string().contains("raise the limit"));
        scene.openrouter.change(&key, |account| (account.limit, account.remaining, account.expires_at) = (None, None, None));
        until_warned(ann, &[]).await;
        assert_eq!(warnings(ann).await.1, 3);
    }

    async fn a_warning_that_was_put_aside_is_not_repeated(database: TestDatabase) {
        let scene = Scene::open_with(&database, |config| config.openrouter.refresh = Duration::from_secs(1)).await;
        let ann = &scene.ann;
        scene.openrouter.next(|account| account.remaining = Some(0.1));
        scene.connect_headless(ann).await.expect(200);
        let notice = ann.get("/api/notices").await.expect(200)["items"][0].clone();
        ann.post(&format!("/api/notices/{}/end", notice["id"].as_str().unwrap()), Value::Null).await.expect(204);
        let looks = scene.openrouter.calls_of("/key");
        until("it was looked at again", LONG, async || scene.openrouter.calls_of("/key") > looks + 1).await;
        assert_eq!(warnings(ann).await, (vec![], 1));
        let next = scene.connect_headless(ann).await.expect(200);
        assert_eq!(warnings(ann).await, (vec!["key_nearly_spent".to_owned()], 2), "another key is another matter");
        let path = format!("/api/ai-config/{}", next["id"].as_str().unwrap());
        ann.delete(&path).await.expect(204);
        assert_eq!(warnings(ann).await.0, Vec::<String>::new());
    }

    async fn of_a_key_that_was_ended_at_openrouter_its_owner_is_told_before_a_mail_waits(database: TestDatabase) {
        let scene = Scene::open_with(&database, |config| config.openrouter.refresh = Duration::from_secs(1)).await;
        let ann = &scene.ann;
        scene.connect_headless(ann).await.expect(200);
        scene.openrouter.end(&scene.openrouter.granted()[0]);
        until_warned(ann, &["auth_invalid"]).await;
        assert_eq!(super::configurations(ann).await[0]["state"], "invalid");
        // It is not asked about again until there is another key, although somebody else's is.
        let bob = scene.service.sign_up("bob").await;
        scene.connect_headless(&bob).await.expect(200);
        let [dead, living] = [0, 1].map(|number| scene.openrouter.granted()[number].clone());
        let (looks, of_living) = (scene.openrouter.looks_at(&dead), scene.openrouter.looks_at(&living));
        until("others are looked at", LONG, async || scene.openrouter.looks_at(&living) > of_living + 2).await;
        assert_eq!(scene.openrouter.looks_at(&dead), looks);
        scene.connect_headless(ann).await.expect(200);
        assert_eq!(super::configurations(ann).await[0]["state"], "active");
        assert_eq!(warnings(ann).await, (vec![], 1));
    }

    async fn a_key_that_was_typed_in_has_limits_too(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let first = scene.connect_headless(&scene.ann).await.expect(200);
        let bob = scene.service.sign_up("bob").await;
        let key = scene.openrouter.granted().remove(0);
        let body = serde_json::json!({ "provider": "openrouter", "apiKey": key, "modelName": "m", "baseUrl": scene.openrouter.base_url() });
        let typed = bob.post("/api/ai-config", body).await.expect(201);
        assert_eq!(typed["limits"]["label"], first["limits"]["label"]);
        scene.openrouter.change(&key, |account| account.remaining = Some(2.5));
        let path = format!("/api/ai-config/{}", typed["id"].as_str().unwrap());
        let verified = bob.call(reqwest::Method::POST, &format!("{path}/verify"), None).await.expect(200);
        assert_eq!(verified["verified"], true);
        assert_eq!((remaining(&bob).await, remaining(&scene.ann).await), (Some(2.5), Some(5.0)));
        let other = serde_json::json!({ "apiKey": "sk-or-v1-0123456789abcdef", "baseUrl": scene.openrouter.base_url() });
        assert_eq!(bob.put(&path, other).await.refused(422), "key_refused");
        assert_eq!(bob.get(&path).await.expect(200)["limits"]["limit_remaining"], 2.5);
    }
}
