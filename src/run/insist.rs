//! What has happened outside must be written down, even if the database is away for a while: a paid answer, a mail
//! that went out. Whoever asks holds a lease; when it is lost, the work is dropped, and this with it.

use std::time::Duration;

use crate::store::StoreError;

const DATABASE_AWAY: Duration = Duration::from_secs(1);

/// Tries `write` until it is done or refused. It must be one that may be done twice, since a commit whose answer
/// was lost may have been one.
pub(super) async fn insist<T, W>(mut write: impl FnMut() -> W) -> Result<T, StoreError>
where
    W: Future<Output = Result<T, StoreError>>,
{
    loop {
        match write().await {
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, "cannot write what has happened; trying again");
                tokio::time::sleep(DATABASE_AWAY).await;
            }
            done => return done,
        }
    }
}
