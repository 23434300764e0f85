//! Consents that come to nothing: foreign, late, refused; and nothing is left of them (SR-15).

use reqwest::Method;
use serde_json::json;

use super::{CALLBACK, Scene, ask, audit, check_page, configurations, rows};
use crate::support::api::PASSWORD;
use crate::support::database::on_both;
use crate::support::raw::execute;

on_both! {
    async fn nobody_finishes_what_somebody_else_began(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let bob = scene.service.sign_up("bob").await;
        let (anns, code) = scene.consent(&scene.ann).await;
        let (bobs, bobs_code) = scene.consent(&bob).await;
        // Without the cookie, with another browser's, with the state of one and the cookie of the other, either way.
        let query = format!("code={code}&state={}", anns.state);
        for cookie in [None, Some(""), Some("not-a-cookie"), Some(bobs.cookie.as_str())] {
            check_page(&scene.open_callback(&query, cookie).await, 400);
        }
        check_page(&scene.open_callback(&format!("code={bobs_code}&state={}", bobs.state), Some(&anns.cookie)).await, 400);
        // With the token of a signed-in user, but without the cookie.
        let with_token = bob.get(&format!("{CALLBACK}?{query}")).await;
        check_page(&with_token, 400);
        for query in ["", "code=x", &format!("state={}", anns.state), &format!("{query}&code=again"), &format!("{query}&state=again")] {
            check_page(&scene.open_callback(query, Some(&anns.cookie)).await, 400);
        }
        assert!(scene.openrouter.calls().is_empty());
        // None of it has used anything up.
        assert_eq!(scene.come_back(&code, &anns).await.status, 303);
        scene.check_nothing_is_connected(&bob).await;
        assert_eq!(scene.come_back(&bobs_code, &bobs).await.status, 303);
        assert_eq!(configurations(&bob).await.len(), 1);
    }

    async fn a_pasted_code_belongs_to_the_session_that_asked(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let bob = scene.service.sign_up("bob").await;
        let asked = scene.ann.post("/api/openrouter/connect", json!({ "headless": true })).await.expect(200);
        let code = scene.openrouter.consent(asked["authorize_url"].as_str().unwrap());
        let sign_in = json!({ "email": "ann@owner.test", "password": PASSWORD });
        let elsewhere = scene.service.stranger().post("/api/auth/login", sign_in).await.expect(200);
        let elsewhere = scene.service.visitor(elsewhere["token"].as_str().unwrap());
        for other in [&bob, &elsewhere] {
            let refused = other.post("/api/openrouter/exchange", json!({ "code": code })).await;
            assert_eq!(refused.refused(400), "consent_invalid");
        }
        // What is meant for a browser is not finished by hand, nor the other way round.
        let (browser, _) = scene.consent(&bob).await;
        let refused = bob.post("/api/openrouter/exchange", json!({ "code": "any" })).await;
        assert_eq!(refused.refused(400), "consent_invalid");
        assert!(scene.openrouter.calls().is_empty());
        check_page(&scene.come_back("wrong", &browser).await, 400);
        let made = scene.ann.post("/api/openrouter/exchange", json!({ "code": code })).await;
        made.expect(200);
    }

    async fn a_consent_ends_with_its_session_and_with_the_next_one(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        let (first, code) = scene.consent(&scene.ann).await;
        let (second, second_code) = scene.consent(&scene.ann).await;
        check_page(&scene.come_back(&code, &first).await, 400);
        assert_eq!(rows(&database, "oauth_states").await, 1);
        scene.ann.call(Method::POST, "/api/auth/logout", None).await.expect(204);
        check_page(&scene.come_back(&second_code, &second).await, 400);
        let bob = scene.service.sign_up("bob").await;
        let (asked, code) = scene.consent(&bob).await;
        execute(&database, "UPDATE oauth_states SET expires_at = 1").await;
        check_page(&scene.come_back(&code, &asked).await, 400);
        let (asked, code) = scene.consent(&bob).await;
        execute(&database, "UPDATE sessions SET expires_at = 1").await;
        check_page(&scene.come_back(&code, &asked).await, 400);
        assert!(scene.openrouter.calls().is_empty());
    }

    async fn what_openrouter_refuses_leaves_nothing(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        // The code of another challenge: our verifier does not fit.
        let other = scene.openrouter.consent(&ask(&scene.ann, json!({})).await.url);
        let (asked, _) = scene.consent(&scene.ann).await;
        check_page(&scene.come_back(&other, &asked).await, 400);
        for (status, expected) in [(400, 400), (403, 400), (405, 422), (429, 422), (500, 422)] {
            scene.openrouter.fail_exchanges(Some(status));
            let (asked, code) = scene.consent(&scene.ann).await;
            check_page(&scene.come_back(&code, &asked).await, expected);
            // A consent is good once, whatever came of it.
            check_page(&scene.come_back(&code, &asked).await, 400);
            let code_word = if expected == 400 { "consent_invalid" } else { "provider_failed" };
            assert_eq!(scene.connect_headless(&scene.ann).await.refused(expected), code_word, "{status}");
        }
        assert_eq!(scene.openrouter.calls_of("/auth/keys"), 11);
        assert_eq!(audit(&scene.ann, 1).await, [("openrouter_connected".to_owned(), "refused".to_owned())]);
        scene.check_nothing_is_connected(&scene.ann).await;
        scene.openrouter.fail_exchanges(None);
        scene.connect_headless(&scene.ann).await.expect(200);
    }

    async fn a_key_that_is_of_no_use_is_not_kept(database: TestDatabase) {
        let scene = Scene::open(&database).await;
        scene.openrouter.next(|account| account.expires_at = Some("2026-01-01T00:00:00Z".into()));
        let (asked, code) = scene.consent(&scene.ann).await;
        let page = scene.come_back(&code, &asked).await;
        check_page(&page, 422);
        assert!(page.text.contains("has expired already"), "{page:?}");
        assert_eq!(scene.connect_headless(&scene.ann).await.refused(422), "key_refused");
        scene.openrouter.next(|account| (account.expires_at, account.is_management_key) = (None, true));
        assert_eq!(scene.connect_headless(&scene.ann).await.refused(422), "key_refused");
        scene.check_nothing_is_connected(&scene.ann).await;
        assert_eq!(rows(&database, "key_limits").await, 0);
    }

    async fn an_openrouter_that_is_down_is_said_to_be(database: TestDatabase) {
        let Scene { service, openrouter, ann } = Scene::open(&database).await;
        let asked = ask(&ann, json!({})).await;
        drop(openrouter);
        let query = format!("{CALLBACK}?code=any&state={}", asked.state);
        let request = service.stranger().request(Method::GET, &query);
        let request = request.header("cookie", format!("{}={}", super::COOKIE, asked.cookie));
        check_page(&crate::support::api::send(request).await, 422);
        assert_eq!(configurations(&ann).await.len(), 0);
    }
}
