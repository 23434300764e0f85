//! Limits of a call to a model, and who says that they call.

use std::time::Duration;

use super::http::base_url;
use super::quantity::{GIB, HOUR, KIB, SECOND};
use super::setting::{Setting, Slot, one_line};

/// Section `[provider]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Limit for dialling and TLS; 5 s.
    pub connect_timeout: Duration,
    /// Limit for one call, from the first byte to the last, and for each piece of a streamed answer; 120 s.
    pub call_timeout: Duration,
    /// Limit for a streamed answer, from the first byte to the last; 10 min.
    pub stream_timeout: Duration,
    /// Largest answer that is read, in bytes; 4 MiB.
    pub max_response_bytes: usize,
    /// Largest prompt, in tokens as estimated; 16 000.
    pub context_tokens: u32,
    /// Longest answer asked for, in tokens; 1 500.
    pub max_output_tokens: u32,
    /// Calls at once per AI configuration; 8.
    pub per_key: u32,
    /// What providers call us that tell their users who called (OpenRouter); `Postkey`.
    pub app_title: String,
    /// By which URL they know us; `http.public_url`, or none.
    pub app_url: Option<String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(120),
            stream_timeout: Duration::from_secs(600),
            max_response_bytes: 4 * 1024 * 1024,
            context_tokens: 16_000,
            max_output_tokens: 1_500,
            per_key: 8,
            app_title: "Postkey".to_owned(),
            app_url: None,
        }
    }
}

impl Provider {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting {
                name: "connect_timeout",
                slot: Slot::Duration(&mut self.connect_timeout, SECOND..=HOUR),
            },
            Setting { name: "call_timeout", slot: Slot::Duration(&mut self.call_timeout, SECOND..=HOUR) },
            Setting { name: "stream_timeout", slot: Slot::Duration(&mut self.stream_timeout, SECOND..=HOUR) },
            Setting {
                name: "max_response_bytes",
                slot: Slot::Size(&mut self.max_response_bytes, KIB * 16..=GIB),
            },
            Setting { name: "context_tokens", slot: Slot::Count(&mut self.context_tokens, 500..=10_000_000) },
            Setting {
                name: "max_output_tokens",
                slot: Slot::Count(&mut self.max_output_tokens, 1..=1_000_000),
            },
            Setting { name: "per_key", slot: Slot::Count(&mut self.per_key, 1..=10_000) },
            Setting { name: "app_title", slot: Slot::Text(&mut self.app_title, one_line) },
            Setting { name: "app_url", slot: Slot::MaybeUrl(&mut self.app_url, base_url) },
        ]
    }
}
