//! Which providers there are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Whose interface a key is for; a closed set. All of them are asked by OpenAI-style chat completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI.
    #[serde(rename = "openai")]
    OpenAi,
    /// OpenRouter.
    #[serde(rename = "openrouter")]
    OpenRouter,
    /// Google Gemini, by its OpenAI-style endpoint.
    Gemini,
    /// Any other server of the same style; needs a base URL.
    #[serde(rename = "openai_compatible")]
    OpenAiCompatible,
}

impl Provider {
    /// All of them, in the order of lists for people.
    pub const ALL: [Self; 4] = [Self::OpenAi, Self::OpenRouter, Self::Gemini, Self::OpenAiCompatible];

    /// The stored name; it is also bound into sealed keys, so it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::OpenRouter => "openrouter",
            Self::Gemini => "gemini",
            Self::OpenAiCompatible => "openai_compatible",
        }
    }

    /// Where the provider is, without a slash at the end; none for [`Provider::OpenAiCompatible`].
    pub fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::OpenRouter => Some("https://openrouter.ai/api/v1"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta/openai"),
            Self::OpenAiCompatible => None,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|provider| provider.as_str() == text);
        found.ok_or(if text == "anthropic" { UnknownProvider::Anthropic } else { UnknownProvider::Other })
    }
}

/// Why a text names no provider, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownProvider {
    /// Not spoken natively yet.
    #[error("anthropic is not supported directly yet; its models can be used through openrouter")]
    Anthropic,
    /// No such provider.
    #[error("the provider must be one of openai, openrouter, gemini, openai_compatible")]
    Other,
}
