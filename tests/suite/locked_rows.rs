//! PostgreSQL, where other programs and people lock rows: whoever waits for them keeps nobody else waiting.

use std::sync::Arc;
use std::time::Duration;

use postkey::clock::Clock;
use postkey::config;
use postkey::queue::{Outcome, Queue};
use postkey::store::{ClaimLimits, Holder, MailboxLease, NewNotice, RunId, RunState, Store, UserId};
use sqlx::{Connection, PgConnection};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::database::TestDatabase;
use crate::support::raw::{execute, texts};
use crate::support::rows::{enqueue, new_mailbox, open_store};
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(30);
/// Less than a connection waits for a lock, so that nobody can have waited for one.
const AT_ONCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn no_lease_of_a_run_ends_because_another_run_is_locked() {
    let (database, store) = open().await;
    let mailbox = new_mailbox(&store, "ann").await;
    let locked = enqueue(&store, mailbox, 2).await[0];
    let holder = Holder::new(store.clock());
    assert_eq!(store.claim_runs(holder, limits(LONG)).await.unwrap().len(), 2);
    let _other = lock(&database, &format!("SELECT FROM runs WHERE id = '{locked}' FOR UPDATE")).await;
    let renewing = store.renew_leases(holder, Duration::from_secs(600));
    let held = tokio::time::timeout(AT_ONCE, renewing).await.expect("it waits for nobody").unwrap();
    assert_eq!(held.len(), 2);
    let renewed =
        texts(&database, "SELECT id::TEXT FROM runs WHERE lease_until > now_millis() + 300000").await;
    assert_eq!(renewed.len(), 1);
    assert_ne!(renewed[0], locked.to_string());
}

#[tokio::test]
async fn no_lease_of_a_mailbox_ends_because_another_mailbox_is_locked() {
    let (database, store) = open().await;
    let (ann, _bob) = (new_mailbox(&store, "ann").await, new_mailbox(&store, "bob").await);
    let holder = Holder::new(store.clock());
    store.release_mailboxes(None).await.unwrap();
    let _other =
        lock(&database, &format!("SELECT FROM mailboxes WHERE id = '{}' FOR UPDATE", ann.mailbox)).await;
    let leasing = store.lease_mailboxes(holder, LONG, 10);
    let leased = tokio::time::timeout(AT_ONCE, leasing).await.expect("it waits for nobody").unwrap();
    assert_eq!(leased.len(), 1);
    let _second = lock(&database, "SELECT FROM mailboxes FOR UPDATE SKIP LOCKED").await;
    let renewing = store.renew_mailboxes(holder, Duration::from_secs(600));
    let held = tokio::time::timeout(AT_ONCE, renewing).await.expect("it waits for nobody").unwrap();
    assert_eq!(held.len(), 1);
}

#[tokio::test]
async fn runs_of_the_dead_are_taken_back_although_one_is_locked() {
    let (database, store) = open().await;
    let (ann, bob) = (new_mailbox(&store, "ann").await, new_mailbox(&store, "bob").await);
    let locked = enqueue(&store, ann, 1).await[0];
    enqueue(&store, bob, 1).await;
    let claimed =
        store.claim_runs(Holder::new(store.clock()), limits(Duration::from_millis(1))).await.unwrap();
    assert_eq!(claimed.len(), 2);
    let other = lock(&database, &format!("SELECT FROM runs WHERE id = '{locked}' FOR UPDATE")).await;
    until("the other one's is taken back", LONG, async || {
        tokio::time::timeout(AT_ONCE, store.reap_leases(3, false, tell)).await.expect("it waits").unwrap();
        count(&store, bob, RunState::Queued).await == 1
    })
    .await;
    assert_eq!(count(&store, ann, RunState::Queued).await, 0);
    drop(other);
    until("the locked one is taken back", LONG, async || {
        store.reap_leases(3, false, tell).await.unwrap();
        count(&store, ann, RunState::Queued).await == 1
    })
    .await;
    assert_eq!(texts(&database, "SELECT running::TEXT FROM lanes").await, ["0", "0"]);
}

