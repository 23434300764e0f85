//! What a key may still spend, and until when, as its owner sees it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::KnownKeyLimits;

/// Parts of a US dollar in which money is counted.
const NANO: f64 = 1e9;

/// What a provider says of a key.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyLimitsAnswer {
    /// What the provider calls the key.
    #[schema(example = "sk-or-v1-116...0ce")]
    label: Option<String>,
    /// What it may spend in all, in US dollars; null for no limit.
    #[schema(example = 5.0)]
    limit: Option<f64>,
    /// What is left of it, in US dollars.
    #[schema(example = 4.89)]
    limit_remaining: Option<f64>,
    /// When it ends; null for never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When the provider said so.
    #[schema(format = DateTime)]
    checked_at: String,
}

impl From<&KnownKeyLimits> for KeyLimitsAnswer {
    fn from(known: &KnownKeyLimits) -> Self {
        let usd = |nanousd: i64| nanousd as f64 / NANO;
        Self {
            label: known.label.clone(),
            limit: known.limit_nanousd.map(usd),
            limit_remaining: known.remaining_nanousd.map(usd),
            expires_at: known.expires_at.map(|time| time.to_string()),
            checked_at: known.checked_at.to_string(),
        }
    }
}
