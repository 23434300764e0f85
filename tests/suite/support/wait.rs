//! Waiting for something to become true, with a deadline instead of a guess.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `condition` holds; the test fails with `what` when it does not within `longest`.
pub async fn until<F, Fut>(what: &str, longest: Duration, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    some(what, longest, || {
        let held = condition();
        async move { held.await.then_some(()) }
    })
    .await;
}

/// Waits until `look` finds a value and returns it; the test fails with `what` when it does not within `longest`.
pub async fn some<T, F, Fut>(what: &str, longest: Duration, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + longest;
    loop {
        let found = tokio::time::timeout_at(deadline, look()).await.ok().flatten();
        if let Some(value) = found {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {longest:?} in vain for: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
