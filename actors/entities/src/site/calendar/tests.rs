//! What windows do round the changes of the clocks, and on holidays.

use ach_actors_model::Window;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Berlin round the changes of 2026: summer time from 29 March 01:00 UTC to 25 October 01:00
/// UTC.
fn berlin() -> Calendar {
    berlin_with(&[])
}

/// The same with holidays, written `MM-DD`.
fn berlin_with(holidays: &[&str]) -> Calendar {
    let holidays = holidays.iter().map(|day| utc(&format!("{day} 00:00")) / 86_400);
    let holidays: Vec<u32> = holidays.map(|day| day.try_into().unwrap()).collect();
    let offset = |from_s: u64, offset_s| UtcOffset { from: at(from_s), offset_s };
    Calendar::new(
        &[offset(0, 3_600), offset(1_774_746_000, 7_200), offset(1_792_890_000, 3_600)],
        &holidays,
    )
}

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * NS_PER_S)
}

/// Seconds of a moment of UTC in 2026, written `MM-DD hh:mm`.
fn utc(text: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().expect("a number");
    let month_days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(number(0..2)).expect("a month");
    let days: u64 = month_days[..month - 1].iter().sum::<u64>() + number(3..5) - 1;
    1_767_225_600 + days * 86_400 + number(6..8) * 3_600 + number(9..11) * 60
}

/// A window on the days that are marked, from Monday to Sunday, and on holidays: `#####---` is weekdays.
fn window(days: &str, from_h: u32, until_h: u32) -> Window {
    let weekdays = "MTWTFSSH".chars().zip(days.chars()).enumerate();
    let weekdays = weekdays.filter(|(_, (_, mark))| *mark == '#').map(|(bit, _)| 1 << bit).sum();
    Window { weekdays, from_s: from_h * 3_600, until_s: until_h * 3_600 }
}

/// At each moment: whether the window is open, and when that changes next.
#[track_caller]
fn check(windows: &[Window], table: &[(&str, bool, &str)]) {
    check_with(&[], windows, table);
}

/// The same in a year with holidays.
#[track_caller]
fn check_with(holidays: &[&str], windows: &[Window], table: &[(&str, bool, &str)]) {
    let (calendar, days) = (berlin_with(holidays), DayWindows::new(windows));
    for (moment, is_open, next) in table {
        let now = at(utc(moment));
        assert_eq!(calendar.is_open(&days, now), *is_open, "at {moment}");
        let expected = (!next.is_empty()).then(|| at(utc(next)));
        assert_eq!(calendar.next_change(&days, now), expected, "after {moment}");
    }
}

#[test]
fn a_rule_without_windows_always_holds() {
    check(&[], &[("01-01 00:00", true, ""), ("07-01 12:00", true, "")]);
}

#[test]
fn a_window_of_the_day_is_open_from_its_first_second_to_before_its_last() {
    // 12 January 2026 is a Monday; 8 to 18 o'clock is 7 to 17 UTC in winter.
    check(
        &[window("#####--", 8, 18)],
        &[
            ("01-12 06:59", false, "01-12 07:00"),
            ("01-12 07:00", true, "01-12 17:00"),
            ("01-12 16:59", true, "01-12 17:00"),
            ("01-12 17:00", false, "01-13 07:00"),
            ("01-16 17:00", false, "01-19 07:00"),
            ("01-17 12:00", false, "01-19 07:00"),
        ],
    );
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
    // Friday night only: from Friday 22 o'clock to Saturday 6 o'clock.
    check(
        &[window("----#--", 22, 6)],
        &[
            ("01-16 20:59", false, "01-16 21:00"),
            ("01-16 21:00", true, "01-17 05:00"),
            ("01-17 04:59", true, "01-17 05:00"),
            ("01-17 05:00", false, "01-23 21:00"),
            ("01-17 22:00", false, "01-23 21:00"),
        ],
    );
}

#[test]
fn a_window_round_the_clock_never_changes() {
    check(&[window("#######", 0, 24)], &[("01-12 06:59", true, ""), ("03-29 00:30", true, "")]);
    check(&[window("#######", 5, 5)], &[("01-12 06:59", true, "")]);
}

