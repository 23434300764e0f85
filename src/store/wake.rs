//! Hearing of work that another process has stored.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

use super::lender::Lender;
use super::pool::{Pool, Tx};
use super::{Store, StoreError};

/// The PostgreSQL channel on which "runs are due" is told.
pub(super) const CHANNEL: &str = "postkey_runs";

/// Tells the other processes, at the commit; takes the placeholder to which [`CHANNEL`] is bound.
macro_rules! tell {
    ($channel:literal) => {
        concat!("pg_notify(", $channel, ", current_setting('application_name'))")
    };
}

pub(super) use tell;

impl Store {
    /// Wakes the queue when another process has written: LISTEN on PostgreSQL, and in any case
    /// every `tick`; on SQLite `PRAGMA data_version` is asked every `tick`. Runs until it is dropped; a database that is away is asked again.
    pub async fn watch_other_processes(&self, tick: Duration) {
        loop {
            let watched = match &self.pool {
                Pool::Postgres { pool, .. } => self.listen(pool, tick).await,
                Pool::Sqlite { file, .. } => self.watch_version(file, tick).await,
            };
            if let Err(error) = watched {
                tracing::warn!(%error, "cannot hear of other processes' work; asking again");
            }
            tokio::time::sleep(tick.max(Duration::from_secs(1))).await;
        }
    }

    async fn listen(&self, server: &Lender, tick: Duration) -> Result<(), StoreError> {
        // A pool of one, which is not everybody's: a listener whose server has died would keep its place there.
        let Lender { pool, patience } = server;
        let options = pool.connect_options().as_ref().clone();
        let own = options.get_application_name().map(str::to_owned);
        let alone = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let mut listener = patience.wait(PgListener::connect_with(&alone)).await?;
        patience.wait(listener.listen(CHANNEL)).await?;
        let mut asked = Instant::now();
        loop {
            // Somebody who only hears does not see that nobody is there any more.
            if asked.elapsed() > patience.0 {
                patience.wait((&mut listener).execute("SELECT 1")).await?;
                asked = Instant::now();
            }
            // A slot freed or a due time reached elsewhere is not told; the tick sees it.
            if let Ok(told) = tokio::time::timeout(tick, listener.try_recv()).await {
                let Some(told) = told? else { return Err(StoreError::Closed) };
                if Some(told.payload()) == own.as_deref() {
                    continue; // whoever wrote has woken this queue already
                }
            }
            self.wake.notify_one();
        }
    }

    /// Over a connection of its own: it is kept for as long as the process runs.
    async fn watch_version(&self, file: &SqliteConnectOptions, tick: Duration) -> Result<(), StoreError> {
        let mut connection = file.clone().read_only(true).create_if_missing(false).connect().await?;
        let mut last: i64 = 0;
        loop {
            let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut connection).await?;
            if version != last {
                last = version;
                self.wake.notify_one();
            }
            tokio::time::sleep(tick).await;
        }
    }

    /// Wakes this process's queue: runs may have become due, or a place free.
    pub fn wake_queue(&self) {
        self.wake.notify_one();
    }
}

/// Tells the other processes, at the commit of this transaction.
pub(super) async fn tell_others(tx: &mut Tx) -> Result<(), StoreError> {
    let db = match tx {
        Tx::Sqlite(_) => return Ok(()),
        Tx::Server(connection) => &mut **connection,
    };
    sqlx::query(concat!("SELECT ", tell!("$1"))).bind(CHANNEL).execute(db).await?;
    Ok(())
}
