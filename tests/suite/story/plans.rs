//! What a reply reads on PostgreSQL does not grow with the replies before it.

use postkey::app::App;
use postkey::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::{LONG, MAILS, Story, serve};
use crate::support::database::TestDatabase;
use crate::support::raw::texts;
use crate::support::wait::until;

/// Entries of one index that one mail may read, from its arrival to its reply.
const MOST_ENTRIES: usize = 20;

/// Once the service's connections are gone the server has counted all that they read.
const OTHERS: &str = "SELECT pid::TEXT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

const READ: &str = "SELECT format('%s: %s', indexrelname, idx_tup_read) FROM pg_stat_user_indexes
    ORDER BY idx_tup_read DESC";

#[tokio::test]
async fn plans_of_a_new_database_read_no_index_through() {
    let database = TestDatabase::postgres().await;
    let story = Story::begin(&database).await;
    story.deliver_all().await;
    let app = App::open(story.config.clone(), Clock::system()).await.unwrap();
    let stop = CancellationToken::new();
    let served = serve(app, &stop);
    until("all are sent", LONG, async || story.smtp.accepted().len() == MAILS).await;
    stop.cancel();
    served.await.unwrap();
    drop(story);
    until("connections are closed", LONG, async || texts(&database, OTHERS).await.is_empty()).await;
    let read = texts(&database, READ).await;
    for index in read {
        let (name, entries) = index.split_once(": ").unwrap();
        let of_a_mail = entries.parse::<usize>().unwrap() / MAILS;
        assert!(of_a_mail <= MOST_ENTRIES, "{of_a_mail} entries of {name} for each mail");
    }
}
