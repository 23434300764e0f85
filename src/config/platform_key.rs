//! The operator's own provider key.

use secrecy::SecretString;

use super::error::ConfigError;
use super::setting::{Setting, Slot, not_empty};

/// Section `[platform_key]`: the operator pays for users without a key of their own.
#[derive(Clone)]
pub struct PlatformKey {
    /// `openai`, `openrouter`, `gemini` or `openai_compatible`.
    pub provider: String,
    /// The key; the file holds only `env:NAME` or `file:PATH`, which is resolved at load.
    pub api_key: SecretString,
    /// The model's name at the provider.
    pub model: String,
    /// Where the provider is, for `openai_compatible`; unset: the provider's own address.
    pub base_url: Option<String>,
}

/// The section while it is read; absent if nothing of it is written.
#[derive(Default)]
pub(super) struct Draft {
    provider: Option<String>,
    api_key: Option<SecretString>,
    model: Option<String>,
    base_url: Option<String>,
}

impl Draft {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "provider", slot: Slot::MaybeText(&mut self.provider, not_empty) },
            Setting { name: "api_key", slot: Slot::ReferredSecret(&mut self.api_key) },
            Setting { name: "model", slot: Slot::MaybeText(&mut self.model, not_empty) },
            Setting { name: "base_url", slot: Slot::MaybeUrl(&mut self.base_url, web_url) },
        ]
    }

    /// The key when it is complete, nothing when nothing was written.
    pub(super) fn finish(self) -> Result<Option<PlatformKey>, ConfigError> {
        match (self.provider, self.api_key, self.model) {
            (None, None, None) if self.base_url.is_none() => Ok(None),
            (Some(provider), Some(api_key), Some(model)) => {
                Ok(Some(PlatformKey { provider, api_key, model, base_url: self.base_url }))
            }
            _ => Err(ConfigError::new(
                "platform_key",
                "is incomplete; set provider, api_key and model, or remove the whole section",
            )),
        }
    }
}

impl From<PlatformKey> for Draft {
    fn from(key: PlatformKey) -> Self {
        let PlatformKey { provider, api_key, model, base_url } = key;
        Self { provider: Some(provider), api_key: Some(api_key), model: Some(model), base_url }
    }
}

fn web_url(text: &str) -> Result<(), String> {
    let web =
        url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    if web { Ok(()) } else { Err("must be a URL such as \"https://ai.example.org/v1\"".to_owned()) }
}
