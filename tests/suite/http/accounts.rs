//! Signing up and in, sessions, passwords.

use std::time::{Duration, Instant};

use postkey::config::SignUp;
use serde_json::json;

use crate::support::api::{PASSWORD, Service, account};
use crate::support::database::on_both;
use crate::support::timing::compare_times;

on_both! {
    async fn the_first_account_is_the_administrators_and_closes_the_door(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.sign_up = SignUp::Closed).await;
        let first = service.sign_up("first").await;
        let me = first.get("/api/auth/me").await.expect(200);
        assert_eq!((me["role"].as_str(), me["email"].as_str()), (Some("admin"), Some("first@owner.test")));
        let second = service.stranger().post("/api/auth/signup", account("second")).await;
        assert_eq!(second.refused(403), "sign_up_closed");
    }

    async fn of_two_first_accounts_at_once_one_is_made(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.sign_up = SignUp::Closed).await;
        let stranger = service.stranger();
        let (one, other) = tokio::join!(
            stranger.post("/api/auth/signup", account("one")),
            stranger.post("/api/auth/signup", account("other")),
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403]);
    }

    async fn an_account_signs_in_and_out(database: TestDatabase) {
        let service = Service::start(&database).await;
        service.sign_up("admin").await;
        let ann = service.sign_up("ann").await;
        assert_eq!(ann.get("/api/auth/me").await.expect(200)["role"], "user");
        let again = json!({ "email": " ANN@owner.test", "password": PASSWORD });
        let signed_in = service.stranger().post("/api/auth/login", again).await.expect(200);
        assert_eq!((signed_in["token_type"].as_str(), signed_in["expires_in"].as_u64()), (Some("Bearer"), Some(900)));
        let elsewhere = service.visitor(signed_in["token"].as_str().unwrap());
        let sessions = ann.get("/api/auth/sessions").await.expect(200);
        let sessions = sessions["items"].as_array().unwrap();
        assert_eq!(sessions.len(), 2);
        assert_eq!((sessions[0]["is_current"].as_bool(), sessions[1]["is_current"].as_bool()), (Some(false), Some(true)));
        assert_eq!(elsewhere.call(reqwest::Method::POST, "/api/auth/logout", None).await.status, 204);
        assert_eq!(elsewhere.get("/api/auth/me").await.refused(401), "unauthorized");
        ann.get("/api/auth/me").await.expect(200);
    }

    async fn one_session_ends_another_but_nobody_elses(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let bobs = bob.get("/api/auth/sessions").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(ann.delete(&format!("/api/auth/sessions/{bobs}")).await.refused(404), "not_found");
        bob.get("/api/auth/me").await.expect(200);
        assert_eq!(bob.delete(&format!("/api/auth/sessions/{bobs}")).await.status, 204);
        assert_eq!(bob.get("/api/auth/me").await.refused(401), "unauthorized");
    }

    async fn a_taken_address_is_not_taken_again(database: TestDatabase) {
        let service = Service::start(&database).await;
        service.sign_up("ann").await;
        let mut again = account("ann");
        again["email"] = json!("Ann@Owner.Test");
        assert_eq!(service.stranger().post("/api/auth/signup", again).await.refused(409), "already_exists");
    }

    async fn another_password_ends_every_session(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let wrong = json!({ "currentPassword": "not it at all", "newPassword": "another password" });
        assert_eq!(ann.post("/api/auth/password", wrong).await.refused(422), "invalid_input");
        let right = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
        let changed = ann.post("/api/auth/password", right).await.expect(200);
        assert_eq!(ann.get("/api/auth/me").await.refused(401), "unauthorized");
        let next = service.visitor(changed["token"].as_str().unwrap());
        next.get("/api/auth/me").await.expect(200);
        let sign_in = |password: &str| json!({ "email": "ann@owner.test", "password": password });
        let stranger = service.stranger();
        assert_eq!(stranger.post("/api/auth/login", sign_in(PASSWORD)).await.refused(401), "wrong_credentials");
        stranger.post("/api/auth/login", sign_in("another password")).await.expect(200);
    }

    async fn a_password_is_the_same_however_a_keyboard_composes_it(database: TestDatabase) {
        let service = Service::start(&database).await;
        let mut composed = account("ann");
        composed["password"] = json!("p\u{e4}ssw\u{f6}rter");
        service.stranger().post("/api/auth/signup", composed).await.expect(201);
        let decomposed = json!({ "email": "ann@owner.test", "password": "pa\u{308}sswo\u{308}rter" });
        service.stranger().post("/api/auth/login", decomposed).await.expect(200);
    }

    async fn what_happened_is_in_the_audit_log_and_in_its_chain(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let wrong = json!({ "email": "ann@owner.test", "password": "wrong password" });
        service.stranger().post("/api/auth/login", wrong).await.refused(401);
        let user = service.store.find_user_by_email("ann@owner.test").await.unwrap().unwrap().id;
        let entries = crate::support::wait::some("both are noted", Duration::from_secs(20), async || {
            let entries = service.store.list_audit_entries(user, None, 10).await.unwrap();
            (entries.len() == 2).then_some(entries)
        }).await;
        ann.call(reqwest::Method::POST, "/api/auth/logout", None).await.expect(204);
        let told: Vec<_> = entries.iter().map(|entry| (entry.action.as_str(), entry.outcome.as_str())).collect();
        assert_eq!(told, [("signed_in", "refused"), ("signed_up", "done")]);
        let entries = service.store.list_audit_entries(user, None, 10).await.unwrap();
        assert_eq!(entries.len(), 3);
        assert!(entries.windows(2).all(|pair| pair[0].follows(&pair[1].hash)));
        assert!(entries[2].follows(""));
        assert!(!entries[0].follows(&entries[2].hash));
    }

    async fn an_address_without_an_account_is_refused_like_a_wrong_password(database: TestDatabase) {
        let service = Service::start(&database).await;
        service.sign_up("ann").await;
        let stranger = service.stranger();
        let difference = compare_times(50, async |index| {
            let email = ["ann@owner.test", "nobody@owner.test"][index];
            let began = Instant::now();
            let body = json!({ "email": email, "password": "wrong password" });
            let refused = stranger.post("/api/auth/login", body).await;
            let took = began.elapsed();
            assert_eq!(refused.body["error"]["message"], "the address or the password is wrong");
            assert_eq!(refused.refused(401), "wrong_credentials");
            took
        })
        .await;
        // Of a refusal nearly all is the hash, which is what must not be missing.
        let hash = difference.usual;
        assert!(difference.would_notice(hash) && !difference.is_noticed(), "{difference:?}");
    }
}
