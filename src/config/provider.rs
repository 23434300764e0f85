//! Limits of a call to a model, and the operator's own key.

use std::time::Duration;

use secrecy::SecretString;

/// Section `[provider]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Limit for dialling and TLS; 5 s.
    pub connect_timeout: Duration,
    /// Limit for one call, from the first byte to the last; 120 s.
    pub call_timeout: Duration,
    /// Largest answer that is read, in bytes; 4 MiB.
    pub max_response_bytes: usize,
    /// Largest prompt, in tokens as estimated; 16 000.
    pub context_tokens: u32,
    /// Longest answer asked for, in tokens; 1 500.
    pub max_output_tokens: u32,
    /// Calls at once per AI configuration; 8.
    pub per_key: u32,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(120),
            max_response_bytes: 4 * 1024 * 1024,
            context_tokens: 16_000,
            max_output_tokens: 1_500,
            per_key: 8,
        }
    }
}

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
