//! A real provider, on the word of the person who pays for it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::DemoError;
use crate::provider::{Provider, check_key_form, trim_key};

/// The model that is asked where none is named.
pub const USUAL_MODEL: &str = "gpt-5-mini";

/// Whom to ask with whose key.
pub struct Live {
    pub(super) key: SecretString,
    pub(super) model: String,
    pub(super) base_url: Option<Url>,
}

impl Live {
    /// Checks what can be checked before anything is sent.
    ///
    /// # Errors
    /// Where there is no key, it cannot be one, or `base_url` is no address.
    pub fn new(key: Option<SecretString>, model: String, base_url: Option<&str>) -> Result<Self, DemoError> {
        let key = key.map(|key| trim_key(&key)).filter(|key| !key.expose_secret().is_empty());
        let key = key.ok_or(DemoError::NoKey)?;
        let base_url = base_url.map(parse_base_url).transpose()?;
        let live = Self { key, model, base_url };
        check_key_form(live.provider(), &live.key)?;
        Ok(live)
    }

    pub(super) fn provider(&self) -> Provider {
        if self.base_url.is_some() { Provider::OpenAiCompatible } else { Provider::OpenAi }
    }

    /// For the operator's list: whoever gives a base URL here is the operator, and may mean this machine.
    pub(super) fn private_endpoint(&self) -> Option<String> {
        let url = self.base_url.as_ref()?;
        Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
    }
}

impl fmt::Display for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base_url.as_ref().and_then(Url::host_str) {
            Some(host) => write!(f, "{} at {host}", self.model),
            None => write!(f, "{} at OpenAI", self.model),
        }
    }
}

fn parse_base_url(text: &str) -> Result<Url, DemoError> {
    let url = Url::parse(text).map_err(|_| DemoError::BaseUrl)?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if is_web { Ok(url) } else { Err(DemoError::BaseUrl) }
}
