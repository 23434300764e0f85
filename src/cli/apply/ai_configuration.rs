//! `[[user.ai_config]]`: a provider, a model and the user's own key.

use secrecy::SecretString;

use super::reading::Place;
use super::table::{Setting, Table};
use super::value;
use crate::provider::{Provider, check_key_form, trim_key};

/// Most tokens that an answer may have.
const MOST_TOKENS: i64 = 1_000_000;

/// What the file says about one.
pub(super) struct AiConfigurationEntry {
    pub place: Place,
    pub provider: Provider,
    pub api_key: SecretString,
    /// Without a slash at its end.
    pub base_url: Setting<String>,
    pub model: String,
    pub temperature: Setting<f64>,
    pub max_tokens: Setting<i64>,
    pub default: Option<bool>,
}

pub(super) fn read_ai_configuration(mut table: Table<'_>) -> Option<AiConfigurationEntry> {
    let place = table.place().clone();
    let provider = table.need("provider", value::word::<Provider>);
    let api_key = read_key(&mut table, provider);
    let reading = table.reading();
    let base_url = table.setting("base_url", |written| reading.guard.parse_base_url(&value::line(written)?));
    let model = table.need("model", value::line);
    let temperature = table.setting("temperature", |written| value::fraction(written, 0.0..=2.0));
    let max_tokens = table.setting("max_tokens", |written| value::number(written, 1..=MOST_TOKENS));
    let default = table.find("default", value::flag);
    if provider == Some(Provider::OpenAiCompatible) && !table.has("base_url") {
        table.fault("`base_url` is missing: openai_compatible has no server of its own");
    }
    if provider == Some(Provider::OpenAiCompatible) && base_url == Setting::TakenAway {
        table.fault_at("base_url", "must not be empty: openai_compatible has no server of its own");
    }
    table.finish();
    let (provider, api_key, model) = (provider?, api_key?, model?);
    Some(AiConfigurationEntry { place, provider, api_key, base_url, model, temperature, max_tokens, default })
}

/// A key that can be one of this provider (SR-5, SR-6).
fn read_key(table: &mut Table<'_>, provider: Option<Provider>) -> Option<SecretString> {
    let key = trim_key(&table.need_secret("api_key")?);
    match check_key_form(provider.unwrap_or(Provider::OpenAiCompatible), &key) {
        Ok(()) => Some(key),
        Err(error) => {
            table.fault_at("api_key", error.to_string());
            None
        }
    }
}
