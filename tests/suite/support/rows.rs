//! Rows that tests start from: users with a mailbox, and mails in it.

use postkey::clock::Clock;
use postkey::config;
use postkey::mail::authentication::Authentication;
use postkey::store::{
    Accepted, Arrival, Holder, Mailbox, MailboxId, MailboxLease, MailboxState, NewUser, Provision, Reception,
    RunId, Server, Store, UserId,
};

use super::database::TestDatabase;

/// The test's database, open and with its tables.
pub async fn open_store(database: &TestDatabase, clock: Clock) -> Store {
    let config = config::Database { url: database.url().to_owned(), ..config::Database::default() };
    let store = Store::open(&config, clock).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// A user with a mailbox that this test watches.
pub async fn new_mailbox(store: &Store, name: &str) -> MailboxLease {
    let clock = store.clock();
    let (user, mailbox) = (UserId::new(clock), MailboxId::new(clock));
    let server = Server {
        host: "127.0.0.1".into(),
        port: 1,
        security: "none".into(),
        username: name.into(),
        password: None,
        ca: None,
    };
    let provision = Provision {
        users: vec![NewUser {
            id: user,
            email: format!("{name}@owner.test"),
            name: name.into(),
            role: None,
            password_hash: None,
        }],
        mailboxes: vec![Mailbox {
            id: mailbox,
            user_id: user,
            address: format!("{name}@shop.test"),
            aliases: Vec::new(),
            folder: "INBOX".into(),
            imap: server.clone(),
            smtp: server,
            oauth: None,
            reception: Reception::default(),
            secrets_fingerprint: String::new(),
            enabled: true,
            state: MailboxState::Active,
            state_reason: None,
            activated_at: clock.now(),
            last_alive_at: None,
            uid_validity: None,
            next_uid: None,
            updated_at: clock.now(),
        }],
        ..Provision::default()
    };
    store.provision(provision).await.unwrap();
    let holder = Holder::new(clock);
    let leased = store.lease_mailboxes(holder, std::time::Duration::from_secs(600), 1000).await.unwrap();
    leased.iter().find(|leased| leased.id == mailbox).unwrap().lease()
}

/// Takes in `count` small mails and answers their runs.
pub async fn enqueue(store: &Store, mailbox: MailboxLease, count: u32) -> Vec<RunId> {
    let mut runs = Vec::new();
    for accepted in store.accept_messages(mailbox, arrivals(count), None).await.unwrap() {
        if let Accepted::New(run) = accepted {
            runs.push(run);
        }
    }
    runs
}

/// So many small mails.
pub fn arrivals(count: u32) -> Vec<Arrival> {
    (0..count)
        .map(|number| Arrival {
            identity: format!("{}-{number}", uuid::Uuid::from_bytes(rand::random())),
            rfc_message_id: None,
            signed_thread: None,
            answers: Vec::new(),
            correspondent: "someone@else.test".into(),
            uid_validity: 1,
            uid: number + 1,
            internal_date: None,
            is_answered: false,
            bytes: 4,
            raw: b"mail".to_vec(),
            truncated: false,
            authentication: Authentication::Unknown,
        })
        .collect()
}
