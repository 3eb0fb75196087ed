//! Times as recordings write them.

use ach_actors_model::Timestamp;

/// Reads a moment: an ISO 8601 date and time (UTC if it names no zone), or a number. Numbers above
/// 10^17 are nanoseconds, above 10^11 milliseconds since 1970; smaller ones are seconds, from 1970 or
/// from the beginning of the recording.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(value) = text.parse::<f64>() {
        return match decimal(text) {
            Some((whole, billionths)) => from_decimal(whole, billionths, text),
            None => from_number(value, text),
        };
    }
    let iso = text.replacen(' ', "T", 1);
    let instant = iso.parse::<jiff::Timestamp>().or_else(|_| {
        iso.parse::<jiff::civil::DateTime>()
            .and_then(|moment| moment.to_zoned(jiff::tz::TimeZone::UTC))
            .map(|zoned| zoned.timestamp())
    });
    let instant =
        instant.map_err(|_| format!("time is `{text}`, neither a number nor ISO 8601"))?;
    u64::try_from(instant.as_nanosecond())
        .map(Timestamp)
        .map_err(|_| format!("time is `{text}`, before 1970 or after 2554"))
}

/// The whole part and the billionths of a plain decimal number: a float has too few digits for a
/// moment in nanoseconds.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(part) {
        return None;
    }
    let nine = format!("{part:0<9}");
    Some((whole.parse().ok()?, nine.get(..9)?.parse().ok()?))
}

fn from_decimal(whole: u64, billionths: u64, text: &str) -> Result<Timestamp, String> {
    let ns = match whole {
        100_000_000_000_000_000.. => Some(whole),
        100_000_000_000.. => {
            whole.checked_mul(1_000_000).and_then(|ns| ns.checked_add(billionths / 1_000))
        }
        _ => whole.checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(billionths)),
    };
    ns.map(Timestamp).ok_or_else(|| format!("time is `{text}`, after 2554"))
}

fn from_number(value: f64, text: &str) -> Result<Timestamp, String> {
    let scale = match value {
        v if v.is_nan() || v < 0.0 => return Err(format!("time is `{text}`, which is no time")),
        v if v >= 1e17 => 1.0,
        v if v >= 1e11 => 1e6,
        _ => 1e9,
    };
    let ns = value * scale;
    if ns > 1.8e19 {
        return Err(format!("time is `{text}`, after 2554"));
    }
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be within u64; a recording's time has no use for single nanoseconds"
    )]
    Ok(Timestamp(ns.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected_ns: u64) {
        assert_eq!(parse(text), Ok(Timestamp(expected_ns)));
    }

    #[test]
    fn times_are_read_in_all_their_spellings() {
        check("4.5", 4_500_000_000);
        check("1558002246", 1_558_002_246_000_000_000);
        check("1557995040213", 1_557_995_040_213_000_000);
        check("2019-05-16 10:24:06.577", 1_558_002_246_577_000_000);
        check("2019-05-16T10:24:06.577Z", 1_558_002_246_577_000_000);
        check("2019-05-16T12:24:06.577+02:00", 1_558_002_246_577_000_000);
    }

    #[test]
    fn what_is_no_time_is_refused_with_its_text() {
        for text in ["", "noon", "NaN", "-1", "1e300", "1960-01-01T00:00:00Z"] {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(text), "{reason}");
        }
    }
}
