//! `attempts`: how often something was tried that may only be tried so often (SR-36). In the database, so that
//! neither a restart nor a second process begins to count anew.

use std::time::Duration;

use super::pool::{Tx, on_tx};
use super::{Store, StoreError};
use crate::clock::Timestamp;

/// How often something may be tried.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// What is counted; a hash where it would name a person.
    pub name: String,
    /// So many tries..
    pub tries: u32,
    /// ..in this time. Who goes on is locked out for as long, then for twice and for four times as long, but not
    /// beyond an hour unless the window is longer: a stranger must not keep somebody out.
    pub window: Duration,
}

impl Allowance {
    /// The first lock, the second, and all after them, in milliseconds.
    fn locks(&self) -> [i64; 3] {
        let longest = LONGEST_LOCK.max(self.window);
        [1, 2, 4].map(|times| millis(self.window.saturating_mul(times).min(longest)))
    }
}

const LONGEST_LOCK: Duration = Duration::from_secs(3600);

/// How long a lock is remembered, in windows.
const REMEMBERED: u32 = 8;

impl Store {
    /// Counts a try, before it is made. Answers how long to wait where it may not be made.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn count_attempt(&self, allowance: Allowance) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        self.write_one(move |tx| Box::pin(async move { count(tx, allowance, now).await })).await
    }

    /// Forgets the tries, since one has succeeded.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn forget_attempts(&self, name: String) -> Result<(), StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                on_tx!(tx, db => sqlx::query("DELETE FROM attempts WHERE name = $1")
                    .bind(name).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }
}

/// One statement, so that tries at the same time are all counted. `ends_at` is the end of the window, or of the
/// lock that the first try too many begins.
async fn count(tx: &mut Tx, allowance: Allowance, now: Timestamp) -> Result<Option<Duration>, StoreError> {
    let most = i64::from(allowance.tries);
    let [window, second, later] = allowance.locks();
    let (tries, ends_at): (i64, Timestamp) = on_tx!(tx, db => sqlx::query_as(
        "INSERT INTO attempts (name, tries, locks, ends_at) VALUES ($1, 1, 0, CAST($2 AS BIGINT) + $3)
         ON CONFLICT (name) DO UPDATE SET
            tries = CASE WHEN attempts.ends_at <= $2 THEN 1 ELSE attempts.tries + 1 END,
            ends_at = CASE
                WHEN attempts.ends_at <= $2 THEN $2 + $3
                WHEN attempts.tries = $4 THEN
                    $2 + CASE attempts.locks WHEN 0 THEN $3 WHEN 1 THEN $6 ELSE $7 END
                ELSE attempts.ends_at END,
            locks = CASE
                WHEN attempts.ends_at + $3 * $5 <= $2 THEN 0
                WHEN attempts.ends_at > $2 AND attempts.tries = $4 THEN attempts.locks + 1
                ELSE attempts.locks END
         RETURNING tries, ends_at")
        .bind(allowance.name).bind(now).bind(window).bind(most).bind(i64::from(REMEMBERED))
        .bind(second).bind(later).fetch_one(&mut *db).await)?;
    Ok((tries > most).then(|| ends_at.since(now)))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
