//! Windows of local time, by the offsets the site was read with.

use ach_actors_model::{NS_PER_S, Timestamp, UtcOffset, Window};

const DAY_S: i64 = 86_400;
/// 1970-01-01 was a Thursday; bit 0 of a window is Monday.
const EPOCH_WEEKDAY: i64 = 3;
/// A window repeats within a week, an offset moves it by hours, and a window that a jump of the
/// offset skips comes back the week after: so two weeks and a day hold every next change.
const DAYS_AHEAD: i64 = 15;

/// The site's offsets from UTC, ascending, the first at time 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calendar {
    offsets: Vec<(i64, i64)>,
}

impl Calendar {
    pub(crate) fn new(offsets: &[UtcOffset]) -> Calendar {
        let offsets = offsets
            .iter()
            .map(|offset| (seconds(offset.from), i64::from(offset.offset_s)))
            .collect();
        Calendar { offsets }
    }

    /// Whether one of the windows is open; no window at all is always open.
    pub(crate) fn is_open(&self, windows: &[Window], at: Timestamp) -> bool {
        windows.is_empty() || self.is_open_s(windows, seconds(at))
    }

    /// When the windows next open, if closed, or close, if open; `None` if never.
    pub(crate) fn next_change(&self, windows: &[Window], at: Timestamp) -> Option<Timestamp> {
        if windows.is_empty() {
            return None;
        }
        let now_s = seconds(at);
        let is_open = self.is_open_s(windows, now_s);
        let horizon_s = now_s + DAYS_AHEAD * DAY_S;
        let mut first: Option<i64> = None;
        let mut consider = |moment_s: i64| {
            let is_sooner = first.is_none_or(|first| moment_s < first);
            if moment_s > now_s && is_sooner && self.is_open_s(windows, moment_s) != is_open {
                first = Some(moment_s);
            }
        };
        for (place, &(from_s, offset_s)) in self.offsets.iter().enumerate() {
            let until_s = self.offsets.get(place + 1).map_or(i64::MAX, |&(from_s, _)| from_s);
            if until_s <= now_s || from_s > horizon_s {
                continue;
            }
            consider(from_s);
            let today = (now_s.max(from_s) + offset_s).div_euclid(DAY_S);
            for day in today - 1..=today + DAYS_AHEAD {
                for edge_s in windows.iter().flat_map(|window| [window.from_s, window.until_s]) {
                    let moment_s = day * DAY_S + i64::from(edge_s) - offset_s;
                    if (from_s..until_s).contains(&moment_s) {
                        consider(moment_s);
                    }
                }
            }
        }
        let first = u64::try_from(first?).ok()?;
        Some(Timestamp(first.saturating_mul(NS_PER_S)))
    }

    fn is_open_s(&self, windows: &[Window], at_s: i64) -> bool {
        let place = self.offsets.partition_point(|&(from_s, _)| from_s <= at_s);
        let offset_s = self.offsets.get(place.saturating_sub(1)).map_or(0, |&(_, offset)| offset);
        let local_s = at_s + offset_s;
        let (day, second) = (local_s.div_euclid(DAY_S), local_s.rem_euclid(DAY_S));
        let has_day = |window: &Window, day: i64| {
            let weekday = (day + EPOCH_WEEKDAY).rem_euclid(7);
            (i64::from(window.weekdays) >> weekday) & 1 == 1
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
}

fn seconds(at: Timestamp) -> i64 {
    i64::try_from(at.0 / NS_PER_S).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Berlin round the changes of 2026: summer time from 29 March 01:00 UTC to 25 October 01:00
    /// UTC.
    fn berlin() -> Calendar {
        let offset = |from_s: u64, offset_s| UtcOffset { from: at(from_s), offset_s };
        Calendar::new(&[
            offset(0, 3_600),
            offset(1_774_746_000, 7_200),
            offset(1_792_890_000, 3_600),
        ])
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

    fn window(days: &str, from_h: u32, until_h: u32) -> Window {
        let weekdays = "MTWTFSS".chars().zip(days.chars()).enumerate();
        let weekdays =
            weekdays.filter(|(_, (_, mark))| *mark == 'x').map(|(bit, _)| 1 << bit).sum();
        Window { weekdays, from_s: from_h * 3_600, until_s: until_h * 3_600 }
    }

    /// At each moment: whether the window is open, and when that changes next.
    #[track_caller]
    fn check(windows: &[Window], table: &[(&str, bool, &str)]) {
        for (moment, is_open, next) in table {
            let now = at(utc(moment));
            assert_eq!(berlin().is_open(windows, now), *is_open, "at {moment}");
            let expected = (!next.is_empty()).then(|| at(utc(next)));
            assert_eq!(berlin().next_change(windows, now), expected, "after {moment}");
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
            &[window("xxxxx..", 8, 18)],
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
            &[window("....x..", 22, 6)],
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
        check(&[window("xxxxxxx", 0, 24)], &[("01-12 06:59", true, ""), ("03-29 00:30", true, "")]);
        check(&[window("xxxxxxx", 5, 5)], &[("01-12 06:59", true, "")]);
    }

    #[test]
    fn windows_that_touch_are_one() {
        check(
            &[window("xxxxxxx", 8, 12), window("xxxxxxx", 12, 20)],
            &[("01-12 07:00", true, "01-12 19:00"), ("01-12 19:00", false, "01-13 07:00")],
        );
    }

    #[test]
    fn clocks_go_forward_over_a_window() {
        // 29 March: after 01:59:59 comes 03:00. A window from 2 to 3 does not come that day.
        check(
            &[window("xxxxxxx", 2, 3)],
            &[
                ("03-28 00:30", false, "03-28 01:00"),
                ("03-28 02:00", false, "03-30 00:00"),
                ("03-29 01:00", false, "03-30 00:00"),
            ],
        );
        // One from 1 to 4 is open for two hours.
        check(&[window("xxxxxxx", 1, 4)], &[("03-29 00:00", true, "03-29 02:00")]);
    }

    #[test]
    fn clocks_go_back_over_a_window() {
        // 25 October: 02:00 to 03:00 comes twice, the second time from 01:00 UTC.
        check(
            &[window("xxxxxxx", 2, 3)],
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

    /// Oracle: look at every minute.
    #[test]
    fn the_next_change_is_the_first_minute_that_differs() {
        let calendar = berlin();
        let windows =
            [window("x.x.x.x", 22, 6), window(".x...x.", 1, 3), window("xxxxxxx", 13, 14)];
        let start = utc("10-20 00:00");
        let mut changes = 0;
        for minute in 0..8 * 1_440 {
            let (now, next) = (at(start + minute * 60), at(start + (minute + 1) * 60));
            let is_changing = calendar.is_open(&windows, now) != calendar.is_open(&windows, next);
            assert_eq!(calendar.next_change(&windows, now) == Some(next), is_changing);
            changes += u32::from(is_changing);
        }
        assert!(changes > 20, "the weeks must hold changes, had {changes}");
    }
}
