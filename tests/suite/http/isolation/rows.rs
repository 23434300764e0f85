//! How each route is called by whoever may.

use postkey::http::{Access, Purpose, Scope};
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
    /// The same, for a call that does not name it.
    Model,
    Agent,
    Mailbox,
    /// A run that waits for its owner, with the message and the reply of the same id.
    HeldRun,
    /// A run that its owner has put an end to.
    DiscardedRun,
    /// A consent that the owner has given; it is named by its code, in the body.
    Consent,
    Invite,
    Notice,
    Session,
    ApiKey,
    SecurityToken,
}

/// How a route is called.
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    /// What it is known to need: a route that asks for less or more is noticed.
    pub needs: Access,
    pub thing: Thing,
    /// From the people, and from the id of the thing.
    pub body: fn(&Scene<'_>, &Person, &str) -> Option<Value>,
    /// What its owner gets.
    pub status: u16,
    /// Whether it ends the session, or changes what the account signs in with.
    pub is_last: bool,
}

impl Row {
    fn new(method: &'static str, path: &'static str, needs: Access, status: u16) -> Self {
        Self { method, path, needs, thing: Thing::None, body: |_, _, _| None, status, is_last: false }
    }

    fn with(self, thing: Thing) -> Self {
        Self { thing, ..self }
    }

