//! Time as a value that is passed in, so that every decision about time can be tested.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

/// Milliseconds since 1970-01-01T00:00:00Z; what the database stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This much later; saturates at the end of time.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(saturating_millis(duration)))
    }

    /// This much earlier; saturates at the beginning of time.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(saturating_millis(duration)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same instant for calendars and mail headers; the epoch where chrono cannot tell it.
    pub fn to_utc(self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    }
}

fn saturating_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Where the present comes from: the machine, or a hand that a test holds.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    manual: Option<Arc<Hand>>,
}

/// What clones of a manual clock share.
#[derive(Debug)]
struct Hand {
    millis: AtomicI64,
    in_order: Mutex<ContextV7>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { manual: None }
    }

    /// A clock that moves only by [`Clock::advance`]; clones move together.
    pub fn manual(start: Timestamp) -> Self {
        let hand = Hand { millis: AtomicI64::new(start.millis()), in_order: Mutex::new(ContextV7::new()) };
        Self { manual: Some(Arc::new(hand)) }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        match &self.manual {
            Some(hand) => Timestamp(hand.millis.load(Ordering::SeqCst)),
            None => Timestamp(read_machine()),
        }
    }

    /// Moves a manual clock; the machine's clock does not move.
    pub fn advance(&self, duration: Duration) {
        if let Some(hand) = &self.manual {
            hand.millis.fetch_add(saturating_millis(duration), Ordering::SeqCst);
        }
    }

    /// A fresh UUIDv7 at the present; later ones of this process and this clock sort behind earlier ones, even within a
    /// millisecond.
    pub fn new_uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().millis()).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        let in_order = self.manual.as_ref().map_or(&IN_ORDER, |hand| &hand.in_order);
        Uuid::new_v7(uuid::Timestamp::from_unix(in_order, millis / 1000, nanos))
    }
}

/// Counts the ids that are made in one millisecond of the machine's clock.
static IN_ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn read_machine() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
