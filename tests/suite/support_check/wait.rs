//! Waiting ends as soon as it can and never hangs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::wait;

#[tokio::test]
async fn waiting_ends_when_the_condition_holds() {
    let looks = AtomicU32::new(0);
    wait::until("three looks", Duration::from_secs(5), || async {
        looks.fetch_add(1, Ordering::SeqCst) == 2
    })
    .await;
    assert_eq!(looks.load(Ordering::SeqCst), 3);
}

#[tokio::test]
#[should_panic(expected = "in vain for: the end of time")]
async fn waiting_in_vain_fails_at_the_deadline() {
    wait::until("the end of time", Duration::from_millis(20), std::future::pending).await;
}
