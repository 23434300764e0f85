//! Rows to start from: users with a watched mailbox, and runs by the hundred thousand.

use std::time::Duration;

use postkey::store::{
    Holder, Mailbox, MailboxId, MailboxLease, MailboxState, NewUser, Provision, Reception, Server, Store,
    UserId,
};
use sqlx::Executor;

use super::database::{Database, Side};
use super::{Failure, USERS};

/// The benchmark's users, each with a mailbox that this process watches.
pub async fn add_users(store: &Store) -> Result<Vec<MailboxLease>, Failure> {
    let mut provision = Provision::default();
    for number in 0..USERS {
        let user = UserId::new(store.clock());
        provision.users.push(NewUser {
            id: user,
            email: format!("user{number}@owner.test"),
            name: format!("user {number}"),
            role: None,
            password_hash: None,
        });
        provision.mailboxes.push(new_mailbox(store, user, number));
    }
    store.provision(provision).await?;
    let holder = Holder::new(store.clock());
    let watched = store.lease_mailboxes(holder, Duration::from_secs(3600), USERS).await?;
    Ok(watched.iter().map(|mailbox| mailbox.lease()).collect())
}

fn new_mailbox(store: &Store, user: UserId, number: u32) -> Mailbox {
    let server = Server {
        host: "127.0.0.1".into(),
        port: 1,
        security: "none".into(),
        username: "user".into(),
        password: None,
        ca: None,
    };
    Mailbox {
        id: MailboxId::new(store.clock()),
        user_id: user,
        address: format!("agent{number}@shop.test"),
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
        activated_at: store.clock().now(),
        last_alive_at: None,
        uid_validity: None,
        next_uid: None,
        updated_at: store.clock().now(),
    }
}

/// Adds queued runs, evenly over the users and due by now; ids ascend as those that the program makes.
pub struct Backlog {
    side: Side,
    next: i64,
}

// One thread per mailbox is enough: the queue never looks at it.
const POSTGRES_THREADS: &str = "INSERT INTO threads (id, user_id, mailbox_id, correspondent, created_at)
    SELECT id, user_id, id, '', 0 FROM mailboxes";
const POSTGRES_ADD: &str = "WITH owners AS (
    SELECT id, user_id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS number FROM mailboxes
), added AS (
    INSERT INTO messages (id, user_id, mailbox_id, thread_id, identity, bytes, truncated, received_at)
    SELECT CAST(LPAD(TO_HEX(run), 32, '0') AS UUID), owners.user_id, owners.id, owners.id, run, 4, FALSE, 0
    FROM generate_series($1, $1 + $2 - 1) AS run JOIN owners ON owners.number = run % $3
    ORDER BY run RETURNING id, user_id
)
INSERT INTO runs (id, user_id, state, due_at, created_at) SELECT id, user_id, 'queued', $4, 0 FROM added";

const SQLITE_THREADS: &str = POSTGRES_THREADS;
const SQLITE_MESSAGES: &str = "WITH RECURSIVE series (run) AS (
    SELECT $1 UNION ALL SELECT run + 1 FROM series WHERE run < $1 + $2 - 1
), owners AS MATERIALIZED (
    SELECT id, user_id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS number FROM mailboxes
)
INSERT INTO messages (id, user_id, mailbox_id, thread_id, identity, bytes, truncated, received_at)
SELECT unhex(printf('%032x', run)), owners.user_id, owners.id, owners.id, run, 4, FALSE, 0
FROM series JOIN owners ON owners.number = run % $3";
const SQLITE_RUNS: &str = "INSERT INTO runs (id, user_id, state, due_at, created_at)
    SELECT id, user_id, 'queued', $3, 0 FROM messages
    WHERE id >= unhex(printf('%032x', $1)) AND id < unhex(printf('%032x', $1 + $2))";

impl Backlog {
    pub async fn begin(database: &Database) -> Result<Self, Failure> {
        let mut side = database.open_side().await?;
        match &mut side {
            Side::Sqlite(db) => db.execute(SQLITE_THREADS).await.map(drop)?,
            Side::Postgres(db) => db.execute(POSTGRES_THREADS).await.map(drop)?,
        }
        Ok(Self { side, next: 0 })
    }

    pub async fn add(&mut self, runs: i64, store: &Store) -> Result<(), Failure> {
        let (first, now) = (self.next, store.clock().now());
        self.next += runs;
        match &mut self.side {
            Side::Sqlite(db) => {
                db.execute("BEGIN IMMEDIATE").await?;
                let messages = sqlx::query(SQLITE_MESSAGES).bind(first).bind(runs).bind(i64::from(USERS));
                messages.execute(&mut *db).await?;
                sqlx::query(SQLITE_RUNS).bind(first).bind(runs).bind(now).execute(&mut *db).await?;
                db.execute("COMMIT").await?;
            }
            Side::Postgres(db) => {
                let added = sqlx::query(POSTGRES_ADD).bind(first).bind(runs).bind(i64::from(USERS)).bind(now);
                added.execute(&mut *db).await?;
            }
        }
        Ok(())
    }

    /// Writes out what the filling left behind, so that it is not part of the figures.
    pub async fn settle(&mut self) -> Result<(), Failure> {
        match &mut self.side {
            Side::Sqlite(db) => db.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.map(drop)?,
            Side::Postgres(db) => db.execute("CHECKPOINT").await.map(drop)?,
        }
        Ok(())
    }

    /// What the server's housekeeping would do within a minute: the planner knows the tables.
    pub async fn analyze(&mut self) -> Result<(), Failure> {
        match &mut self.side {
            Side::Sqlite(_) => Ok(()), // never done in service either
            Side::Postgres(db) => Ok(db.execute("VACUUM ANALYZE").await.map(drop)?),
        }
    }

    /// Whether any run is due or leased.
    pub async fn has_work(&mut self) -> Result<bool, Failure> {
        const ANY: &str = "SELECT EXISTS (SELECT 1 FROM runs WHERE due_at IS NOT NULL AND crash_count = 0)
            OR EXISTS (SELECT 1 FROM runs WHERE lease_until IS NOT NULL)";
        Ok(match &mut self.side {
            Side::Sqlite(db) => sqlx::query_scalar(ANY).fetch_one(db).await?,
            Side::Postgres(db) => sqlx::query_scalar(ANY).fetch_one(db).await?,
        })
    }

    /// An error unless exactly `runs` have been replied.
    pub async fn check_replied(&mut self, runs: i64) -> Result<(), Failure> {
        const REPLIED: &str = "SELECT COUNT(*) FROM runs WHERE state = 'replied' AND lease_epoch = 1";
        let replied: i64 = match &mut self.side {
            Side::Sqlite(db) => sqlx::query_scalar(REPLIED).fetch_one(db).await?,
            Side::Postgres(db) => sqlx::query_scalar(REPLIED).fetch_one(db).await?,
        };
        if replied == runs { Ok(()) } else { Err(format!("{replied} of {runs} runs are replied").into()) }
    }
}
