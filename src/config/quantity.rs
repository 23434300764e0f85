//! Durations and sizes as an operator writes them.

use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) const KIB: usize = 1024;
pub(super) const MIB: usize = 1024 * KIB;
pub(super) const GIB: usize = 1024 * MIB;

/// Largest unit first; a duration is shown in the largest one that divides it.
const DURATION_UNITS: [(&str, u128); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZE_UNITS: [(&str, usize); 4] = [("GiB", GIB), ("MiB", MIB), ("KiB", KIB), ("B", 1)];

/// Reads `60s`, `5m`, `1h 30m` or `30 days`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text.trim()).ok()
}

/// Shows a duration to the millisecond, in one unit.
pub(super) fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let unit = DURATION_UNITS.iter().find(|(_, size)| millis.is_multiple_of(*size));
    unit.map_or_else(|| format!("{millis}ms"), |(name, size)| format!("{}{name}", millis / size))
}

/// Reads `25MiB`, `512 KiB` or `100B`.
pub(super) fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let (name, unit) = SIZE_UNITS.iter().find(|(name, _)| text.ends_with(name))?;
    let number: usize = text.strip_suffix(name)?.trim_end().parse().ok()?;
    number.checked_mul(*unit)
}

/// Shows a size in the largest unit that divides it.
pub(super) fn show_size(bytes: usize) -> String {
    let unit = SIZE_UNITS.iter().find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size));
    unit.map_or_else(|| format!("{bytes}B"), |(name, size)| format!("{}{name}", bytes / size))
}
