//! How tokens end.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{assert_refused, configure, make, token, verify, wanted};
use crate::support::api::{PASSWORD, Service, Visitor};
use crate::support::database::on_both;

fn limited(config: &str, uses: u32) -> Value {
    json!({ "purpose": "config.verify", "configId": config, "maxUses": uses })
}

async fn states(visitor: &Visitor) -> Vec<Value> {
    let listed = visitor.get("/api/v1/security-tokens").await.expect(200);
    assert!(!listed.to_string().contains("pkst1."));
    listed["items"].as_array().unwrap().iter().map(|item| item["state"].clone()).collect()
}

on_both! {
    async fn of_a_hundred_uses_at_once_of_a_token_with_one_exactly_one_succeeds(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let made = make(&ann, limited(&config, 1)).await;
        let answers = join_all((0..100).map(|_| verify(&service, token(&made), &config))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((good.len(), bad.len()), (1, 99));
        bad.into_iter().for_each(assert_refused);
        assert_eq!(service.provider.checks().len(), 2, "once when the key was saved, once with the token");
        assert_eq!(states(&ann).await, ["used_up"]);
        let twice = make(&ann, limited(&config, 2)).await;
        for _ in 0..2 {
            verify(&service, token(&twice), &config).await.expect(200);
        }
        assert_refused(verify(&service, token(&twice), &config).await);
    }

    async fn a_revoked_token_is_good_for_nothing(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let (config, bobs) = (configure(&service, &ann).await, configure(&service, &bob).await);
        let one = make(&ann, wanted(&config)).await;
        let (two, three) = (make(&ann, wanted(&config)).await, make(&ann, wanted(&config)).await);
        let another = make(&bob, wanted(&bobs)).await;
        let path = format!("/api/v1/security-tokens/{}", one["id"].as_str().unwrap());
        assert_eq!(bob.delete(&path).await.refused(404), "not_found");
        ann.delete(&path).await.expect(204);
        assert_eq!(ann.delete(&path).await.refused(404), "not_found");
        assert_refused(verify(&service, token(&one), &config).await);
        verify(&service, token(&two), &config).await.expect(200);
        assert_eq!(states(&ann).await, ["active", "active", "revoked"]);
        assert_eq!(ann.post("/api/v1/security-tokens/revoke-all", json!({})).await.expect(200)["revoked"], 2);
        for made in [&two, &three] {
            assert_refused(verify(&service, token(made), &config).await);
        }
        verify(&service, token(&another), &bobs).await.expect(200);
    }

    async fn a_token_ends_with_what_it_hangs_on(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let made = make(&ann, wanted(&config)).await;
        ann.delete(&format!("/api/ai-config/{config}")).await.expect(204);
        assert_refused(verify(&service, token(&made), &config).await);
        let config = configure(&service, &ann).await;
        // With the key that made it.
        let key = json!({ "name": "maker", "scopes": ["tokens:create"], "expiresAt": "never" });
        let key = ann.post("/api/v1/api-keys", key).await.expect(201);
        let maker = service.visitor(key["key"].as_str().unwrap());
        let made = make(&maker, wanted(&config)).await;
        verify(&service, token(&made), &config).await.expect(200);
        let path = format!("/api/v1/api-keys/{}", key["id"].as_str().unwrap());
        ann.put(&path, json!({ "scopes": ["configs:write"] })).await.expect(200);
        assert_refused(verify(&service, token(&made), &config).await);
        ann.put(&path, json!({ "scopes": ["tokens:create"] })).await.expect(200);
        verify(&service, token(&made), &config).await.expect(200);
        ann.delete(&path).await.expect(204);
        assert_refused(verify(&service, token(&made), &config).await);
        // With another password; not by signing out.
        let made = make(&ann, wanted(&config)).await;
        let again = service.stranger().post("/api/auth/login", json!({ "email": "ann@owner.test", "password": PASSWORD })).await.expect(200);
        let again = service.visitor(again["token"].as_str().unwrap());
        ann.post("/api/auth/logout", json!({})).await.expect(204);
        verify(&service, token(&made), &config).await.expect(200);
        let change = json!({ "currentPassword": PASSWORD, "newPassword": "another good password" });
        let changed = again.post("/api/auth/password", change).await.expect(200);
        assert_refused(verify(&service, token(&made), &config).await);
        // With the account.
        let ann = service.visitor(changed["token"].as_str().unwrap());
        let made = make(&ann, wanted(&config)).await;
        ann.post("/api/account/delete", json!({ "password": "another good password" })).await.expect(204);
        assert_refused(verify(&service, token(&made), &config).await);
    }

    async fn a_token_does_not_outlast_the_key_that_made_it(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let soon = service.store.clock().now().plus(std::time::Duration::from_secs(600)).to_string();
        let key = json!({ "name": "maker", "scopes": ["tokens:create"], "expiresAt": soon });
        let key = ann.post("/api/v1/api-keys", key).await.expect(201);
        let made = make(&service.visitor(key["key"].as_str().unwrap()), wanted(&config)).await;
        assert_eq!(made["expires_at"], key["expires_at"]);
    }

    async fn so_many_tokens_are_good_at_once_and_no_more(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.security_tokens_per_user = 3).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let (config, bobs) = (configure(&service, &ann).await, configure(&service, &bob).await);
        let made = join_all((0..8).map(|_| ann.post("/api/v1/security-tokens", limited(&config, 1)))).await;
        let (good, full): (Vec<_>, Vec<_>) = made.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(good.len(), 3);
        full.into_iter().for_each(|answer| assert_eq!(answer.refused(409), "limit_reached"));
        make(&bob, wanted(&bobs)).await;
        verify(&service, good[0].body["token"].as_str().unwrap(), &config).await.expect(200);
        make(&ann, wanted(&config)).await;
    }
}
