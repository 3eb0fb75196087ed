//! Windows of local time, by the offsets the site was read with.

use ach_actors_model::{NS_PER_S, Timestamp, UtcOffset, Window};

const DAY_S: i64 = 86_400;
const WEEK_S: i64 = 7 * DAY_S;
/// 1970-01-01 was a Thursday; a week begins on Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// Windows of local time as one week: what two windows share is open once, and windows that touch
/// are one. Asked on the way to an alarm, so it is laid out when the site is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Week {
    /// Seconds after Monday's midnight at which it opens or closes, in turn, ascending.
    edges_s: Vec<i64>,
    /// Whether it is open at Monday's midnight.
    begins_open: bool,
    has_windows: bool,
}

impl Week {
    pub(crate) fn new(windows: &[Window]) -> Week {
        let mut spans: Vec<(i64, i64)> = Vec::new();
        for window in windows {
            let (from_s, until_s) = (i64::from(window.from_s), i64::from(window.until_s));
            let until_s = if from_s < until_s { until_s } else { until_s + DAY_S };
            for day in (0..7).filter(|day| (window.weekdays >> day) & 1 == 1) {
                let (from_s, until_s) = (day * DAY_S + from_s, day * DAY_S + until_s);
                spans.push((from_s, until_s.min(WEEK_S)));
                if until_s > WEEK_S {
                    spans.push((0, until_s - WEEK_S));
                }
            }
        }
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (from_s, until_s) in spans {
            match joined.last_mut() {
                Some((_, last_s)) if from_s <= *last_s => *last_s = until_s.max(*last_s),
                _ => joined.push((from_s, until_s)),
            }
        }
        let begins_open = joined.first().is_some_and(|&(from_s, _)| from_s == 0);
        let edges_s = joined.into_iter().flat_map(|(from_s, until_s)| [from_s, until_s]);
        let edges_s = edges_s.filter(|edge_s| (1..WEEK_S).contains(edge_s)).collect();
        Week { edges_s, begins_open, has_windows: !windows.is_empty() }
    }

    /// Whether there are no windows, which is always open.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_windows
    }

    fn is_open(&self, second_s: i64) -> bool {
        let passed = self.edges_s.partition_point(|&edge_s| edge_s <= second_s);
        self.begins_open == passed.is_multiple_of(2)
    }

    /// How long until it opens or closes; `None` if never. A week that is open at its end and not at
    /// its beginning, or the other way round, changes there too.
    fn until_edge_s(&self, second_s: i64) -> Option<i64> {
        let &first_s = self.edges_s.first()?;
        let passed = self.edges_s.partition_point(|&edge_s| edge_s <= second_s);
        if let Some(&edge_s) = self.edges_s.get(passed) {
            return Some(edge_s - second_s);
        }
        let turns_over = self.is_open(second_s) != self.begins_open;
        Some(WEEK_S - second_s + if turns_over { 0 } else { first_s })
    }
}

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
    pub(crate) fn is_open(&self, week: &Week, at: Timestamp) -> bool {
        week.is_empty() || week.is_open(self.second_of_week(self.place(seconds(at)), seconds(at)))
    }

    /// When the windows next open, if closed, or close, if open; `None` if never.
    pub(crate) fn next_change(&self, week: &Week, at: Timestamp) -> Option<Timestamp> {
        let mut now_s = seconds(at);
        let mut place = self.place(now_s);
        let is_open = week.is_open(self.second_of_week(place, now_s));
        // A change of the offset moves the week: from one to the next, until something is other
        // than now. Ends with the last offset, in which every week is the same.
        loop {
            let edge_s = now_s + week.until_edge_s(self.second_of_week(place, now_s))?;
            let Some(&(moved_s, _)) = self.offsets.get(place + 1) else {
                return moment(edge_s);
            };
            if edge_s < moved_s {
                return moment(edge_s);
            }
            (now_s, place) = (moved_s, place + 1);
            if week.is_open(self.second_of_week(place, now_s)) != is_open {
                return moment(now_s);
            }
        }
    }

    /// Local time in seconds since 1970.
    pub(crate) fn wall_s(&self, at: Timestamp) -> i64 {
        let at_s = seconds(at);
        let offset_s = self.offsets.get(self.place(at_s)).map_or(0, |&(_, offset_s)| offset_s);
        at_s.saturating_add(offset_s)
    }

    /// Which offset is in force.
    fn place(&self, at_s: i64) -> usize {
        self.offsets.partition_point(|&(from_s, _)| from_s <= at_s).saturating_sub(1)
    }

    fn second_of_week(&self, place: usize, at_s: i64) -> i64 {
        let offset_s = self.offsets.get(place).map_or(0, |&(_, offset_s)| offset_s);
        (at_s + offset_s + EPOCH_WEEKDAY * DAY_S).rem_euclid(WEEK_S)
    }
}

fn moment(at_s: i64) -> Option<Timestamp> {
    Some(Timestamp(u64::try_from(at_s).ok()?.saturating_mul(NS_PER_S)))
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
        let week = Week::new(windows);
        for (moment, is_open, next) in table {
            let now = at(utc(moment));
            assert_eq!(berlin().is_open(&week, now), *is_open, "at {moment}");
            let expected = (!next.is_empty()).then(|| at(utc(next)));
            assert_eq!(berlin().next_change(&week, now), expected, "after {moment}");
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

    /// By the words of the windows, one by one.
    fn is_open_plainly(calendar: &Calendar, windows: &[Window], at: Timestamp) -> bool {
        let at_s = seconds(at);
        let local_s = at_s + calendar.offsets[calendar.place(at_s)].1;
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

    #[test]
    fn a_night_from_sunday_to_monday_is_one_window() {
        check(
            &[window("......x", 22, 6)],
            &[
                ("01-11 20:59", false, "01-11 21:00"),
                ("01-11 21:00", true, "01-12 05:00"),
                ("01-12 00:00", true, "01-12 05:00"),
                ("01-12 05:00", false, "01-18 21:00"),
            ],
        );
        // Round the clock from Sunday on: it ends with the week it began in.
        check(&[window("......x", 0, 24)], &[("01-11 12:00", true, "01-11 23:00")]);
        check(&[window("x......", 0, 24)], &[("01-11 12:00", false, "01-11 23:00")]);
    }

    /// Oracle: look at every minute.
    #[test]
    fn the_next_change_is_the_first_minute_that_differs() {
        let calendar = berlin();
        let windows =
            [window("x.x.x.x", 22, 6), window(".x...x.", 1, 3), window("xxxxxxx", 13, 14)];
        let week = Week::new(&windows);
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
}
