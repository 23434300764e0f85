//! How long a provider asks us to wait.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// No request to wait is believed beyond this.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the headers ask for: `retry-after-ms`, then `Retry-After` in seconds (fractions allowed), then as a date
/// (RFC 9110, section 10.2.3).
pub(super) fn wait_of_headers(headers: &HeaderMap) -> Option<Duration> {
    let millis = text(headers, &HeaderName::from_static("retry-after-ms"))
        .and_then(|text| text.parse::<f64>().ok())
        .and_then(|millis| seconds(millis / 1000.0));
    millis.or_else(|| {
        let asked = text(headers, &RETRY_AFTER)?;
        match asked.parse::<f64>() {
            Ok(asked) => seconds(asked),
            Err(_) => until(headers, &DateTime::parse_from_rfc2822(asked).ok()?),
        }
    })
}

/// The time until an RFC 3339 instant, by the answering server's clock.
pub(super) fn wait_until(headers: &HeaderMap, instant: &str) -> Option<Duration> {
    until(headers, &DateTime::parse_from_rfc3339(instant).ok()?)
}

/// A duration in Google's form: `39s`, `1.5s`.
pub(super) fn wait_of_google(text: &str) -> Option<Duration> {
    seconds(text.strip_suffix('s')?.parse().ok()?)
}

/// Both instants are the server's, so that a wrong clock on either side does no harm; without a `Date` header
/// nothing is known.
fn until<Zone: chrono::TimeZone>(headers: &HeaderMap, instant: &DateTime<Zone>) -> Option<Duration> {
    let now = DateTime::parse_from_rfc2822(text(headers, &DATE)?).ok()?;
    let seconds = instant.timestamp().saturating_sub(now.timestamp());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST_WAIT))
}

fn seconds(value: f64) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(value.min(LONGEST_WAIT.as_secs_f64()));
    if value.is_nan() { None } else { wait.ok() }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}
