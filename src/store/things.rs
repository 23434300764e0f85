//! Changes of what is a user's, one after the other.

use futures::future::BoxFuture;

use super::pool::Tx;
use super::{Store, StoreError, UserId, runs, users, wake};
use crate::clock::Clock;

impl Store {
    /// Runs `work` while nobody else changes the user's things; runs that waited for such a change become due with it.
    pub(super) async fn change_things<T, W>(&self, user: UserId, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx, Clock) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let clock = self.clock.clone();
        let due = self.lease_clock().await?;
        let value = self
            .write(move |tx| {
                Box::pin(async move {
                    users::lock(tx, user).await?;
                    let value = work(tx, clock).await?;
                    runs::unpark(tx, user, due).await?;
                    wake::tell_others(tx).await?;
                    Ok(value)
                })
            })
            .await?;
        self.wake_queue();
        Ok(value)
    }
}
