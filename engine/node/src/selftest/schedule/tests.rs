//! When the daily test is due, over starts, missed days and changes of the offset.

use ach_actors_model::{SiteConfig, UtcOffset};

use super::*;
use crate::test_values::empty_site;

const HOUR_NS: u64 = 3_600 * NS_PER_S;

/// The tenth of some month, that many hours and minutes after midnight UTC.
fn at(hours: u64, minutes: u64) -> Timestamp {
    Timestamp(10 * 24 * HOUR_NS + hours * HOUR_NS + minutes * 60 * NS_PER_S)
}

/// A site two hours east, whose clocks go back an hour on the eleventh at 0:00 UTC, where it is 2:00,
/// and forward two on the twelfth.
fn site() -> Site {
    let offset = |from, offset_s| UtcOffset { from, offset_s };
    let utc_offsets =
        vec![offset(Timestamp(0), 7_200), offset(at(24, 0), 3_600), offset(at(48, 0), 10_800)];
    let config = SiteConfig { utc_offsets, ..empty_site("st-anna") };
    Site::compile(None, &config).unwrap()
}

fn minute(hour: u8, minute: u8) -> DayMinute {
    DayMinute::new(hour, minute).unwrap()
}

#[test]
fn a_day_has_no_twenty_fifth_hour() {
    assert!(DayMinute::new(24, 0).is_none() && DayMinute::new(6, 60).is_none());
}

#[test]
fn a_test_is_due_at_its_minute_by_the_clocks_on_the_walls() {
    let schedule = Schedule::new(minute(6, 30), at(1, 0));
    let site = site();
    let never = Timestamp(0);
    assert_eq!(schedule.due_for_s(&site, never, at(4, 29)), None, "6:29 on the wall");
    assert_eq!(schedule.due_for_s(&site, never, at(4, 30)), Some(0));
    assert_eq!(schedule.due_for_s(&site, at(4, 30), at(4, 31)), None, "it was done");
    assert_eq!(schedule.due_for_s(&site, at(4, 29), at(4, 31)), Some(60), "that was before");
    assert_eq!(schedule.due_for_s(&site, at(4, 30), at(29, 31)), Some(60), "the next day");
    assert_eq!(schedule.due_for_s(&site, at(4, 30), at(77, 30)), Some(2 * 86_400 + 7_200));
}

#[test]
fn an_hour_that_is_there_twice_has_one_test_and_one_that_is_not_there_has_it_after() {
    let site = site();
    // 1:30 on the wall of the eleventh comes at 23:30 UTC and again at 0:30.
    let schedule = Schedule::new(minute(1, 30), at(0, 0));
    let done = at(23, 31);
    for minutes in 0..60 * 20 {
        let now = Timestamp(done.0 + minutes * 60 * NS_PER_S);
        assert_eq!(schedule.due_for_s(&site, done, now), None, "{minutes} minutes after");
    }
    // 1:30 on the wall of the twelfth is not there: 0:59 is followed by 3:00.
    assert_eq!(schedule.due_for_s(&site, done, at(47, 59)), None);
    assert_eq!(schedule.due_for_s(&site, done, at(48, 0)), Some(5_400));
    let look = schedule.look(&site, (done, done), at(48, 0));
    assert_eq!(look, (true, None), "late by the wall, and not missed");
}

#[test]
fn a_node_that_was_away_says_that_the_test_was_missed_and_makes_up_for_it() {
    let site = site();
    let yesterday = at(0, 0);
    let schedule = Schedule::new(minute(6, 0), at(8, 0));
    let missed = Some(SelftestTrouble::Missed);
    assert_eq!(schedule.look(&site, (yesterday, yesterday), at(8, 0)), (false, missed));
    assert_eq!(schedule.look(&site, (yesterday, yesterday), at(8, 1)), (true, missed));
    assert_eq!(schedule.look(&site, (at(8, 1), at(8, 1)), at(8, 2)), (false, None));
    let failed = Some(SelftestTrouble::Failed);
    assert_eq!(schedule.look(&site, (at(8, 1), yesterday), at(8, 2)), (false, failed));
    assert_eq!(schedule.look(&site, (at(8, 1), yesterday), at(30, 0)), (true, failed), "still");
    // One that comes back in time has missed nothing.
    let schedule = Schedule::new(minute(6, 0), at(4, 5));
    assert_eq!(schedule.look(&site, (yesterday, yesterday), at(4, 5)), (false, None));
    assert_eq!(schedule.look(&site, (yesterday, yesterday), at(4, 6)), (true, None));
    // One that cannot begin it has.
    assert_eq!(schedule.look(&site, (yesterday, yesterday), at(4, 20)), (true, missed));
}

#[test]
fn a_planned_stop_over_the_hour_of_the_test_calls_nobody_if_the_test_is_made_up_for() {
    let site = site();
    let yesterday = at(0, 0);
    let looked = |schedule: &Schedule, past, now| {
        let (_, trouble) = schedule.look(&site, past, now);
        (trouble, schedule.is_alarm(trouble, now))
    };
    let (missed, failed) = (Some(SelftestTrouble::Missed), Some(SelftestTrouble::Failed));
    let begun = || Schedule::new(minute(6, 0), at(8, 0));
    let not_tested = (yesterday, yesterday);
    let schedule = begun();
    assert_eq!(looked(&schedule, not_tested, at(8, 0)), (missed, None), "said, and nobody called");
    assert_eq!(looked(&schedule, not_tested, at(8, 2)), (missed, None));
    assert_eq!(
        looked(&schedule, (at(8, 2), at(8, 2)), at(8, 3)),
        (None, Some(false)),
        "made up for"
    );
    let schedule = begun();
    assert_eq!(looked(&schedule, not_tested, at(8, 0)), (missed, None));
    assert_eq!(looked(&schedule, (at(8, 2), yesterday), at(8, 3)), (failed, Some(true)), "badly");
    let schedule = begun();
    assert_eq!(looked(&schedule, not_tested, at(8, 0)), (missed, None));
    assert_eq!(looked(&schedule, not_tested, at(8, 11)), (missed, Some(true)), "it cannot begin");
    // One that runs and cannot begin its test has waited already.
    let schedule = Schedule::new(minute(6, 0), at(3, 0));
    assert_eq!(looked(&schedule, not_tested, at(4, 0)), (None, Some(false)));
    assert_eq!(looked(&schedule, not_tested, at(4, 11)), (missed, Some(true)));
}
