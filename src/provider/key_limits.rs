//! What OpenRouter tells of a key: how much it may still spend, and until when (`GET /key`).

use chrono::{DateTime, NaiveDateTime};
use serde_json::Value;

use crate::clock::Timestamp;

/// Longest label that is kept, in characters.
const LONGEST_LABEL: usize = 100;

/// Parts of a US dollar in which money is counted.
const NANO: f64 = 1e9;

/// The limits of a key; what is unset has no end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// What the provider calls it, usually a masked form of the key.
    pub label: Option<String>,
    /// What it may spend in all, in billionths of a US dollar.
    pub limit_nanousd: Option<i64>,
    /// What is left of it.
    pub remaining_nanousd: Option<i64>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl KeyLimits {
    /// Reads the `data` of an answer leniently: what has another form than expected counts as not said.
    pub(super) fn read(data: &Value) -> Self {
        Self {
            label: data.get("label").and_then(Value::as_str).and_then(label),
            limit_nanousd: data.get("limit").and_then(nanousd),
            remaining_nanousd: data.get("limit_remaining").and_then(nanousd),
            expires_at: data.get("expires_at").and_then(Value::as_str).and_then(time),
        }
    }
}

fn label(text: &str) -> Option<String> {
    let label: String =
        text.chars().filter(|character| !character.is_control()).take(LONGEST_LABEL).collect();
    Some(label).filter(|label| !label.is_empty())
}

fn nanousd(value: &Value) -> Option<i64> {
    // Saturates where nobody has that much.
    value.as_f64().map(|usd| (usd * NANO).round() as i64)
}

/// In UTC where it names no zone.
fn time(text: &str) -> Option<Timestamp> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis());
    let plain = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    let millis = zoned.or_else(|_| plain().map(|time| time.and_utc().timestamp_millis()));
    millis.ok().map(Timestamp::from_millis)
}
