//! Hashing passwords, of which each takes tens of milliseconds of a processor and 19 MiB: bounded, so that signing in
//! starves neither the memory nor the work on mail (SR-31).

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{Semaphore, TryAcquireError};

use super::error::{ApiError, ErrorCode};
use crate::vault::{NOBODYS_HASH, hash_password, is_password};

/// Who waits for a processor; more are sent away.
const MOST_WAITING: usize = 32;

/// The one place where passwords are hashed; cheap to clone.
#[derive(Clone)]
pub(super) struct Passwords {
    /// Those at work and those who wait.
    inside: Arc<Semaphore>,
    /// Those at work.
    at_work: Arc<Semaphore>,
}

impl Passwords {
    /// Half of the processors, at least one.
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores / 2).max(1);
        Self {
            inside: Arc::new(Semaphore::new(at_once + MOST_WAITING)),
            at_work: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// The hash to store.
    pub(super) async fn hash(&self, password: SecretString) -> Result<String, ApiError> {
        Ok(self.work(move || hash_password(&password)).await??)
    }

    /// Whether this is the account's password. Takes as long where there is no account, or one without a password
    /// (SR-37).
    pub(super) async fn check(&self, password: SecretString, hash: Option<String>) -> Result<bool, ApiError> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS_HASH.to_owned());
        let is_right = self.work(move || is_password(&password, &hash)).await?;
        Ok(is_right && exists)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let _inside = self.inside.try_acquire().map_err(|error| match error {
            TryAcquireError::NoPermits | TryAcquireError::Closed => busy(),
        })?;
        let place = Arc::clone(&self.at_work).acquire_owned().await.map_err(|_| busy())?;
        // The place is kept until the work is done, also when whoever asked has gone away.
        let done = tokio::task::spawn_blocking(move || {
            let value = work();
            drop(place);
            value
        });
        done.await.map_err(|_| ApiError::internal())
    }
}

fn busy() -> ApiError {
    let message = "too many people are signing in; try again in a moment";
    ApiError::new(ErrorCode::Unavailable, message).after(Duration::from_secs(2))
}
