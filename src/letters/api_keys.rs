//! What owners are told of their platform API keys before it is too late: that one ends soon, and that nobody uses one
//! (SR-45).

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::{Store, StoreError};

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(600);

/// Looks after all keys, until `stop`.
pub async fn remind_of_api_keys_until(store: Store, stop: CancellationToken) {
    loop {
        if let Err(error) = remind_of_api_keys(&store).await {
            tracing::warn!(%error, "cannot look for keys that owners have to be told of");
        }
        if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

/// One look.
///
/// # Errors
/// Where the database does not answer; the next look finds what is left.
pub async fn remind_of_api_keys(store: &Store) -> Result<(), StoreError> {
    let now = store.clock().now();
    for key in store.list_ending_api_keys(now).await? {
        let Some(days) = key.days(now) else { continue };
        let when = if days == 1 { "within a day".to_owned() } else { format!("within {days} days") };
        let sentence =
            format!("The platform API key \"{}\" ends {when}; rotate it, or let it end.", key.name);
        store.tell_of_expiry(key, days, sentence).await?;
    }
    for key in store.list_unused_api_keys(now).await? {
        let sentence = format!(
            "Nobody has used the platform API key \"{}\" for 90 days; revoke it if it is not needed.",
            key.name
        );
        store.tell_of_disuse(key, sentence).await?;
    }
    Ok(())
}
