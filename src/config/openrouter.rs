//! Where OpenRouter is, and what connecting it makes.

use std::time::Duration;

use super::http::base_url;
use super::quantity::{DAY, SECOND};
use super::setting::{Setting, Slot, one_line};

/// Section `[openrouter]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRouter {
    /// Base URL of its interface, without a slash at its end; `https://openrouter.ai/api/v1`.
    pub base_url: String,
    /// Where people consent to a key, without a slash at its end; `https://openrouter.ai/auth`.
    pub authorize_url: String,
    /// The model of an AI configuration that connecting makes; `openrouter/auto`.
    pub model: String,
    /// How often limit and expiry of a key are looked up; 1 h.
    pub refresh: Duration,
}

impl Default for OpenRouter {
    fn default() -> Self {
        Self {
            base_url: "https://openrouter.ai/api/v1".to_owned(),
            authorize_url: "https://openrouter.ai/auth".to_owned(),
            model: "openrouter/auto".to_owned(),
            refresh: Duration::from_secs(3600),
        }
    }
}

impl OpenRouter {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "base_url", slot: Slot::Url(&mut self.base_url, base_url) },
            Setting { name: "authorize_url", slot: Slot::Url(&mut self.authorize_url, base_url) },
            Setting { name: "model", slot: Slot::Text(&mut self.model, one_line) },
            Setting { name: "refresh", slot: Slot::Duration(&mut self.refresh, SECOND..=DAY) },
        ]
    }
}
