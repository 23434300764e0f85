//! A database server and the connections that its pool lends. Nobody gets one back over which something was asked that has
//! no answer: the pool would wait for it, for ever where the server's machine has died.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;

use super::StoreError;
use super::pool::Tx;

/// How long a connection may take back to its pool.
const RETURN: Duration = Duration::from_secs(5);

/// Where connections are lent, and how long an answer over them may take.
#[derive(Clone)]
pub(super) struct Lender {
    pub(super) pool: PgPool,
    pub(super) patience: Patience,
}

impl Lender {
    pub(super) async fn lend(&self) -> Result<Borrowed, sqlx::Error> {
        Ok(Borrowed { connection: self.pool.acquire().await?, is_sound: false })
    }

    /// Does work that is one statement, which needs no BEGIN and COMMIT.
    pub(super) async fn do_alone<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tx = Tx::Server(self.lend().await?);
        let done = self.patience.wait(work(&mut tx)).await;
        if !done.as_ref().is_err_and(|error| error.is_away() || matches!(error, StoreError::Panicked)) {
            tx.give_back();
        }
        done
    }

    /// Does all of the work, or nothing of it.
    pub(super) async fn do_together<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tx = Tx::Server(self.lend().await?);
        let doing = async move {
            tx.say("BEGIN").await?;
            let done = work(&mut tx).await;
            match tx.say(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await {
                Ok(()) => tx.give_back(),
                // Why the work was not done says more than why it could not be taken back.
                Err(unsaid) => return done.and(Err(unsaid)),
            }
            done
        };
        self.patience.wait(doing).await
    }
}

/// How long a server's answer may take.
#[derive(Clone, Copy)]
pub(super) struct Patience(pub(super) Duration);

impl Patience {
    /// The answer, or that there was none.
    pub(super) async fn wait<T, E: From<sqlx::Error>>(
        self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        tokio::time::timeout(self.0, answer).await.unwrap_or_else(|_| Err(silent().into()))
    }
}

fn silent() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database server does not answer"))
}

/// A connection that is closed when it is dropped, unless it was given back.
pub(super) struct Borrowed {
    connection: PoolConnection<Postgres>,
    is_sound: bool,
}

impl Borrowed {
    pub(super) fn give_back(mut self) {
        self.is_sound = true;
    }

    /// Gives it back unless this answer tells that nobody is there any more.
    pub(super) fn give_back_after<T>(self, answer: &Result<T, sqlx::Error>) {
        if !answer.as_ref().is_err_and(is_lost) {
            self.give_back();
        }
    }

    /// Says one word, such as `COMMIT`.
    pub(super) async fn say(&mut self, word: &'static str) -> Result<(), StoreError> {
        Ok(self.connection.execute(word).await.map(drop)?)
    }
}

impl Deref for Borrowed {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Borrowed {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        match Handle::try_current() {
            // The pool asks whether somebody is there, and would wait for the answer for ever.
            Ok(runtime) if self.is_sound => {
                drop(runtime.spawn(tokio::time::timeout(RETURN, self.connection.return_to_pool())));
            }
            _ => self.connection.close_on_drop(),
        }
    }
}

/// Whether it is the connection that failed, and not what was asked over it.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, Protocol, Tls};
    matches!(error, Io(_) | Tls(_) | Protocol(_))
}