#[test]
fn windows_that_touch_are_one() {
    check(
        &[window("#######", 8, 12), window("#######", 12, 20)],
        &[("01-12 07:00", true, "01-12 19:00"), ("01-12 19:00", false, "01-13 07:00")],
    );
}

#[test]
fn clocks_go_forward_over_a_window() {
    // 29 March: after 01:59:59 comes 03:00. A window from 2 to 3 does not come that day.
    check(
        &[window("#######", 2, 3)],
        &[
            ("03-28 00:30", false, "03-28 01:00"),
            ("03-28 02:00", false, "03-30 00:00"),
            ("03-29 01:00", false, "03-30 00:00"),
        ],
    );
    // One from 1 to 4 is open for two hours.
    check(&[window("#######", 1, 4)], &[("03-29 00:00", true, "03-29 02:00")]);
}

#[test]
fn clocks_go_back_over_a_window() {
    // 25 October: 02:00 to 03:00 comes twice, the second time from 01:00 UTC.
    check(
        &[window("#######", 2, 3)],
        &[
            ("10-24 23:59", false, "10-25 00:00"),
            ("10-25 00:00", true, "10-25 02:00"),
            ("10-25 01:00", true, "10-25 02:00"),
            ("10-25 02:00", false, "10-26 01:00"),
        ],
    );
    // One that ends at half past two ends twice.
    let early = Window { weekdays: 127, from_s: 3_600, until_s: 9_000 };
    check(
        &[early],
        &[
            ("10-24 23:00", true, "10-25 00:30"),
            ("10-25 00:30", false, "10-25 01:00"),
            ("10-25 01:00", true, "10-25 01:30"),
        ],
    );
}

/// By the words of the windows, one by one.
fn is_open_plainly(calendar: &Calendar, windows: &[Window], at: Timestamp) -> bool {
    let at_s = seconds(at);
    let local_s = at_s + calendar.offsets[calendar.place(at_s)].1;
    let (day, second) = (local_s.div_euclid(DAY_S), local_s.rem_euclid(DAY_S));
    let has_day = |window: &Window, day: i64| {
        let is_holiday = calendar.holidays.contains(&day);
        let bit = if is_holiday { 7 } else { (day + EPOCH_WEEKDAY).rem_euclid(7) };
        (i64::from(window.weekdays) >> bit) & 1 == 1
    };
    windows.iter().any(|window| {
        let (from_s, until_s) = (i64::from(window.from_s), i64::from(window.until_s));
        if from_s < until_s {
            has_day(window, day) && (from_s..until_s).contains(&second)
        } else {
            (has_day(window, day) && second >= from_s)
                || (has_day(window, day - 1) && second < until_s)
        }
    })
}

#[test]
fn a_night_from_sunday_to_monday_is_one_window() {
    check(
        &[window("------#", 22, 6)],
        &[
            ("01-11 20:59", false, "01-11 21:00"),
            ("01-11 21:00", true, "01-12 05:00"),
            ("01-12 00:00", true, "01-12 05:00"),
            ("01-12 05:00", false, "01-18 21:00"),
        ],
    );
    // Round the clock from Sunday on: it ends with the week it began in.
    check(&[window("------#", 0, 24)], &[("01-11 12:00", true, "01-11 23:00")]);
    check(&[window("#------", 0, 24)], &[("01-11 12:00", false, "01-11 23:00")]);
}

/// Oracle: look at every minute.
#[test]
fn the_next_change_is_the_first_minute_that_differs() {
    let calendar = berlin();
    let windows = [window("#-#-#-#", 22, 6), window("-#---#-", 1, 3), window("#######", 13, 14)];
    let week = DayWindows::new(&windows);
    let start = utc("10-20 00:00");
    let mut changes = 0;
    for minute in 0..8 * 1_440 {
        let (now, next) = (at(start + minute * 60), at(start + (minute + 1) * 60));
        let is_open = is_open_plainly(&calendar, &windows, now);
        assert_eq!(calendar.is_open(&week, now), is_open, "minute {minute}");
        let is_changing = is_open != is_open_plainly(&calendar, &windows, next);
        assert_eq!(calendar.next_change(&week, now) == Some(next), is_changing);
        changes += u32::from(is_changing);
    }
    assert!(changes > 20, "the weeks must hold changes, had {changes}");
}

