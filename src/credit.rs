//! What keys may still spend, and until when: looked up at OpenRouter from time to time, so that what their owners see is
//! fresh and they are warned before mails have to wait (SR-14).

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::net::HttpClients;
use crate::provider::{ErrorClass, KeyVerdict, Provider, ProviderError, check_key};
use crate::store::{AiConfiguration, KeyMark, Store, StoreError};
use crate::vault::{Vault, VaultError};

const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Who looks.
pub struct CreditWatch {
    /// Where the keys are.
    pub store: Store,
    /// What opens them.
    pub vault: Arc<Vault>,
    /// The way to the provider.
    pub clients: HttpClients,
    /// How often, and as whom.
    pub config: Arc<Config>,
}

/// What one look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Every key was looked at lately.
    NothingToDo,
    /// A key was asked about, with or without an answer.
    Asked,
}

/// Why a key could not be asked about.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks at every key as often as the operator wants, until `stop`.
pub async fn watch_until(watch: CreditWatch, stop: CancellationToken) {
    let pause = watch.config.openrouter.refresh.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    while !stop.is_cancelled() {
        match stop.run_until_cancelled(watch.look_once()).await {
            Some(Ok(Look::Asked)) => continue,
            Some(Ok(Look::NothingToDo)) | None => {}
            Some(Err(error)) => tracing::warn!(%error, "cannot look for keys to be asked about"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

impl CreditWatch {
    /// Asks about the key that was not looked at for longest.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn look_once(&self) -> Result<Look, StoreError> {
        let before = self.store.clock().now().minus(self.config.openrouter.refresh);
        let taken = self.store.take_stale_key(Provider::OpenRouter.as_str(), before).await?;
        let Some(configuration) = taken else { return Ok(Look::NothingToDo) };
        if let Err(error) = self.ask(&configuration).await {
            tracing::info!(ai_configuration = %configuration.id, %error, "cannot look up what a key may spend");
        }
        Ok(Look::Asked)
    }

    /// The key is open for this call only.
    async fn ask(&self, configuration: &AiConfiguration) -> Result<(), LookError> {
        let key = self.vault.open(&configuration.key_place(), &configuration.api_key)?;
        let base_url = configuration.base_url.as_deref();
        let app = &self.config.provider;
        match check_key(&self.clients, app, Provider::OpenRouter, base_url, &key).await {
            Ok(KeyVerdict::Good(Some(limits))) => self.store.note_key_limits(configuration, limits).await?,
            Ok(KeyVerdict::Good(None) | KeyVerdict::Administration) => {}
            // Its owner has ended it there, and learns it before a mail has to wait.
            Err(error) if error.class == ErrorClass::AuthInvalid => {
                self.store.mark_key(configuration, KeyMark::refused(configuration)).await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
