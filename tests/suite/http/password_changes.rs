//! A password that is changed while somebody is at the door with the former one.

use std::time::Duration;

use postkey::store::{NewAuditEntry, NewSession, SessionId, Store, User};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::support::api::{Answered, PASSWORD, Service};
use crate::support::database::{TestDatabase, on_both};
use crate::support::raw::texts;
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(30);

/// Somebody who waits for a row.
const WAITING: &str = "SELECT 'waits' FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

async fn find_ann(store: &Store) -> User {
    store.find_user_by_email("ann@owner.test").await.unwrap().unwrap()
}

fn session(store: &Store, user: &User) -> NewSession {
    let id = SessionId::new(store.clock());
    NewSession {
        id,
        user: user.id,
        address: "192.0.2.1".into(),
        refresh_hash: format!("hash of {id}"),
        expires_at: store.clock().now().plus(LONG),
    }
}

fn entry(user: &User) -> NewAuditEntry {
    NewAuditEntry {
        user: user.id,
        action: "signed_in",
        is_done: true,
        actor: "nobody".into(),
        subject: None,
        address: None,
    }
}

async fn count(database: &TestDatabase, table: &str) -> String {
    texts(database, &format!("SELECT COUNT(*) || '' FROM {table}")).await.remove(0)
}

on_both! {
    async fn what_was_verified_before_a_change_of_the_password_begins_and_changes_nothing(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let store = &service.store;
        let before = find_ann(store).await;
        let stale = before.password_hash.clone().unwrap();
        let next = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
        ann.post("/api/auth/password", next).await.expect(200);
        let now = find_ann(store).await.password_hash.unwrap();
        let rows = (count(&database, "sessions").await, count(&database, "audit_entries").await);
        assert!(!store.begin_session(session(store, &before), stale.clone(), entry(&before)).await.unwrap());
        let theirs = (stale, "a hash of theirs".to_owned());
        assert!(!store.change_password(theirs, session(store, &before), entry(&before)).await.unwrap());
        assert_eq!(rows, (count(&database, "sessions").await, count(&database, "audit_entries").await));
        assert_eq!(find_ann(store).await.password_hash.unwrap(), now);
        assert!(store.begin_session(session(store, &before), now, entry(&before)).await.unwrap());
    }
}

/// Changes Ann's hash in a transaction of its own, lets the call come as far as it can, and commits.
async fn while_another_password_is_set(
    database: &TestDatabase,
    call: impl Future<Output = Answered> + Send + 'static,
) -> Answered {
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE users SET password_hash = 'another'").execute(&mut other).await.unwrap();
    let call = tokio::spawn(call);
    until("the call waits for the account", LONG, async || texts(database, WAITING).await.len() == 1).await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    call.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_with_a_password_that_is_changed_at_the_same_moment() {
    let database = TestDatabase::postgres().await;
    let service = Service::start(&database).await;
    service.sign_up("ann").await;
    let stranger = service.stranger();
    let sign_in = json!({ "email": "ann@owner.test", "password": PASSWORD });
    let refused =
        while_another_password_is_set(
            &database,
            async move { stranger.post("/api/auth/login", sign_in).await },
        );
    let refused = refused.await;
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.refused(503), "unavailable");
    assert_eq!(count(&database, "sessions").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_back_a_password_that_is_changed_at_the_same_moment() {
    for (path, body) in [
        ("/api/auth/password", json!({ "currentPassword": PASSWORD, "newPassword": "yet another one" })),
        ("/api/account/delete", json!({ "password": PASSWORD })),
    ] {
        let database = TestDatabase::postgres().await;
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let refused =
            while_another_password_is_set(&database, async move { ann.post(path, body).await }).await;
        assert_eq!(refused.refused(503), "unavailable", "{path}");
        assert_eq!(find_ann(&service.store).await.password_hash.as_deref(), Some("another"), "{path}");
    }
}
