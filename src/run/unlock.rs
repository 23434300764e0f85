//! Which key pays, opened at the last moment: the agent's or the owner's own, else the operator's where both the
//! operator and the agent allow it.

use secrecy::SecretString;

use super::error::RunError;
use super::resolve::Question;
use super::scribe::Scribe;
use crate::config::PlatformKey;
use crate::provider::Provider;
use crate::store::{AiConfiguration, KeyState, Payer};
use crate::vault;

/// An opened key and what to ask with it. It has no `Debug` and no `Clone`, and is gone after the call.
pub(super) struct Key {
    pub(super) payer: Payer,
    /// The owner's configuration; `None` for the platform key.
    pub(super) configuration: Option<AiConfiguration>,
    pub(super) provider: Provider,
    pub(super) base_url: Option<String>,
    pub(super) model: String,
    pub(super) temperature: Option<f64>,
    pub(super) max_output_tokens: u32,
    pub(super) secret: SecretString,
}

impl Scribe {
    pub(super) fn unlock(&self, question: &Question) -> Result<Key, RunError> {
        let key = match (&question.configuration, &self.config.platform_key) {
            (Some(configuration), _) => self.open(configuration.clone())?,
            (None, Some(platform)) if question.agent.allow_platform_key => self.borrow(platform)?,
            (None, _) => return Err(RunError::NoKey),
        };
        let masked = vault::mask(&key.secret);
        tracing::debug!(run = %question.run(), payer = ?key.payer, key = masked, model = key.model, "unlocked");
        Ok(key)
    }

    pub(super) fn open(&self, configuration: AiConfiguration) -> Result<Key, RunError> {
        self.check_state(&configuration)?;
        let provider = configuration.provider.parse().map_err(|_| RunError::UnknownProvider)?;
        let secret = self.vault.open(&configuration.key_place(), &configuration.api_key)?;
        Ok(Key {
            payer: Payer::Owner,
            provider,
            base_url: configuration.base_url.clone(),
            model: configuration.model.clone(),
            temperature: configuration.temperature,
            max_output_tokens: self.longest_answer(Some(&configuration)),
            secret,
            configuration: Some(configuration),
        })
    }

    /// The most tokens that an answer may have, as its owner or else the operator says.
    pub(super) fn longest_answer(&self, configuration: Option<&AiConfiguration>) -> u32 {
        let own = configuration.and_then(|configuration| configuration.max_output_tokens);
        own.and_then(|most| u32::try_from(most).ok()).unwrap_or(self.config.provider.max_output_tokens)
    }

    /// Refuses a key that its provider refused, or that is to rest.
    pub(super) fn check_state(&self, configuration: &AiConfiguration) -> Result<(), RunError> {
        let now = self.store.clock().now();
        if configuration.state == KeyState::Invalid {
            return Err(RunError::KeyInvalid(configuration.id));
        }
        match configuration.resume_at.filter(|resume_at| *resume_at > now) {
            Some(resume_at) => Err(RunError::KeyPaused(resume_at.since(now))),
            None => Ok(()),
        }
    }

    /// The operator's key, with the operator's own base URL: never with a user's (SR-59).
    fn borrow(&self, platform: &PlatformKey) -> Result<Key, RunError> {
        Ok(Key {
            payer: Payer::Platform,
            configuration: None,
            provider: platform.provider.parse().map_err(|_| RunError::UnknownProvider)?,
            base_url: platform.base_url.clone(),
            model: platform.model.clone(),
            temperature: None,
            max_output_tokens: self.config.provider.max_output_tokens,
            secret: platform.api_key.clone(),
        })
    }
}
