//! How each route is called by whoever may.

use postkey::http::{Access, Scope};
use serde_json::{Value, json};

use super::scene::{Person, Scene};
use crate::support::api::{PASSWORD, account};

/// What the `{id}` of a path is an id of, and what else has to be there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// Nothing.
    None,
    /// No AI configuration may be there.
    NoAiConfiguration,
    AiConfiguration,
    /// A consent that the owner has given; it is named by its code, in the body.
    Consent,
    Invite,
    Notice,
    Session,
}

/// How a route is called.
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    /// What it is known to need: a route that asks for less or more is noticed.
    pub needs: Access,
    pub thing: Thing,
    pub body: fn(&Scene<'_>, &Person) -> Option<Value>,
    /// What its owner gets.
    pub status: u16,
    /// Whether it ends the session, or changes what the account signs in with.
    pub is_last: bool,
}

impl Row {
    fn new(method: &'static str, path: &'static str, needs: Access, status: u16) -> Self {
        Self { method, path, needs, thing: Thing::None, body: |_, _| None, status, is_last: false }
    }

    fn with(self, thing: Thing) -> Self {
        Self { thing, ..self }
    }

    fn body(self, body: fn(&Scene<'_>, &Person) -> Option<Value>) -> Self {
        Self { body, ..self }
    }

    fn last(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// Whether it names something that has an owner.
    pub fn names_a_thing(&self) -> bool {
        self.path.contains("{id}")
    }
}

/// One for each route.
pub fn rows() -> Vec<Row> {
    [public(), accounts(), ai_configurations(), openrouter(), records()].into_iter().flatten().collect()
}

fn public() -> Vec<Row> {
    let row = |method, path, status| Row::new(method, path, Access::Public, status);
    vec![
        row("GET", "/api/openapi.json", 200),
        row("GET", "/api/docs", 200),
        row("POST", "/api/auth/signup", 201).body(|scene, _| Some(account(&scene.fresh_name()))),
        row("POST", "/api/auth/login", 200)
            .body(|_, owner| Some(json!({ "email": owner.email, "password": PASSWORD }))),
        row("POST", "/api/auth/refresh", 200)
            .body(|_, owner| Some(json!({ "refreshToken": owner.refresh_token })))
            .last(),
        // No mail goes out from here, and no link is good.
        row("POST", "/api/auth/password-reset", 403).body(|_, owner| Some(json!({ "email": owner.email }))),
        row("POST", "/api/auth/password-reset/confirm", 403)
            .body(|_, _| Some(json!({ "token": "not one of ours", "newPassword": "another good password" }))),
        row("GET", "/reset-password", 200),
        // Nobody has consented to anything.
        row("GET", "/oauth/openrouter/callback", 400),
        row("GET", "/oauth/openrouter/connected", 200),
    ]
}

fn accounts() -> Vec<Row> {
    let session = |method, path, status| Row::new(method, path, Access::Session, status);
    let admin = |method, path, status| Row::new(method, path, Access::Administrator, status);
    vec![
        session("GET", "/api/auth/me", 200),
        session("GET", "/api/auth/sessions", 200),
        session("DELETE", "/api/auth/sessions/{id}", 204).with(Thing::Session),
        session("POST", "/api/auth/logout", 204).last(),
        session("POST", "/api/auth/password", 200)
            .body(|_, _| Some(json!({ "currentPassword": PASSWORD, "newPassword": "another good password" })))
            .last(),
        admin("POST", "/api/invites", 201).body(|_, _| Some(json!({}))),
        admin("GET", "/api/invites", 200).with(Thing::Invite),
        admin("DELETE", "/api/invites/{id}", 204).with(Thing::Invite),
    ]
}

fn ai_configurations() -> Vec<Row> {
    let read =
        |path| Row::new("GET", path, Access::Scope(Scope::ConfigsRead), 200).with(Thing::AiConfiguration);
    let write = |method, path, status| Row::new(method, path, Access::Scope(Scope::ConfigsWrite), status);
    vec![
        read("/api/ai-config"),
        read("/api/ai-config/{id}"),
        write("POST", "/api/ai-config", 201)
            .with(Thing::NoAiConfiguration)
            .body(|scene, _| Some(scene.ai_configuration())),
        write("PUT", "/api/ai-config/{id}", 200)
            .with(Thing::AiConfiguration)
            .body(|_, _| Some(json!({ "modelName": "another" }))),
        write("DELETE", "/api/ai-config/{id}", 204).with(Thing::AiConfiguration),
        write("POST", "/api/ai-config/{id}/default", 200).with(Thing::AiConfiguration),
        write("POST", "/api/ai-config/{id}/verify", 200).with(Thing::AiConfiguration),
    ]
}

fn openrouter() -> Vec<Row> {
    let session = |path, status| Row::new("POST", path, Access::Session, status);
    vec![
        session("/api/openrouter/connect", 200).body(|_, _| Some(json!({ "headless": true }))),
        session("/api/openrouter/exchange", 200).with(Thing::Consent),
    ]
}

fn records() -> Vec<Row> {
    let scope = |method, path, scope, status| Row::new(method, path, Access::Scope(scope), status);
    vec![
        scope("GET", "/api/usage", Scope::UsageRead, 200),
        scope("GET", "/api/notices", Scope::RunsRead, 200).with(Thing::Notice),
        scope("POST", "/api/notices/{id}/end", Scope::RunsWrite, 204).with(Thing::Notice),
        Row::new("GET", "/api/audit", Access::Session, 200),
        Row::new("GET", "/api/account/export", Access::Session, 200),
        Row::new("POST", "/api/account/delete", Access::Session, 204)
            .body(|_, _| Some(json!({ "password": PASSWORD })))
            .last(),
    ]
}
