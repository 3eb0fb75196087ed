//! Moments as people and programs read them.

use ach_actors_model::Timestamp;
use jiff::tz::TimeZone;

/// ISO 8601 in UTC with microseconds, for programs.
pub(crate) fn iso(at: Timestamp) -> String {
    at_utc(at).map_or_else(|| at.0.to_string(), |moment| format!("{moment:.6}"))
}

/// Time of day in the machine's zone with milliseconds, for people.
pub(crate) fn time_of_day(at: Timestamp) -> String {
    let Some(moment) = at_utc(at) else { return at.0.to_string() };
    let local = moment.to_zoned(TimeZone::system());
    format!("{}.{:03}", local.strftime("%H:%M:%S"), local.millisecond())
}

/// Date and time of day in the machine's zone with milliseconds, for people.
pub(crate) fn local(at: Timestamp) -> String {
    let Some(moment) = at_utc(at) else { return at.0.to_string() };
    let local = moment.to_zoned(TimeZone::system());
    format!("{}.{:03}", local.strftime("%Y-%m-%d %H:%M:%S"), local.millisecond())
}

/// Reads `2026-11-22T14:30:00Z`, or without an offset a moment in the machine's zone.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    let no_moment =
        || format!("`{text}` is no moment; write 2026-11-22T14:30:00Z or '2026-11-22 14:30'");
    let moment = if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        moment
    } else {
        let civil = text.parse::<jiff::civil::DateTime>().map_err(|_| no_moment())?;
        civil.to_zoned(TimeZone::system()).map_err(|_| no_moment())?.timestamp()
    };
    u64::try_from(moment.as_nanosecond()).map(Timestamp).map_err(|_| no_moment())
}

fn at_utc(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_nanosecond(i128::from(at.0)).ok()
}

/// A length of time in the unit that fits it: `850 µs`, `12.4 ms`, `3.2 s`.
pub(crate) fn length(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_unit_that_fits() {
        assert_eq!(length(850), "850 µs");
        assert_eq!(length(12_449), "12.4 ms");
        assert_eq!(length(3_250_000), "3.2 s");
    }

    #[test]
    fn moments_are_read_with_and_without_an_offset() {
        let at = Timestamp(1_558_002_246_577_000_000);
        assert_eq!(parse("2019-05-16T10:24:06.577Z"), Ok(at));
        assert_eq!(parse("2019-05-16T12:24:06.577+02:00"), Ok(at));
        assert_eq!(parse(&local(at)), Ok(at));
        assert!(parse("2019-05-16").is_ok());
        for text in ["", "soon", "2019-13-01", "1969-12-31T23:00:00Z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_iso_8601() {
        assert_eq!(iso(Timestamp(1_558_002_246_577_000_000)), "2019-05-16T10:24:06.577000Z");
    }
}
