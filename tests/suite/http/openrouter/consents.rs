//! Consents that are given: in the browser, without one, once.

use postkey::clock::Clock;
use reqwest::Method;
use serde_json::json;

use super::{CALLBACK, COOKIE, PUBLIC_URL, Scene, ask, audit, check_page, configurations, query, rows};
use crate::support::api::send;
use crate::support::database::on_both;
use crate::support::dump::dump;
use crate::support::raw::{execute, texts};

on_both! {
    async fn a_consent_in_the_browser_becomes_a_sealed_key(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let answer = scene.ann.post("/api/openrouter/connect", json!({})).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.starts_with(&format!("{COOKIE}=")));
        assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        assert_eq!(answer.expect(200)["expires_in"], 600);

        let (asked, code) = scene.consent(&scene.ann).await;
        let sent = query(&asked.url);
        assert_eq!(sent["callback_url"], format!("{PUBLIC_URL}{CALLBACK}"));
        assert_eq!((sent["code_challenge_method"].as_str(), sent["code_challenge"].len()), ("S256", 43));
        assert_eq!(sent.len(), 4, "{sent:?}");

        let back = scene.come_back(&code, &asked).await;
        assert_eq!((back.status, back.text.as_str()), (303, ""));
        assert_eq!(back.headers["location"], format!("{PUBLIC_URL}/oauth/openrouter/connected"));
        assert_eq!(back.headers["referrer-policy"], "no-referrer");
        assert_eq!(back.headers["cache-control"], "no-store");
        assert!(back.headers["set-cookie"].to_str().unwrap().starts_with(&format!("{COOKIE}=; Path=/; Max-Age=0;")));
        let page = scene.service.stranger().get("/oauth/openrouter/connected").await;
        assert!(page.status == 200 && page.text.contains("OpenRouter is connected"));

        let made = configurations(&scene.ann).await.remove(0);
        assert_eq!((made["provider"].as_str(), made["model_name"].as_str()), (Some("openrouter"), Some("openrouter/auto")));
        assert!(made["is_default"] == true && made["verified_at"].is_string(), "{made}");
        let limits = &made["limits"];
        assert_eq!((limits["limit"].as_f64(), limits["limit_remaining"].as_f64()), (Some(5.0), Some(5.0)));
        assert!(limits["label"].as_str().unwrap().starts_with("sk-or-v1-") && limits["expires_at"].is_null());
        assert!(limits["checked_at"].is_string());

        let key = scene.openrouter.granted().remove(0);
        for (table, rows) in dump(&database).await {
            for secret in [&key, &code, &asked.state, &asked.cookie] {
                assert!(!rows.iter().any(|row| crate::support::dump::says(row, secret)), "{table} holds a secret");
            }
        }
        let done = [("openrouter_connected", "done"), ("openrouter_connect_begun", "done"), ("openrouter_connect_begun", "done")];
        assert_eq!(audit(&scene.ann, 3).await, done.map(|(action, outcome)| (action.to_owned(), outcome.to_owned())));
    }

    async fn every_call_says_who_we_are(database: TestDatabase) {
        let scene = Scene::open_with(&database, |config| config.provider.app_title = "Ann's Mail".into()).await;
        scene.connect_headless(&scene.ann).await.expect(200);
        let calls = scene.openrouter.calls();
        assert_eq!(calls.iter().map(|call| call.path).collect::<Vec<_>>(), ["/auth/keys", "/key"]);
        for call in calls {
            assert_eq!(call.headers["http-referer"], PUBLIC_URL, "{}", call.path);
            for title in ["x-openrouter-title", "x-title"] {
                assert_eq!(call.headers[title], "Ann's Mail", "{}", call.path);
            }
            assert_eq!(call.headers.contains_key("authorization"), call.path == "/key");
            assert!(!call.headers.contains_key("cookie"));
        }
    }

    async fn where_no_browser_can_come_back_a_code_is_pasted(database: TestDatabase) {
        let scene = Scene::open_with(&database, |config| config.http.public_url = None).await;
        let refused = scene.ann.post("/api/openrouter/connect", json!({})).await;
        assert_eq!(refused.refused(403), "callback_unavailable");
        let answer = scene.ann.post("/api/openrouter/connect", json!({ "headless": true })).await;
        assert!(!answer.headers.contains_key("set-cookie"));
        let url = answer.expect(200)["authorize_url"].as_str().unwrap().to_owned();
        let sent = query(&url);
        assert_eq!((sent["key_label"].as_str(), sent.len()), ("Postkey", 3), "{sent:?}");
        let code = scene.openrouter.consent(&url);
        let made = scene.ann.post("/api/openrouter/exchange", json!({ "code": code })).await.expect(200);
        assert_eq!((made["provider"].as_str(), made["limits"]["limit"].as_f64()), (Some("openrouter"), Some(5.0)));
        assert_eq!(configurations(&scene.ann).await, [made]);
        let again = scene.ann.post("/api/openrouter/exchange", json!({ "code": code })).await;
        assert_eq!(again.refused(400), "consent_invalid");
        assert_eq!(scene.openrouter.calls_of("/auth/keys"), 1);
    }

    async fn connecting_again_replaces_the_key_and_nothing_else(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let first = scene.connect_headless(&scene.ann).await.expect(200);
        let path = format!("/api/ai-config/{}", first["id"].as_str().unwrap());
        scene.ann.put(&path, json!({ "modelName": "anthropic/claude" })).await.expect(200);
        scene.openrouter.next(|account| (account.limit, account.remaining) = (None, None));
        let second = scene.connect_headless(&scene.ann).await.expect(200);
        assert_eq!((&second["id"], second["model_name"].as_str()), (&first["id"], Some("anthropic/claude")));
        assert_ne!(second["key_fingerprint"], first["key_fingerprint"]);
        assert!(second["limits"]["limit"].is_null() && second["limits"]["label"].is_string());
        assert_eq!(configurations(&scene.ann).await.len(), 1);
        assert_eq!(rows(&database, "key_limits").await, 1);
    }

    async fn whoever_comes_back_twice_at_once_gets_one_key(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let (asked, code) = scene.consent(&scene.ann).await;
        let at_once = (0..6).map(|_| scene.come_back(&code, &asked));
        let answers = futures::future::join_all(at_once).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 400, 400, 400, 400, 400]);
        check_page(&scene.come_back(&code, &asked).await, 400);
        assert_eq!((scene.openrouter.calls_of("/auth/keys"), scene.openrouter.granted().len()), (1, 1));
        assert_eq!(configurations(&scene.ann).await.len(), 1);
    }

    async fn a_look_at_the_way_back_uses_nothing_up(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let (asked, code) = scene.consent(&scene.ann).await;
        let path = format!("{CALLBACK}?code={code}&state={}", asked.state);
        let look = scene.service.stranger().request(Method::HEAD, &path);
        let look = send(look.header("cookie", format!("{COOKIE}={}", asked.cookie))).await;
        assert_eq!((look.status, look.headers["allow"].to_str().unwrap()), (405, "GET"));
        scene.check_nothing_is_connected(&scene.ann).await;
        assert_eq!(scene.come_back(&code, &asked).await.status, 303);
    }

    async fn the_browser_goes_where_it_came_from_and_nowhere_else(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        for elsewhere in ["", "settings", "//evil.test", "/\\evil.test", "/..\r\nSet-Cookie: a=b", "https://evil.test/"] {
            let refused = scene.ann.post("/api/openrouter/connect", json!({ "returnPath": elsewhere })).await;
            assert_eq!(refused.refused(422), "invalid_input", "{elsewhere}");
        }
        let asked = ask(&scene.ann, json!({ "returnPath": "/settings?tab=keys#openrouter" })).await;
        let back = scene.come_back(&scene.openrouter.consent(&asked.url), &asked).await;
        assert_eq!(back.headers["location"], format!("{PUBLIC_URL}/settings?tab=keys#openrouter"));
    }

    async fn an_abandoned_consent_leaves_a_row_until_it_is_too_old(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let (asked, code) = scene.consent(&scene.ann).await;
        assert_eq!(rows(&database, "oauth_states").await, 1);
        let now = Clock::system().now().millis();
        let life = "SELECT CAST(expires_at - created_at AS TEXT) FROM oauth_states";
        let life: i64 = texts(&database, life).await[0].parse().unwrap();
        assert!((590_000..=600_000).contains(&life), "ten minutes, less what was done before: {life}");
        scene.service.store.forget_access(postkey::clock::Timestamp::from_millis(0)).await.unwrap();
        assert_eq!(rows(&database, "oauth_states").await, 1);
        execute(&database, &format!("UPDATE oauth_states SET expires_at = {}", now - 1)).await;
        check_page(&scene.come_back(&code, &asked).await, 400);
        scene.service.store.forget_access(postkey::clock::Timestamp::from_millis(0)).await.unwrap();
        assert_eq!(rows(&database, "oauth_states").await, 0);
        scene.check_nothing_is_connected(&scene.ann).await;
        assert!(scene.openrouter.calls().is_empty());
    }
}
