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
    fn moments_are_iso_8601() {
        assert_eq!(iso(Timestamp(1_558_002_246_577_000_000)), "2019-05-16T10:24:06.577000Z");
    }
}
