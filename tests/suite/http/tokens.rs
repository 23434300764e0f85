//! What is no token of ours opens nothing, and an old one nothing any more.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::api::{Service, account};
use crate::support::database::on_both;

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

/// A part with one member of its JSON set.
fn with(part: &str, member: &str, value: Value) -> String {
    let mut json: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    json[member] = value;
    URL_SAFE_NO_PAD.encode(json.to_string())
}

on_both! {
    async fn a_token_that_was_tampered_with_opens_nothing(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let [header, claims, signature] = parts(&ann.token);
        let nobody = uuid::Uuid::from_bytes(rand::random()).to_string();
        let forged = [
            format!("{}.{claims}.", with(&header, "alg", json!("none"))),
            format!("{}.{claims}.{signature}", with(&header, "alg", json!("none"))),
            format!("{}.{claims}.{signature}", with(&header, "alg", json!("HS512"))),
            format!("{}.{claims}.{signature}", with(&header, "kid", json!("k2"))),
            format!("{header}.{}.{signature}", with(&claims, "sub", json!(nobody))),
            format!("{header}.{}.{signature}", with(&claims, "exp", json!(9_999_999_999_i64))),
            format!("{header}.{claims}."),
            format!("{header}.{claims}"),
            format!("{header}.{claims}.{signature}.{signature}"),
            ann.token[..ann.token.len() - 1].to_owned(),
            format!("{}=", ann.token),
            "a".repeat(100_000 / 2),
            "..".to_owned(),
            ".".to_owned(),
        ];
        for token in forged {
            let refused = service.visitor(&token).get("/api/auth/me").await;
            assert_eq!(refused.headers["www-authenticate"], "Bearer", "{token}");
            assert_eq!(refused.refused(401), "unauthorized", "{token}");
        }
        for header in ["Basic YW5uOnB3", "Bearer", "bearer ", "Token x", ""] {
            let request = service.stranger().request(reqwest::Method::GET, "/api/auth/me");
            let refused = crate::support::api::send(request.header("authorization", header)).await;
            assert_eq!(refused.refused(401), "unauthorized", "{header}");
        }
        ann.get("/api/auth/me").await.expect(200);
    }

    async fn a_token_ends_with_its_time_and_is_refreshed(database: TestDatabase) {
        let short = Duration::from_secs(2);
        let service = Service::start_with(&database, |config| config.http.access_token_life = short).await;
        let signed_up = service.stranger().post("/api/auth/signup", account("ann")).await.expect(201);
        let ann = service.visitor(signed_up["token"].as_str().unwrap());
        ann.get("/api/auth/me").await.expect(200);
        tokio::time::sleep(short + Duration::from_secs(1)).await;
        assert_eq!(ann.get("/api/auth/me").await.refused(401), "unauthorized");
        let refresh = json!({ "refreshToken": signed_up["refresh_token"] });
        let refreshed = service.stranger().post("/api/auth/refresh", refresh).await.expect(200);
        service.visitor(refreshed["token"].as_str().unwrap()).get("/api/auth/me").await.expect(200);
    }

    async fn an_old_refresh_token_ends_the_session(database: TestDatabase) {
        let service = Service::start(&database).await;
        let stranger = service.stranger();
        let first = stranger.post("/api/auth/signup", account("ann")).await.expect(201);
        let refresh = |tokens: &Value| json!({ "refresh_token": tokens["refresh_token"] });
        let second = stranger.post("/api/auth/refresh", refresh(&first)).await.expect(200);
        let third = stranger.post("/api/auth/refresh", refresh(&second)).await.expect(200);
        let ann = service.visitor(third["token"].as_str().unwrap());
        ann.get("/api/auth/me").await.expect(200);
        assert_eq!(stranger.post("/api/auth/refresh", refresh(&first)).await.refused(401), "unauthorized");
        assert_eq!(ann.get("/api/auth/me").await.refused(401), "unauthorized");
        assert_eq!(stranger.post("/api/auth/refresh", refresh(&third)).await.refused(401), "unauthorized");
        let unknown = json!({ "refreshToken": "not one of ours" });
        assert_eq!(stranger.post("/api/auth/refresh", unknown).await.refused(401), "unauthorized");
    }

    async fn of_two_uses_of_a_refresh_token_at_most_one_succeeds(database: TestDatabase) {
        let service = Service::start(&database).await;
        let stranger = service.stranger();
        let signed_up = stranger.post("/api/auth/signup", account("ann")).await.expect(201);
        let refresh = json!({ "refreshToken": signed_up["refresh_token"] });
        let calls = (0..8).map(|_| stranger.post("/api/auth/refresh", refresh.clone()));
        let answers = futures::future::join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        let ann = service.visitor(signed_up["token"].as_str().unwrap());
        assert_eq!(ann.get("/api/auth/me").await.refused(401), "unauthorized");
    }
}
