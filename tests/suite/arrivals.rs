//! Taking mails in: by whoever watches the mailbox now, each once, and heard of by other processes.

use std::time::Duration;

use postkey::clock::Clock;
use postkey::store::{Accepted, Holder, MailboxCursor, MailboxLease, RunState, Store, StoreError};
use sqlx::postgres::PgListener;
use sqlx::{Connection, PgConnection};

use crate::support::database::{TestDatabase, on_both};
use crate::support::raw::{execute, texts};
use crate::support::rows::{arrivals, enqueue, new_mailbox, open_store};
use crate::support::wait::until;
use crate::support::world::count;

const LONG: Duration = Duration::from_secs(30);

/// The two mails that the tests take in are settled.
const PAST_TWO: MailboxCursor = MailboxCursor { uid_validity: 1, next_uid: 3 };

const WAITING: &str = "SELECT query FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

on_both! {
    async fn a_late_watcher_takes_nothing_in(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let late = new_mailbox(&store, "ann").await;
        store.release_mailboxes(None).await.unwrap();
        let leased = store.lease_mailboxes(Holder::new(store.clock()), LONG, 1).await.unwrap();
        let refused = store.accept_messages(late, arrivals(2), Some(PAST_TWO)).await;
        assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
        assert_eq!(count(&store, late.user, RunState::Queued).await, 0);
        assert_eq!(cursor(&store, late).await, None);
        assert_eq!(enqueue(&store, leased[0].lease(), 2).await.len(), 2);
    }
}

on_both! {
    async fn the_cursor_moves_with_the_mails(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        let mails = arrivals(2);
        store.accept_messages(mailbox, mails.clone(), None).await.unwrap();
        assert_eq!(cursor(&store, mailbox).await, None, "the mails before them are not settled");
        store.accept_messages(mailbox, mails, Some(PAST_TWO)).await.unwrap();
        assert_eq!(cursor(&store, mailbox).await, Some(PAST_TWO));
        let further = MailboxCursor { next_uid: 5, ..PAST_TWO };
        execute(&database, "ALTER TABLE runs RENAME TO elsewhere").await;
        let failed = store.accept_messages(mailbox, arrivals(2), Some(further)).await;
        assert!(matches!(failed, Err(StoreError::Database(_))), "{failed:?}");
        assert_eq!(cursor(&store, mailbox).await, Some(PAST_TWO), "nothing was taken in");
        execute(&database, "ALTER TABLE elsewhere RENAME TO runs").await;
        store.accept_messages(mailbox, Vec::new(), Some(further)).await.unwrap();
        assert_eq!(cursor(&store, mailbox).await, Some(further), "over mails that are not taken in");
    }
}

on_both! {
    async fn the_same_mails_again_are_known(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        let mut mails = arrivals(2);
        let first = store.accept_messages(mailbox, mails.clone(), None).await.unwrap();
        let [Accepted::New(one), Accepted::New(other)] = first[..] else { panic!("{first:?}") };
        mails.extend(arrivals(1));
        let second = store.accept_messages(mailbox, mails, None).await.unwrap();
        assert_eq!(second[..2], [Accepted::Known(one), Accepted::Known(other)]);
        assert!(matches!(second[2], Accepted::New(run) if run != one && run != other), "{second:?}");
        assert_eq!(count(&store, mailbox.user, RunState::Queued).await, 3);
    }
}

#[tokio::test]
async fn a_watcher_waits_for_whoever_is_taking_the_mailbox() {
    let database = TestDatabase::postgres().await;
    let store = open_store(&database, Clock::system()).await;
    let late = new_mailbox(&store, "ann").await;
    let mut other = begin(&database, "BEGIN; UPDATE mailboxes SET lease_epoch = lease_epoch + 1").await;
    let watcher = store.clone();
    let accepting = tokio::spawn(async move { watcher.accept_messages(late, arrivals(2), None).await });
    until("the watcher waits", LONG, async || texts(&database, WAITING).await.len() == 1).await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let refused = accepting.await.unwrap();
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    assert_eq!(count(&store, late.user, RunState::Queued).await, 0);
}

#[tokio::test]
async fn two_watchers_of_one_lease_take_a_mail_in_once() {
    let database = TestDatabase::postgres().await;
    let store = open_store(&database, Clock::system()).await;
    let mailbox = new_mailbox(&store, "ann").await;
    let mut other = begin(&database, "BEGIN; SELECT id FROM mailboxes FOR UPDATE").await;
    let mails = arrivals(2);
    let mut both = Vec::new();
    for _ in 0..2 {
        let (watcher, mails) = (open_store(&database, Clock::system()).await, mails.clone());
        both.push(tokio::spawn(async move { watcher.accept_messages(mailbox, mails, None).await }));
    }
    until("both wait", LONG, async || texts(&database, WAITING).await.len() == 2).await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let mut taken_in = 0;
    for accepting in both {
        taken_in += usize::from(accepting.await.unwrap().is_ok());
    }
    assert_eq!(taken_in, 1, "the key of messages refuses the one that came second");
    // Who was refused comes again.
    let again = store.accept_messages(mailbox, mails, None).await.unwrap();
    assert!(matches!(again[..], [Accepted::Known(_), Accepted::Known(_)]), "{again:?}");
    assert_eq!(count(&store, mailbox.user, RunState::Queued).await, 2);
}

#[tokio::test]
async fn other_processes_are_told_of_new_mails_and_of_no_others() {
    let database = TestDatabase::postgres().await;
    let store = open_store(&database, Clock::system()).await;
    let mailbox = new_mailbox(&store, "ann").await;
    let mut listener = PgListener::connect(database.url()).await.unwrap();
    listener.listen("postkey_runs").await.unwrap();
    let mails = arrivals(2);
    for mails in [mails.clone(), mails, arrivals(1)] {
        store.accept_messages(mailbox, mails, None).await.unwrap();
    }
    execute(&database, "NOTIFY postkey_runs, 'the end'").await;
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "the end") {
        let next = tokio::time::timeout(LONG, listener.recv()).await.expect("the end is told");
        told.push(next.unwrap().payload().to_owned());
    }
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("postkey ") && told[0] == told[1], "{told:?}");
}

/// Somebody else's transaction, until it commits.
async fn begin(database: &TestDatabase, statements: &'static str) -> PgConnection {
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(statements).execute(&mut other).await.unwrap();
    other
}

async fn cursor(store: &Store, lease: MailboxLease) -> Option<MailboxCursor> {
    let mailbox = store.find_mailbox(lease.user, lease.mailbox).await.unwrap().unwrap();
    let (uid_validity, next_uid) = mailbox.uid_validity.zip(mailbox.next_uid)?;
    Some(MailboxCursor { uid_validity, next_uid })
}
