//! Lengths of time as people type them.

use std::time::Duration;

/// Longest that makes sense to ask for: 366 days.
const SPAN_MAX: Duration = Duration::from_hours(366 * 24);

/// Reads `250ms`, `20s`, `5m` or `2h`; a number alone is seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let scale = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{unit}` is no unit of time; write ms, s, m or h")),
    };
    let number: f64 =
        digits.parse().map_err(|_| format!("`{text}` is no time; write for example 20s"))?;
    let span = Duration::try_from_secs_f64(number * scale)
        .map_err(|_| format!("`{text}` is no length of time"))?;
    if span.is_zero() || span > SPAN_MAX {
        return Err(format!("`{text}` is not between 1ms and 366 days"));
    }
    Ok(span)
}

/// The same, and 0 for none.
pub(crate) fn parse_or_zero(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s" | "0ms") { Ok(Duration::ZERO) } else { parse(text) }
}

/// A length in nanoseconds, as the node is told it.
pub(crate) fn nanoseconds(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_all_units() {
        for (text, ms) in
            [("250ms", 250), ("20s", 20_000), ("20", 20_000), ("1.5m", 90_000), ("2h", 7_200_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "s", "soon", "0s", "-1s", "5d", "1e99h", "NaN"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