#[tokio::test]
async fn endings_of_others_do_not_wait_for_a_user_whose_lane_is_locked() {
    let (database, store) = open().await;
    let (ann, bob) = (new_mailbox(&store, "ann").await, new_mailbox(&store, "bob").await);
    let (gate, stop) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
    let config = config::Worker { concurrency: 2, ..config::Worker::default() };
    let queue = Queue::new(store.clone(), Holder::new(store.clock()), config);
    let work = {
        let gate = Arc::clone(&gate);
        move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                Outcome::Replied
            }
        }
    };
    let at_work = tokio::spawn(queue.run(work, stop.clone()));
    enqueue(&store, ann, 1).await;
    enqueue(&store, bob, 1).await;
    until("both are running", LONG, async || {
        count(&store, ann, RunState::Running).await + count(&store, bob, RunState::Running).await == 2
    })
    .await;
    let other =
        lock(&database, &format!("SELECT FROM lanes WHERE user_id = '{}' FOR UPDATE", ann.user)).await;
    gate.add_permits(10);
    until("the other one's has ended", LONG, async || count(&store, bob, RunState::Replied).await == 1).await;
    enqueue(&store, bob, 3).await;
    until("later ones end as well", LONG, async || count(&store, bob, RunState::Replied).await == 4).await;
    assert_eq!(count(&store, ann, RunState::Running).await, 1);
    drop(other);
    until("the locked one has ended", LONG, async || count(&store, ann, RunState::Replied).await == 1).await;
    stop.cancel();
    at_work.await.unwrap().unwrap();
}

/// Two sweeps at the same time, as of two processes that were started together.
#[tokio::test]
async fn two_who_forget_runs_at_once_keep_the_message_id_of_each() {
    let (database, store) = open().await;
    let mailbox = new_mailbox(&store, "ann").await;
    enqueue(&store, mailbox, 1500).await;
    execute(&database, "UPDATE runs SET state = 'replied', due_at = NULL, finished_at = 1").await;
    execute(
        &database,
        "INSERT INTO outbox (run_id, user_id, mailbox_id, thread_id, rfc_message_id, recipient, state, epoch, created_at)
         SELECT id, user_id, mailbox_id, thread_id, id::TEXT, 'someone@else.test', 'sent', 1, 1 FROM messages",
    )
    .await;
    let second = open_store(&database, Clock::system()).await;
    let later = store.clock().now().plus(LONG);
    loop {
        let (one, other) = tokio::join!(store.forget(later, later), second.forget(later, later));
        let left = texts(&database, "SELECT COUNT(*)::TEXT FROM outbox").await[0].parse::<u64>().unwrap();
        let kept = texts(&database, "SELECT COUNT(*)::TEXT FROM sent_mails").await[0].parse::<u64>().unwrap();
        assert!(kept + left >= 1500, "{left} are left and {kept} are kept");
        if one.unwrap() + other.unwrap() == 0 {
            assert_eq!(left, 0);
            return;
        }
    }
}

async fn open() -> (TestDatabase, Store) {
    let database = TestDatabase::postgres().await;
    let store = open_store(&database, Clock::system()).await;
    (database, store)
}

/// Somebody else's transaction, until it is dropped.
async fn lock(database: &TestDatabase, statement: &str) -> PgConnection {
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    let begin = sqlx::AssertSqlSafe(format!("BEGIN; {statement}"));
    sqlx::raw_sql(begin).execute(&mut other).await.unwrap();
    other
}

async fn count(store: &Store, mailbox: MailboxLease, state: RunState) -> i64 {
    let counts = store.count_runs(mailbox.user).await.unwrap();
    counts.iter().filter(|count| count.state == state).map(|count| count.runs).sum()
}

fn limits(lease: Duration) -> ClaimLimits {
    ClaimLimits { most: 10, per_user: 4, lease }
}

fn tell(run: RunId, user: UserId, _crashes: u32) -> NewNotice {
    NewNotice { user, cause: format!("run:{run}"), kind: "quarantined", sentence: "put aside".into() }
}