#[test]
fn a_holiday_is_no_weekday() {
    // 6 January 2026 is a Tuesday. By day on weekdays; 8 to 18 o'clock is 7 to 17 UTC.
    check_with(
        &["01-06"],
        &[window("#####---", 8, 18)],
        &[
            ("01-05 17:00", false, "01-07 07:00"),
            ("01-06 12:00", false, "01-07 07:00"),
            ("01-07 07:00", true, "01-07 17:00"),
        ],
    );
    // Another schedule on holidays, the whole of which is later than that of weekdays.
    check_with(
        &["01-06"],
        &[window("#####---", 8, 18), window("-------#", 10, 12)],
        &[
            ("01-05 17:00", false, "01-06 09:00"),
            ("01-06 09:00", true, "01-06 11:00"),
            ("01-06 11:00", false, "01-07 07:00"),
        ],
    );
    // A window of every day does not ask.
    check_with(
        &["01-06"],
        &[window("########", 8, 18)],
        &[("01-05 17:00", false, "01-06 07:00"), ("01-06 07:00", true, "01-06 17:00")],
    );
    check_with(&["01-06"], &[window("########", 0, 24)], &[("01-05 12:00", true, "")]);
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_begins_on_be_it_a_holiday() {
    // The night from Monday to the holiday begins on Monday and runs its course; the night after the
    // holiday is none of a weekday.
    check_with(
        &["01-06"],
        &[window("#######-", 22, 6)],
        &[
            ("01-05 20:59", false, "01-05 21:00"),
            ("01-05 23:30", true, "01-06 05:00"),
            ("01-06 05:00", false, "01-07 21:00"),
            ("01-06 22:00", false, "01-07 21:00"),
        ],
    );
    // A night of holidays: from the evening of the holiday to the morning after.
    check_with(
        &["01-06"],
        &[window("-------#", 22, 6)],
        &[
            ("01-05 22:00", false, "01-06 21:00"),
            ("01-06 21:00", true, "01-07 05:00"),
            ("01-07 05:00", false, ""),
        ],
    );
    // Two holidays in a row, and a window round the clock on both.
    check_with(
        &["12-25", "12-26"],
        &[window("-------#", 0, 24)],
        &[
            ("01-01 00:00", false, "12-24 23:00"),
            ("12-24 23:00", true, "12-26 23:00"),
            ("12-26 23:00", false, ""),
        ],
    );
    // All days but holidays, all day long.
    check_with(
        &["12-25", "12-26"],
        &[window("#######-", 0, 24)],
        &[("01-01 00:00", true, "12-24 23:00"), ("12-25 12:00", false, "12-26 23:00")],
    );
}

#[test]
fn clocks_go_forward_on_a_holiday() {
    // 29 March: after 01:59:59 comes 03:00. The day has 23 hours, a window from 1 to 4 two.
    check_with(
        &["03-29"],
        &[window("-------#", 0, 24)],
        &[("03-01 00:00", false, "03-28 23:00"), ("03-28 23:00", true, "03-29 22:00")],
    );
    check_with(
        &["03-29"],
        &[window("-------#", 1, 4)],
        &[
            ("03-28 23:59", false, "03-29 00:00"),
            ("03-29 00:00", true, "03-29 02:00"),
            ("03-29 02:00", false, ""),
        ],
    );
    // One from 2 to 3 does not come.
    check_with(&["03-29"], &[window("-------#", 2, 3)], &[("03-28 00:00", false, "")]);
}

#[test]
fn clocks_go_back_on_a_holiday() {
    // 25 October: 02:00 to 03:00 comes twice. The day has 25 hours, a window from 2 to 3 two.
    check_with(
        &["10-25"],
        &[window("-------#", 0, 24)],
        &[("10-01 00:00", false, "10-24 22:00"), ("10-24 22:00", true, "10-25 23:00")],
    );
    check_with(
        &["10-25"],
        &[window("-------#", 2, 3), window("#######-", 4, 5)],
        &[
            ("10-24 12:00", false, "10-25 00:00"),
            ("10-25 00:00", true, "10-25 02:00"),
            ("10-25 02:00", false, "10-26 03:00"),
        ],
    );
    // One from the evening before is of Saturday, and has nine hours.
    check_with(
        &["10-25"],
        &[window("-----#--", 22, 6)],
        &[("10-24 20:00", true, "10-25 05:00"), ("10-25 05:00", false, "10-31 21:00")],
    );
}

/// A zone whose clocks change at midnight: the first hour of the day does not come, or the last of the
/// day before comes twice.
#[test]
fn a_holiday_whose_midnight_is_skipped_or_repeated_begins_with_its_day() {
    let noon_day = |from_s: u64, offset_s| UtcOffset { from: at(from_s), offset_s };
    let holiday = [u32::try_from(utc("06-02 00:00") / 86_400).unwrap()];
    let days = DayWindows::new(&[window("-------#", 0, 24)]);
    let check = |offset_s, moved: &str, then_s, begins: &str, ends: &str| {
        let offsets = [noon_day(0, offset_s), noon_day(utc(moved), then_s)];
        let calendar = Calendar::new(&offsets, &holiday);
        let begins_at = at(utc(begins));
        assert_eq!(calendar.next_change(&days, at(utc("05-01 00:00"))), Some(begins_at));
        assert_eq!(calendar.next_change(&days, begins_at), Some(at(utc(ends))));
    };
    check(0, "06-02 00:00", 3_600, "06-02 00:00", "06-02 23:00");
    check(3_600, "06-01 23:00", 0, "06-02 00:00", "06-03 00:00");
    // At the end of the holiday it is the holiday once more.
    check(3_600, "06-02 23:00", 0, "06-01 23:00", "06-03 00:00");
}

/// Oracle: look at every minute of a fortnight, with windows and holidays at random, round both changes
/// of the clocks.
#[test]
fn with_holidays_too_the_next_change_is_the_first_minute_that_differs() {
    const MINUTES: u64 = 14 * 1_440;
    let mut changes = 0;
    for seed in 0..60_u64 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let first = if seed % 2 == 0 { "03-22 00:00" } else { "10-18 00:00" };
        let start = utc(first);
        let first_day = u32::try_from(start / 86_400).unwrap();
        let holidays: Vec<u32> =
            (first_day..first_day + 16).filter(|_| random.random_range(0..4) == 0).collect();
        let calendar =
            Calendar { holidays: holidays.into_iter().map(i64::from).collect(), ..berlin() };
        let windows: Vec<Window> = (0..random.random_range(1..4))
            .map(|_| Window {
                weekdays: random.random_range(1..=255),
                from_s: random.random_range(0..24) * 3_600,
                until_s: random.random_range(0..=48) * 1_800,
            })
            .collect();
        let days = DayWindows::new(&windows);
        let is_open: Vec<bool> = (0..=MINUTES)
            .map(|minute| is_open_plainly(&calendar, &windows, at(start + minute * 60)))
            .collect();
        let mut next: Option<Timestamp> = None;
        for minute in (0..MINUTES).rev() {
            let (here, now) = (usize::try_from(minute).unwrap(), at(start + minute * 60));
            if is_open[here] != is_open[here + 1] {
                next = Some(at(start + (minute + 1) * 60));
                changes += 1;
            }
            let told = (calendar.is_open(&days, now), calendar.next_change(&days, now));
            assert_eq!(told.0, is_open[here], "seed {seed}, minute {minute}");
            match next {
                Some(_) => assert_eq!(told.1, next, "seed {seed}, minute {minute}"),
                None => assert!(told.1.is_none_or(|next| next > at(start + MINUTES * 60))),
            }
        }
    }
    assert!(changes > 500, "the weeks must hold changes, had {changes}");
}
