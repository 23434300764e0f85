//! Where not everybody may sign up, an administrator invites.

use std::time::Duration;

use postkey::config::SignUp;
use serde_json::{Value, json};

use crate::support::api::{Service, Visitor, account};
use crate::support::database::{TestDatabase, on_both};

async fn by_invitation(database: &TestDatabase) -> Service {
    Service::start_with(database, |config| config.http.sign_up = SignUp::Invite).await
}

async fn invite(admin: &Visitor, body: Value) -> Value {
    admin.post("/api/invites", body).await.expect(201)
}

fn account_with(name: &str, invite: &Value) -> Value {
    let mut account = account(name);
    account["invite"] = invite["token"].clone();
    account
}

on_both! {
    async fn an_invitation_lets_one_person_in(database: TestDatabase) {
        let service = by_invitation(&database).await;
        let admin = service.sign_up("admin").await;
        let stranger = service.stranger();
        assert_eq!(stranger.post("/api/auth/signup", account("ann")).await.refused(403), "not_invited");
        let invitation = invite(&admin, json!({})).await;
        let forged = json!({ "token": "A".repeat(43) });
        assert_eq!(stranger.post("/api/auth/signup", account_with("ann", &forged)).await.refused(403), "not_invited");
        stranger.post("/api/auth/signup", account_with("ann", &invitation)).await.expect(201);
        let again = stranger.post("/api/auth/signup", account_with("bob", &invitation)).await;
        assert_eq!(again.refused(403), "not_invited");
        let listed = admin.get("/api/invites").await.expect(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert!(listed["items"][0]["used_at"].is_string() && !listed.to_string().contains(invitation["token"].as_str().unwrap()));
    }

    async fn an_invitation_of_two_at_once_is_one_persons(database: TestDatabase) {
        let service = by_invitation(&database).await;
        let admin = service.sign_up("admin").await;
        let invitation = invite(&admin, json!({})).await;
        let stranger = service.stranger();
        let names = ["ann", "bob", "cleo"];
        let calls = names.map(|name| stranger.post("/api/auth/signup", account_with(name, &invitation)));
        let mut statuses: Vec<u16> = futures::future::join_all(calls).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403, 403]);
    }

    async fn an_invitation_may_be_for_one_address_and_is_not_used_up_by_another(database: TestDatabase) {
        let service = by_invitation(&database).await;
        let admin = service.sign_up("admin").await;
        let invitation = invite(&admin, json!({ "email": "Ann@owner.test" })).await;
        let stranger = service.stranger();
        let other = stranger.post("/api/auth/signup", account_with("bob", &invitation)).await;
        assert_eq!(other.refused(403), "not_invited");
        let open = invite(&admin, json!({})).await;
        let taken = stranger.post("/api/auth/signup", account_with("admin", &open)).await;
        assert_eq!(taken.refused(409), "already_exists");
        stranger.post("/api/auth/signup", account_with("ann", &invitation)).await.expect(201);
        stranger.post("/api/auth/signup", account_with("bob", &open)).await.expect(201);
    }

    async fn an_invitation_ends_with_its_time_or_is_taken_back(database: TestDatabase) {
        let service = Service::start_with(&database, |config| {
            config.http.sign_up = SignUp::Invite;
            config.http.invite_life = Duration::from_secs(1);
        }).await;
        let admin = service.sign_up("admin").await;
        let late = invite(&admin, json!({})).await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let refused = service.stranger().post("/api/auth/signup", account_with("ann", &late)).await;
        assert_eq!(refused.refused(403), "not_invited");
        let taken_back = invite(&admin, json!({})).await;
        let path = format!("/api/invites/{}", taken_back["id"].as_str().unwrap());
        assert_eq!(admin.delete(&path).await.status, 204);
        assert_eq!(admin.delete(&path).await.refused(404), "not_found");
        let refused = service.stranger().post("/api/auth/signup", account_with("ann", &taken_back)).await;
        assert_eq!(refused.refused(403), "not_invited");
    }

    async fn only_an_administrator_invites(database: TestDatabase) {
        let service = Service::start(&database).await;
        let admin = service.sign_up("admin").await;
        let ann = service.sign_up("ann").await;
        let invitation = invite(&admin, json!({})).await;
        let path = format!("/api/invites/{}", invitation["id"].as_str().unwrap());
        assert_eq!(ann.post("/api/invites", json!({})).await.refused(403), "forbidden");
        assert_eq!(ann.get("/api/invites").await.refused(403), "forbidden");
        assert_eq!(ann.delete(&path).await.refused(403), "forbidden");
    }

    async fn a_list_comes_in_pieces(database: TestDatabase) {
        let service = Service::start(&database).await;
        let admin = service.sign_up("admin").await;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(invite(&admin, json!({})).await["id"].as_str().unwrap().to_owned());
        }
        let (mut seen, mut path) = (Vec::new(), "/api/invites?limit=2".to_owned());
        for pieces in 1.. {
            let page = admin.get(&path).await.expect(200);
            let ids = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
            seen.extend(ids);
            let Some(cursor) = page["next_cursor"].as_str() else {
                assert_eq!(pieces, 3);
                break;
            };
            path = format!("/api/invites?limit=2&cursor={cursor}");
        }
        made.reverse();
        assert_eq!(seen, made);
        for query in ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=x", "cursor=%00", "surprise=1", "limit=1&limit=2"] {
            assert_eq!(admin.get(&format!("/api/invites?{query}")).await.refused(422), "invalid_input", "{query}");
        }
    }
}
