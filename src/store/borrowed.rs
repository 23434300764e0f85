//! A connection to a server that is lent by a pool. Nobody gets one back over which something was asked that has no
//! answer: a pool would wait for it, for ever where the server's machine has died.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;

use super::StoreError;

/// How long a connection may take back to its pool.
const RETURN: Duration = Duration::from_secs(5);

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

/// Closed when it is dropped, unless it was given back.
pub(super) struct Borrowed {
    connection: PoolConnection<Postgres>,
    is_sound: bool,
}

impl Borrowed {
    pub(super) async fn of(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: pool.acquire().await?, is_sound: false })
    }

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
fn is_lost(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, Protocol, Tls};
    matches!(error, Io(_) | Tls(_) | Protocol(_))
}