    fn body(self, body: fn(&Scene<'_>, &Person, &str) -> Option<Value>) -> Self {
        Self { body, ..self }
    }

    fn last(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// Whether its path names something that has an owner.
    pub fn names_a_thing(&self) -> bool {
        self.path.contains("{id}")
    }

    /// Whether its body names something that has an owner.
    pub fn is_about_a_thing(&self) -> bool {
        !self.names_a_thing()
            && self.method != "GET"
            && self.thing != Thing::None
            && self.thing != Thing::NoAiConfiguration
            && self.thing != Thing::Model
    }
}

/// One for each route.
pub fn rows() -> Vec<Row> {
    let all = [
        public(),
        accounts(),
        ai_configurations(),
        openrouter(),
        keys_and_tokens(),
        agents(),
        mailboxes(),
        runs(),
        messages(),
        chat(),
        records(),
    ];
    all.into_iter().flatten().collect()
}

fn public() -> Vec<Row> {
    let row = |method, path, status| Row::new(method, path, Access::Public, status);
    vec![
        row("GET", "/api/openapi.json", 200),
        row("GET", "/api/docs", 200),
        row("POST", "/api/auth/signup", 201).body(|scene, _, _| Some(account(&scene.fresh_name()))),
        row("POST", "/api/auth/login", 200)
            .body(|_, owner, _| Some(json!({ "email": owner.email, "password": PASSWORD }))),
        row("POST", "/api/auth/refresh", 200)
            .body(|_, owner, _| Some(json!({ "refreshToken": owner.refresh_token })))
            .last(),
        // No mail goes out from here, and no link is good.
        row("POST", "/api/auth/password-reset", 403)
            .body(|_, owner, _| Some(json!({ "email": owner.email }))),
        row("POST", "/api/auth/password-reset/confirm", 403).body(|_, _, _| {
            Some(json!({ "token": "not one of ours", "newPassword": "another good password" }))
        }),
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
            .body(|_, _, _| {
                Some(json!({ "currentPassword": PASSWORD, "newPassword": "another good password" }))
            })
            .last(),
        admin("POST", "/api/invites", 201).body(|_, _, _| Some(json!({}))),
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
            .body(|scene, _, _| Some(scene.ai_configuration())),
        write("PUT", "/api/ai-config/{id}", 200)
            .with(Thing::AiConfiguration)
            .body(|_, _, _| Some(json!({ "modelName": "another" }))),
        write("DELETE", "/api/ai-config/{id}", 204).with(Thing::AiConfiguration),
        write("POST", "/api/ai-config/{id}/default", 200).with(Thing::AiConfiguration),
        Row::new("POST", "/api/ai-config/{id}/verify", Access::Purpose(Purpose::ConfigVerify), 200)
            .with(Thing::AiConfiguration),
    ]
}

fn agents() -> Vec<Row> {
    let read = |path| Row::new("GET", path, Access::Scope(Scope::AgentsRead), 200).with(Thing::Agent);
    let write = |method, path, status| {
        Row::new(method, path, Access::Scope(Scope::AgentsWrite), status).with(Thing::Agent)
    };
    vec![
        read("/api/automation/agents"),
        read("/api/automation/agents/{id}"),
        write("POST", "/api/automation/agents", 201).with(Thing::Mailbox).body(|scene, _, mailbox| {
            Some(json!({ "name": scene.fresh_name(), "type": "email_inbound", "mailboxId": mailbox }))
        }),
        write("PUT", "/api/automation/agents/{id}", 200)
            .body(|_, _, _| Some(json!({ "instructions": "Answer briefly." }))),
        write("POST", "/api/automation/agents/{id}/enable", 200),
        write("POST", "/api/automation/agents/{id}/disable", 200),
        Row::new("POST", "/api/automation/agents/{id}/preview", Access::Purpose(Purpose::AgentPreview), 200)
            .with(Thing::Agent)
            .body(|_, _, _| {
                Some(json!({ "mail": "From: ann@else.test\r\n\r\nWhat now?\r\n", "ask": false }))
            }),
        write("DELETE", "/api/automation/agents/{id}", 204),
    ]
}

fn mailboxes() -> Vec<Row> {
    let read = |path| Row::new("GET", path, Access::Scope(Scope::AgentsRead), 200).with(Thing::Mailbox);
    let write = |method, path, status| {
        Row::new(method, path, Access::Scope(Scope::AgentsWrite), status).with(Thing::Mailbox)
    };
    vec![
        read("/api/mailboxes"),
        read("/api/mailboxes/{id}"),
        write("POST", "/api/mailboxes", 201)
            .with(Thing::None)
            .body(|scene, _, _| Some(scene.service.mailbox(&format!("{}@shop.test", scene.fresh_name())))),
        write("PUT", "/api/mailboxes/{id}", 200)
            .body(|_, _, _| Some(json!({ "aliases": ["help@shop.test"] }))),
        write("POST", "/api/mailboxes/{id}/pause", 200),
        write("POST", "/api/mailboxes/{id}/activate", 200),
        write("POST", "/api/mailboxes/{id}/test", 200),
        write("DELETE", "/api/mailboxes/{id}", 204),
    ]
}

fn runs() -> Vec<Row> {
    let read = |path| Row::new("GET", path, Access::Scope(Scope::RunsRead), 200).with(Thing::HeldRun);
    let decide = |path| Row::new("POST", path, Access::Scope(Scope::RunsWrite), 200).with(Thing::HeldRun);
    vec![
        read("/api/runs"),
        read("/api/runs/{id}"),
        Row::new("GET", "/api/runs/{id}/reply", Access::Scope(Scope::MailRead), 200).with(Thing::HeldRun),
        decide("/api/runs/{id}/edit").body(|_, _, _| Some(json!({ "text": "Other words." }))),
        decide("/api/runs/{id}/approve"),
        decide("/api/runs/{id}/discard"),
        decide("/api/runs/{id}/retry").with(Thing::DiscardedRun),
    ]
}

fn messages() -> Vec<Row> {
    let read = |path| Row::new("GET", path, Access::Scope(Scope::MailRead), 200).with(Thing::HeldRun);
    vec![read("/api/messages"), read("/api/messages/{id}"), read("/api/messages/{id}/raw")]
}

fn openrouter() -> Vec<Row> {
    let session = |path, status| Row::new("POST", path, Access::Session, status);
    vec![
        session("/api/openrouter/connect", 200).body(|_, _, _| Some(json!({ "headless": true }))),
        session("/api/openrouter/exchange", 200)
            .with(Thing::Consent)
            .body(|_, _, code| Some(json!({ "code": code }))),
    ]
}

fn keys_and_tokens() -> Vec<Row> {
    let keys = |method, path, status| Row::new(method, path, Access::Scope(Scope::KeysWrite), status);
    let tokens = |method, path, status| Row::new(method, path, Access::Scope(Scope::TokensCreate), status);
    vec![
        keys("GET", "/api/v1/api-keys", 200).with(Thing::ApiKey),
        keys("GET", "/api/v1/api-keys/{id}", 200).with(Thing::ApiKey),
        keys("POST", "/api/v1/api-keys", 201).body(|scene, _, _| Some(scene.api_key(&["usage:read"]))),
        keys("PUT", "/api/v1/api-keys/{id}", 200)
            .with(Thing::ApiKey)
            .body(|_, _, _| Some(json!({ "description": "another" }))),
        keys("DELETE", "/api/v1/api-keys/{id}", 204).with(Thing::ApiKey),
        keys("POST", "/api/v1/api-keys/{id}/rotate", 201).with(Thing::ApiKey).body(|_, _, _| Some(json!({}))),
        tokens("GET", "/api/v1/security-tokens", 200).with(Thing::SecurityToken),
        tokens("POST", "/api/v1/security-tokens", 201).body(|_, _, _| Some(carrying_a_key())),
        tokens("DELETE", "/api/v1/security-tokens/{id}", 204).with(Thing::SecurityToken),
        // Everybody's own, but the columns need them.
        tokens("POST", "/api/v1/security-tokens/revoke-all", 200).last(),
    ]
}

/// What makes a security token without anything else being there.
pub fn carrying_a_key() -> Value {
    json!({ "purpose": "chat.completion", "apiKeys": { "openai": "sk-of-the-matrix" } })
}

fn chat() -> Vec<Row> {
    vec![
        Row::new("POST", "/api/v1/chat/completions", Access::Purpose(Purpose::ChatCompletion), 200)
            .with(Thing::Model)
            .body(|_, _, _| Some(json!({ "messages": [{ "role": "user", "content": "x" }] }))),
        Row::new("GET", "/api/v1/models", Access::Scope(Scope::ChatCreate), 200).with(Thing::Model),
    ]
}

fn records() -> Vec<Row> {
    let scope = |method, path, scope, status| Row::new(method, path, Access::Scope(scope), status);
    vec![
        scope("GET", "/api/usage", Scope::UsageRead, 200),
        scope("GET", "/api/notices", Scope::RunsRead, 200).with(Thing::Notice),
        scope("POST", "/api/notices/{id}/end", Scope::RunsWrite, 204).with(Thing::Notice),
        Row::new("GET", "/api/audit", Access::Session, 200),
        Row::new("GET", "/api/account/export", Access::Scope(Scope::ExportRead), 200),
        Row::new("POST", "/api/account/delete", Access::Session, 204)
            .body(|_, _, _| Some(json!({ "password": PASSWORD })))
            .last(),
    ]
}
