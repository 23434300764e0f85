//! What a reply reads of an index on PostgreSQL does not grow with the replies before it.

use std::time::Duration;

use postkey::app::App;
use postkey::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::{LONG, MAILS, Story, serve};
use crate::support::database::TestDatabase;
use crate::support::raw::texts;
use crate::support::wait::until;

/// Entries of one index for each mail, from its arrival to its reply. It comes to about 10 at most, and came to 237 with a
/// plan that counted earlier replies by reading an index through.
const MOST_ENTRIES: usize = 50;

/// Once the service's connections are gone the server has counted all that they read.
const OTHERS: &str = "SELECT pid::TEXT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// But those of what waits: as long as a transaction is open anywhere on the server, they keep what waits no more.
const READ: &str = "SELECT format('%s: %s', indexrelname, idx_tup_read) FROM pg_stat_user_indexes
    WHERE indexrelname NOT IN ('runs_due', 'runs_suspect', 'runs_leased', 'outbox_unfiled')";

#[tokio::test]
async fn plans_of_a_new_database_read_no_index_through() {
    let database = TestDatabase::postgres().await;
    let mut story = Story::begin(&database).await;
    // What is looked at from time to time is not of a mail.
    story.config.mailbox.refresh = Duration::from_secs(2);
    story.deliver_all().await;
    let app = App::open(story.config.clone(), Clock::system()).await.unwrap();
    let stop = CancellationToken::new();
    let served = serve(app, &stop);
    until("all are sent", LONG, async || story.smtp.accepted().len() == MAILS).await;
    stop.cancel();
    served.await.unwrap();
    drop(story);
    until("connections are closed", LONG, async || texts(&database, OTHERS).await.is_empty()).await;
    let mut runs_were_found = false;
    for index in texts(&database, READ).await {
        let (name, entries) = index.split_once(": ").unwrap();
        let entries: usize = entries.parse().unwrap();
        runs_were_found |= name == "runs_pkey" && entries >= MAILS;
        assert!(entries <= MOST_ENTRIES * MAILS, "{entries} entries of {name} for {MAILS} mails");
    }
    assert!(runs_were_found, "the server has not counted what was read");
}
