//! Keys and security tokens of the people of the matrix.

use std::collections::BTreeMap;

use postkey::http::{Access, Scope};
use serde_json::{Value, json};

use super::rows::carrying_a_key;
use super::scene::Scene;
use crate::support::api::Visitor;
use crate::support::raw::execute;

/// What is shown by those who must not.
#[derive(Default)]
pub struct Credentials {
    pub revoked_key: String,
    pub expired_key: String,
    pub key_elsewhere: String,
    pub key_of_other: String,
    /// For each scope one that has all others; the last one has all.
    keys_without: BTreeMap<&'static str, String>,
    pub revoked_token: String,
    pub expired_token: String,
    pub token_elsewhere: String,
    pub token_of_other: String,
    /// By purpose.
    tokens: BTreeMap<&'static str, String>,
}

const NOTHING: &str = "nothing";

impl Credentials {
    pub async fn make(scene: &Scene<'_>) -> Self {
        let (owner, other) = (&scene.owner.visitor, &scene.other.visitor);
        let all = Scope::ALL.map(Scope::as_str);
        let expired_key = make_key(owner, scene.api_key(&all)).await.0;
        let mut made = Self { expired_key, ..Self::default() };
        end_all(scene, "api_keys").await;
        let key = make_key(owner, scene.api_key(&all)).await;
        owner.delete(&format!("/api/v1/api-keys/{}", key.1)).await.expect(204);
        made.revoked_key = key.0;
        let mut elsewhere = scene.api_key(&all);
        elsewhere["ipAllow"] = json!(["203.0.113.0/24"]);
        made.key_elsewhere = make_key(owner, elsewhere).await.0;
        made.key_of_other = make_key(other, scene.api_key(&all)).await.0;
        for without in all.into_iter().chain([NOTHING]) {
            // Whoever may make a token for it may do it.
            let is_in = |scope: &&str| *scope != without && (*scope != "tokens:create" || without == NOTHING);
            let scopes: Vec<&str> = all.into_iter().filter(is_in).collect();
            made.keys_without.insert(without, make_key(owner, scene.api_key(&scopes)).await.0);
        }
        made.make_tokens(scene).await;
        made
    }

    async fn make_tokens(&mut self, scene: &Scene<'_>) {
        let (owner, other) = (&scene.owner.visitor, &scene.other.visitor);
        self.expired_token = make_token(owner, carrying_a_key()).await.0;
        end_all(scene, "security_tokens").await;
        let token = make_token(owner, carrying_a_key()).await;
        owner.delete(&format!("/api/v1/security-tokens/{}", token.1)).await.expect(204);
        self.revoked_token = token.0;
        let mut elsewhere = carrying_a_key();
        elsewhere["ipAllow"] = json!(["203.0.113.0/24"]);
        self.token_elsewhere = make_token(owner, elsewhere).await.0;
        self.token_of_other = make_token(other, carrying_a_key()).await.0;
        self.tokens.insert("chat.completion", make_token(owner, carrying_a_key()).await.0);
        let config = owner.post("/api/ai-config", scene.ai_configuration()).await.expect(201);
        let verification = json!({ "purpose": "config.verify", "configId": config["id"] });
        self.tokens.insert("config.verify", make_token(owner, verification).await.0);
    }

    /// One that may do everything but this.
    pub fn key_without(&self, needs: Access) -> String {
        let scope = match needs {
            Access::Scope(scope) => scope.as_str(),
            Access::Purpose(purpose) => purpose.scope().as_str(),
            Access::Public | Access::Session | Access::Administrator => NOTHING,
        };
        self.keys_without[scope].clone()
    }

    /// One that is good for something else.
    pub fn token_other_than(&self, needs: Access) -> String {
        let other = |purpose: &&str| !matches!(needs, Access::Purpose(needed) if needed.as_str() == *purpose);
        let found = self.tokens.keys().copied().find(|purpose| other(purpose)).unwrap();
        self.tokens[found].clone()
    }
}

/// The key and its id.
async fn make_key(visitor: &Visitor, wanted: Value) -> (String, String) {
    let made = visitor.post("/api/v1/api-keys", wanted).await.expect(201);
    (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

/// The token and its id.
async fn make_token(visitor: &Visitor, wanted: Value) -> (String, String) {
    let made = visitor.post("/api/v1/security-tokens", wanted).await.expect(201);
    (made["token"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

/// Whatever was made until now has ended.
async fn end_all(scene: &Scene<'_>, table: &str) {
    execute(scene.database(), &format!("UPDATE {table} SET expires_at = 1")).await;
}
