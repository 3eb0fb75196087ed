//! The offsets of a time zone from UTC, written out.

use ach_actors_model::{NS_PER_S, Timestamp, UtcOffset};
use jiff::tz::TimeZone;

/// Transitions are written out up to 2061-01-01T00:00:00Z; rules made today are not kept so long.
const HORIZON_S: i64 = 2_871_763_200;
/// Zones have two transitions a year, a few (Ramadan in Morocco) four.
const TRANSITIONS_MAX: usize = 1_024;

/// The offsets of an IANA time zone from 1970 on, ascending, the first at time 0; `None` for an
/// unknown zone.
pub(crate) fn of(time_zone: &str) -> Option<Vec<UtcOffset>> {
    let zone = TimeZone::get(time_zone).ok()?;
    let start = jiff::Timestamp::UNIX_EPOCH;
    let mut offsets =
        vec![UtcOffset { from: Timestamp(0), offset_s: zone.to_offset(start).seconds() }];
    for transition in zone.following(start).take(TRANSITIONS_MAX) {
        let second = transition.timestamp().as_second();
        if second >= HORIZON_S {
            break;
        }
        let next_s = transition.offset().seconds();
        // Some transitions change the zone's abbreviation alone.
        if offsets.last().is_some_and(|last| last.offset_s != next_s) {
            let from = Timestamp(u64::try_from(second).ok()? * NS_PER_S);
            offsets.push(UtcOffset { from, offset_s: next_s });
        }
    }
    Some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offset in force at a moment.
    #[track_caller]
    fn check(time_zone: &str, utc: &str, expected_s: i32) {
        let offsets = of(time_zone).expect("a known zone");
        assert!(offsets.is_sorted_by(|a, b| a.from < b.from));
        assert_eq!(offsets[0].from, Timestamp(0));
        let at: jiff::Timestamp = utc.parse().unwrap();
        let at = Timestamp(u64::try_from(at.as_nanosecond()).unwrap());
        let last = offsets.iter().rfind(|offset| offset.from <= at).unwrap();
        assert_eq!(last.offset_s, expected_s, "{time_zone} at {utc}");
    }

    /// Directive 2000/84/EC: at 01:00 UTC on the last Sundays of March and October.
    #[test]
    fn berlin_changes_at_one_utc() {
        check("Europe/Berlin", "1970-01-01T00:00:00Z", 3_600);
        check("Europe/Berlin", "2026-03-29T00:59:59Z", 3_600);
        check("Europe/Berlin", "2026-03-29T01:00:00Z", 7_200);
        check("Europe/Berlin", "2026-10-25T00:59:59Z", 7_200);
        check("Europe/Berlin", "2026-10-25T01:00:00Z", 3_600);
        check("Europe/Berlin", "2059-07-01T00:00:00Z", 7_200);
    }

    /// Energy Policy Act of 2005: at 02:00 local time on the second Sunday of March and the first
    /// of November.
    #[test]
    fn new_york_changes_at_two_local_time() {
        check("America/New_York", "2026-03-08T06:59:59Z", -18_000);
        check("America/New_York", "2026-03-08T07:00:00Z", -14_400);
        check("America/New_York", "2026-11-01T05:59:59Z", -14_400);
        check("America/New_York", "2026-11-01T06:00:00Z", -18_000);
    }

    #[test]
    fn zones_without_summer_time_have_few_offsets() {
        check("Asia/Kolkata", "2026-06-01T00:00:00Z", 19_800);
        assert_eq!(of("Asia/Kolkata").unwrap().len(), 1);
        assert_eq!(of("UTC").unwrap().len(), 1);
    }

    #[test]
    fn unknown_zones_are_none() {
        assert_eq!(of("Europe/Berlim"), None);
        assert_eq!(of(""), None);
    }
}
