//! A database that is away for a while, or does not take what is to be written, in the middle of the work.

use std::time::Duration;

use postkey::clock::Clock;
use postkey::config;
use postkey::store::{Accepted, RunState, Store, StoreError};
use sqlx::{Connection, Executor, PgConnection};

use crate::support::database::{TestDatabase, on_both};
use crate::support::office::{LONG, Office};
use crate::support::provider_server::Answer;
use crate::support::proxy::Proxy;
use crate::support::raw::{execute, texts};
use crate::support::rows::{arrivals, new_mailbox};
use crate::support::smtp_server::Step;
use crate::support::wait::until;
use crate::support::world::{Desk, count};

const MAILS: usize = 60;

/// The service works through a proxy that is taken away; everybody else keeps the server.
async fn take_the_database_away_for(away: Duration) {
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(database.server_address()).await;
    let mut office = Office::open(&database).await;
    office.config.database.url = database.url_through(&proxy);
    office.config.database.acquire_timeout = Duration::from_secs(2);
    office.config.worker.lease = Duration::from_secs(30);
    office.provider.otherwise(
        Answer::words(|call| format!("Answer to: {}", call.last_text())).late(Duration::from_millis(50)),
    );
    let mut desks: Vec<Desk> = Vec::new();
    for name in ["ann", "bob", "cleo"] {
        desks.push(office.hire(&format!("{name}@shop.test")).await);
    }
    (0..MAILS).for_each(|number| office.deliver(&desks[number % desks.len()], number));
    let served = office.serve().await;
    until("a third is answered", LONG, async || office.smtp.accepted().len() >= MAILS / 3).await;
    proxy.take_away();
    tokio::time::sleep(away).await;
    // Mail that comes meanwhile waits on its server.
    (MAILS..MAILS + 6).for_each(|number| office.deliver(&desks[number % desks.len()], number));
    let asked = office.provider.calls().len();
    proxy.bring_back();
    until("work goes on", Duration::from_secs(15), async || office.provider.calls().len() > asked).await;
    let all = MAILS + 6;
    until("all are done", LONG, async || {
        let mut done = 0;
        for desk in &desks {
            done += count(&office.store, desk.user, RunState::Replied).await;
            done += count(&office.store, desk.user, RunState::Held).await;
        }
        done == all
    })
    .await;
    served.end().await;
    let (mut held, mut attempts, mut crashes) = (0, 0, 0);
    for desk in &desks {
        for run in office.runs(desk).await {
            held += usize::from(run.state == RunState::Held);
            attempts += run.attempt;
            crashes += run.crash_count;
        }
    }
    assert_eq!((held, attempts, crashes), (0, 0, 0), "held, attempts, crashes");
    office.check_answered_once(0..all);
    assert_eq!(office.provider.calls().len(), all, "an answer was paid for twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_for_moments_costs_nothing() {
    take_the_database_away_for(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_for_seconds_loses_nothing_and_doubles_nothing() {
    take_the_database_away_for(Duration::from_secs(6)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_for_20_seconds_loses_nothing_and_doubles_nothing() {
    take_the_database_away_for(Duration::from_secs(20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_whose_machine_has_died_is_left_for_the_one_in_its_place() {
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(database.server_address()).await;
    let mut office = Office::open(&database).await;
    office.config.database.url = database.url_through(&proxy);
    office.config.database.answer_timeout = Duration::from_secs(1);
    // None to spare.
    office.config.database.connections = 3;
    office.config.worker.lease = Duration::from_secs(30);
    let ann = office.hire("ann@shop.test").await;
    (0..MAILS).for_each(|number| office.deliver(&ann, number));
    let served = office.serve().await;
    for round in 1..=2 {
        until("some are answered", LONG, async || office.smtp.accepted().len() >= MAILS * round / 4).await;
        proxy.fall_silent();
    }
    office.until_counted(&ann, RunState::Replied, MAILS).await;
    office.deliver(&ann, MAILS);
    office.until_counted(&ann, RunState::Replied, MAILS + 1).await;
    served.end().await;
    office.check_answered_once(0..=MAILS);
}

const IN_TRANSACTION: &str = "SELECT state FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'postkey %' AND state <> 'idle'";

/// The server is slow and not dead: it goes on with what nobody waits for any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_had_no_answer_in_time_is_undone_and_can_be_done_again() {
    let database = TestDatabase::postgres().await;
    let config = config::Database {
        url: database.url().to_owned(),
        answer_timeout: Duration::from_secs(1),
        connections: 3,
        ..config::Database::default()
    };
    let store = Store::open(&config, Clock::system()).await.unwrap();
    store.migrate().await.unwrap();
    let mailbox = new_mailbox(&store, "ann").await;
    let mails = arrivals(2);
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    // Mails are stored before their runs.
    other.execute("BEGIN; LOCK TABLE runs IN EXCLUSIVE MODE").await.unwrap();
    let taking_in = store.accept_messages(mailbox, mails.clone(), None);
    let given_up = tokio::time::timeout(LONG, taking_in).await.expect("it does not wait for ever");
    assert!(matches!(given_up, Err(StoreError::Database(sqlx::Error::Io(_)))), "{given_up:?}");
    other.execute("COMMIT").await.unwrap();
    until("nobody is in its transaction any more", LONG, async || {
        texts(&database, IN_TRANSACTION).await.is_empty()
    })
    .await;
    let accepted = store.accept_messages(mailbox, mails, None).await.unwrap();
    assert!(accepted.iter().all(|mail| matches!(mail, Accepted::New(_))), "{accepted:?}");
    assert_eq!(count(&store, mailbox.user, RunState::Queued).await, 2);
}

/// From now on nobody may note that a mail to this address is about to be handed over.
async fn refuse_sending_to(database: &TestDatabase, address: &str) {
    if database.is_postgres() {
        let refuse =
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$";
        execute(database, refuse).await;
    }
    let action = if database.is_postgres() {
        "EXECUTE FUNCTION refuse()"
    } else {
        "BEGIN SELECT RAISE(ABORT, 'refused'); END"
    };
    let trigger = format!(
        "CREATE TRIGGER refuse BEFORE UPDATE ON outbox FOR EACH ROW
         WHEN (NEW.state = 'sending' AND NEW.recipient = '{address}') {action}"
    );
    execute(database, &trigger).await;
}

async fn take_sendings_again(database: &TestDatabase) {
    let on_table = if database.is_postgres() { " ON outbox" } else { "" };
    execute(database, &format!("DROP TRIGGER refuse{on_table}")).await;
}

/// Nobody may keep the only connection, and nobody may wait for it with one in hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_that_reads_a_file_is_enough() {
    let database = TestDatabase::sqlite().await;
    let mut office = Office::open(&database).await;
    office.config.database.read_connections = 1;
    office.config.database.acquire_timeout = Duration::from_secs(5);
    let mut desks: Vec<Desk> = Vec::new();
    for name in ["ann", "bob", "cleo"] {
        desks.push(office.hire(&format!("{name}@shop.test")).await);
    }
    let served = office.serve().await;
    (0..MAILS).for_each(|number| office.deliver(&desks[number % desks.len()], number));
    for desk in &desks {
        office.until_counted(desk, RunState::Replied, MAILS / desks.len()).await;
        let filed = async || office.imap.sent(&desk.address).len() == MAILS / 3;
        until("the copies are filed", LONG, filed).await;
    }
    served.end().await;
    office.check_answered_once(0..MAILS);
    for desk in &desks {
        assert!(office.runs(desk).await.iter().all(|run| (run.attempt, run.crash_count) == (0, 0)));
    }
}

on_both! {
    async fn no_byte_of_a_mail_leaves_before_it_is_on_disk_that_it_may(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        refuse_sending_to(&database, "person0@else.test").await;
        (0..4).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 3).await;
        until("the server waits for the fourth mail", LONG, async || office.smtp.times(Step::Data) == 4).await;
        // A whole journey takes longer than the bytes would.
        office.deliver(&ann, 4);
        office.until_counted(&ann, RunState::Replied, 4).await;
        assert_eq!(office.smtp.times(Step::Body), 4, "bytes of a mail left that was not noted as being sent");
        office.check_answered_once(1..5);
        take_sendings_again(&database).await;
        office.until_counted(&ann, RunState::Replied, 5).await;
        served.end().await;
        office.check_answered_once(0..5);
        let (asked, sent) = (office.smtp.times(Step::Data), office.smtp.times(Step::Body));
        assert_eq!((asked, sent), (5, 5), "it was offered again");
    }
}
