//! What a user may take along, and what is left when one goes.

mod departure;
mod export;

use std::time::Duration;

use postkey::provider::KeyLimits;
use postkey::store::{
    NewAuditEntry, NewNotice, NewSuppression, NewUser, Provision, Reason, RunState, Store, UserId,
};
use postkey::vault::hash_password;
use secrecy::SecretString;
use serde_json::json;

use crate::support::api::{PASSWORD, Visitor, send};
use crate::support::database::TestDatabase;
use crate::support::dump::{dump, says, tables_of_users};
use crate::support::office::{LONG, Office, Served};
use crate::support::raw::{execute, id_literal, texts};
use crate::support::wait::until;
use crate::support::world::Desk;

/// Two owners who can sign in, each with answered mail, in a running service; both have a row in every table.
struct Town {
    office: Office,
    served: Served,
    ann: Resident,
    bob: Resident,
}

struct Resident {
    desk: Desk,
    visitor: Visitor,
}

impl Town {
    async fn found(database: &TestDatabase) -> Self {
        let office = Office::open(database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        let served = office.serve().await;
        for (first, desk) in [(10, &ann), (20, &bob)] {
            office.deliver(desk, first);
            office.deliver(desk, first + 1);
        }
        office.until_counted(&ann, RunState::Replied, 2).await;
        office.until_counted(&bob, RunState::Replied, 2).await;
        let unfiled = "SELECT rfc_message_id FROM outbox WHERE filed_at IS NULL";
        until("copies are in the Sent folders", LONG, async || texts(database, unfiled).await.is_empty())
            .await;
        let ann = Resident::settle(database, &office, &served, ann).await;
        let bob = Resident::settle(database, &office, &served, bob).await;
        Self { office, served, ann, bob }
    }
}

impl Resident {
    /// Gives an owner a password, signs in, and leaves a row in every table.
    async fn settle(database: &TestDatabase, office: &Office, served: &Served, desk: Desk) -> Self {
        let name = desk.address.split('@').next().unwrap();
        let email = format!("{name}@owner.test");
        give_password(&office.store, desk.user, &email).await;
        let user = id_literal(database, desk.user.uuid());
        execute(database, &format!("UPDATE users SET role = 'admin' WHERE id = {user}")).await;
        let sign_in = json!({ "email": email, "password": PASSWORD });
        let signed_in = Visitor::at(served.address, "").post("/api/auth/login", sign_in).await.expect(200);
        let visitor = Visitor::at(served.address, signed_in["token"].as_str().unwrap());
        let named = visitor.request(reqwest::Method::POST, "/api/invites").header("idempotency-key", "one");
        send(named.json(&json!({}))).await.expect(201);
        visitor.post("/api/openrouter/connect", json!({ "headless": true })).await.expect(200);
        let key = json!({ "name": "script", "scopes": ["usage:read"], "expiresAt": "never" });
        visitor.post("/api/v1/api-keys", key).await.expect(201);
        let token = json!({ "purpose": "chat.completion", "apiKeys": { "openai": "sk-of-a-token" } });
        visitor.post("/api/v1/security-tokens", token).await.expect(201);
        leave_traces(&office.store, &desk).await;
        execute(database, &format!(
            "INSERT INTO sent_mails (mailbox_id, rfc_message_id, user_id, thread_id, recipient, created_at)
             SELECT mailbox_id, 'forgotten@shop.test', user_id, id, 'someone@else.test', created_at FROM threads
             WHERE user_id = {user} LIMIT 1")).await;
        let resident = Self { desk, visitor };
        resident.check_is_everywhere(database).await;
        resident
    }

    async fn check_is_everywhere(&self, database: &TestDatabase) {
        let rows = dump(database).await;
        for table in tables_of_users(database).await {
            let is_there = rows[&table].iter().any(|row| says(row, &self.desk.user.to_string()));
            assert!(
                is_there,
                "give {} a row in {table}, so that the tests see what becomes of it",
                self.desk.address
            );
        }
    }
}

/// Lets an owner sign in.
pub(super) async fn give_password(store: &Store, user: UserId, email: &str) {
    let hash = hash_password(&SecretString::from(PASSWORD)).unwrap();
    let user = NewUser {
        id: user,
        email: email.into(),
        name: "Owner".into(),
        role: None,
        password_hash: Some(hash),
    };
    store.provision(Provision { users: vec![user], ..Provision::default() }).await.unwrap();
}

async fn leave_traces(store: &Store, desk: &Desk) {
    let user = desk.user;
    let now = store.clock().now();
    let notice = NewNotice { user, cause: "no_key".into(), kind: "no_key", sentence: "Save a key.".into() };
    store.give_notice(notice).await.unwrap();
    let configuration = store.find_ai_configuration(user, None).await.unwrap().unwrap();
    store.note_key_limits(&configuration, KeyLimits::default()).await.unwrap();
    let suppression = NewSuppression {
        user,
        mailbox: desk.mailbox,
        addresses: vec!["leave-me@else.test".into()],
        thread: None,
        reason: Reason::OptedOut,
        sentence: "Somebody wants to be left alone.".into(),
    };
    store.suppress(suppression).await.unwrap();
    let entry = NewAuditEntry {
        user,
        action: "password_reset_asked",
        is_done: true,
        actor: "nobody".into(),
        subject: None,
        address: None,
    };
    let hash = format!("hash of {user}");
    store.add_password_reset(hash, now.plus(Duration::from_secs(60)), entry).await.unwrap();
    while store.sum_hours(now.plus(Duration::from_secs(7200))).await.unwrap() > 0 {}
}
