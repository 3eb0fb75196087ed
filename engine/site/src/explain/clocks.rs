//! What the next changes of the clocks do to a rule's hours, in words.

use ach_actors_model::{NS_PER_S, Window};
use jiff::civil::Date;

use super::Explainer;
use crate::hours::{Hours, length_s};
use crate::text::span_text;

pub(super) const DAY_S: i64 = 86_400;
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday; a week begins on Monday.
const EPOCH_WEEKDAY: i64 = 3;
/// How many days are looked at before and after a change: hours that last for longer are told of no change.
const DAYS_AROUND: i64 = 8;

/// `On 28 March 2027, when clocks go forward, these hours last 9 h instead of 10 h.` Of hours that no change
/// touches nothing is said, nor of all hours.
pub(super) fn sentence(explainer: &Explainer<'_>, windows: &[Window]) -> Option<String> {
    let holidays = &explainer.holidays;
    if Hours::of(windows, !holidays.is_empty()).is_always() {
        return None;
    }
    let offsets = &explainer.offsets;
    let changes = offsets.iter().zip(offsets.iter().skip(1));
    let changes =
        changes.filter(|(_, after)| after.from > explainer.now).map(|(before, after)| Change {
            moment: i64::try_from(after.from.0 / NS_PER_S).unwrap_or(i64::MAX),
            offset_before_s: i64::from(before.offset_s),
            offset_s: i64::from(after.offset_s),
        });
    // The next forward and the next back; the year after is the same.
    let next: Vec<Change> = changes.take(2).collect();
    let mut parts: Vec<String> = Vec::new();
    for (change, touch) in
        next.iter().filter_map(|change| Some((change, change.touch(windows, holidays)?)))
    {
        let is_first = parts.is_empty();
        let lead = match (is_first, touch.is_night) {
            (true, true) => "In the night to",
            (true, false) => "On",
            (false, true) => "in the night to",
            (false, false) => "on",
        };
        let who = if is_first { "clocks" } else { "they" };
        let way = if change.is_forward() { "forward" } else { "back" };
        let date = date_words(touch.day)?;
        let then = match (touch.then_s, is_first) {
            (0, _) => "these hours do not come at all".to_owned(),
            (then_s, true) => {
                format!("these hours last {} instead of {}", span(then_s), span(touch.usual_s))
            }
            (then_s, false) => format!("{} instead of {}", span(then_s), span(touch.usual_s)),
        };
        parts.push(format!("{lead} {date}, when {who} go {way}, {then}"));
    }
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}

/// A moment at which the offset from UTC changes, all in seconds.
struct Change {
    moment: i64,
    offset_before_s: i64,
    offset_s: i64,
}

/// A span of hours that a change makes shorter or longer.
struct Touch {
    /// The day of the change, and whether the span is the night to it.
    day: i64,
    is_night: bool,
    usual_s: i64,
    then_s: i64,
}

impl Change {
    fn is_forward(&self) -> bool {
        self.offset_s > self.offset_before_s
    }

    /// The first span, in seconds after Monday's midnight, that is open at what does not come, or comes twice.
    fn touch(&self, windows: &[Window], holidays: &[u32]) -> Option<Touch> {
        let from_s = self.moment + self.offset_before_s.min(self.offset_s);
        let until_s = self.moment + self.offset_before_s.max(self.offset_s);
        let day = from_s.div_euclid(DAY_S);
        spans_around(day, windows, holidays).into_iter().find_map(|(begun_s, ended_s)| {
            let usual_s = ended_s - begun_s;
            let shared_s = ended_s.min(until_s) - begun_s.max(from_s);
            let then_s = if self.is_forward() { usual_s - shared_s } else { usual_s + shared_s };
            let begins = begun_s.div_euclid(DAY_S);
            let is_night = begins == day - 1 && ended_s < (day + 1) * DAY_S;
            (shared_s > 0).then_some(Touch { day, is_night, usual_s, then_s })
        })
    }
}

/// The hours of the days about a day in local seconds since 1970, joined, those left out of which the end is
/// not in sight.
fn spans_around(day: i64, windows: &[Window], holidays: &[u32]) -> Vec<(i64, i64)> {
    let (first, last) = (day - DAYS_AROUND, day + DAYS_AROUND);
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for day in first..=last {
        let is_holiday = u32::try_from(day).is_ok_and(|day| holidays.binary_search(&day).is_ok());
        let weekday = (day + EPOCH_WEEKDAY).rem_euclid(WEEK_DAYS);
        let bit = if is_holiday { Window::HOLIDAYS } else { 1 << weekday };
        for window in windows.iter().filter(|window| window.weekdays & bit != 0) {
            let from_s = day * DAY_S + i64::from(window.from_s);
            spans.push((from_s, from_s + i64::from(length_s(window))));
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
    joined.retain(|&(from_s, until_s)| from_s > first * DAY_S && until_s <= last * DAY_S);
    joined
}

fn span(seconds: i64) -> String {
    span_text(u64::try_from(seconds).unwrap_or_default() * NS_PER_S)
}

pub(super) fn date_words(day: i64) -> Option<String> {
    let epoch = Date::new(1970, 1, 1).ok()?;
    let date = epoch.checked_add(jiff::Span::new().try_days(day).ok()?).ok()?;
    Some(date.strftime("%-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Timestamp;

    use super::*;
    use crate::{HolidayDate, HolidayPlan, sample_hospital};

    const BERLIN: &str = "Europe/Berlin";

    /// Days, from and to in hours, at a site with these holidays.
    #[track_caller]
    fn check_on(zone: &str, holidays: &[&str], windows: &[(u8, u32, u32)], expected: Option<&str>) {
        let mut site = sample_hospital().directory;
        zone.clone_into(&mut site.time_zone);
        let plan = |date: &&str| HolidayPlan {
            date: HolidayDate::parse(date).unwrap(),
            name: String::new(),
        };
        site.holidays = holidays.iter().map(plan).collect();
        let window = |&(weekdays, from, until): &(u8, u32, u32)| Window {
            weekdays,
            from_s: from * 3_600,
            until_s: until * 3_600,
        };
        let windows: Vec<Window> = windows.iter().map(window).collect();
        // 23 November 2026, 07:00 UTC.
        let now = Timestamp(1_795_417_200 * NS_PER_S);
        let told = sentence(&Explainer::new(&site, now), &windows);
        assert_eq!(told.as_deref(), expected, "{zone} {windows:?} {holidays:?}");
    }

    #[track_caller]
    fn check_all(zone: &str, windows: &[(u8, u32, u32)], expected: Option<&str>) {
        check_on(zone, &[], windows, expected);
    }

    #[track_caller]
    fn check(zone: &str, window: (u8, u32, u32), expected: Option<&str>) {
        check_all(zone, &[window], expected);
    }

    #[test]
    fn hours_that_the_clocks_cut_or_stretch_are_told() {
        check(
            BERLIN,
            (127, 20, 6),
            Some(
                "In the night to 28 March 2027, when clocks go forward, these hours last 9 h instead \
                 of 10 h; in the night to 31 October 2027, when they go back, 11 h \
                 instead of 10 h.",
            ),
        );
        check(
            BERLIN,
            (64, 2, 3),
            Some(
                "On 28 March 2027, when clocks go forward, these hours do not come at all; on 31 October \
                 2027, when they go back, 2 h instead of 1 h.",
            ),
        );
        check(BERLIN, (31, 20, 6), None);
        check(BERLIN, (127, 8, 18), None);
        check("Asia/Kolkata", (127, 20, 6), None);
        check("UTC", (127, 0, 24), None);
        // All hours are all hours, however they are said.
        check(BERLIN, (127, 0, 24), None);
        check_all(BERLIN, &[(31, 0, 24), (96, 0, 24)], None);
        // What overlaps or touches is one.
        check_all(
            BERLIN,
            &[(127, 22, 4), (127, 2, 8)],
            Some(
                "In the night to 28 March 2027, when clocks go forward, these hours last 9 h instead \
                 of 10 h; in the night to 31 October 2027, when they go back, 11 h \
                 instead of 10 h.",
            ),
        );
        // From Saturday noon to Monday morning, over the end of the week.
        check_all(
            BERLIN,
            &[(32, 12, 24), (64, 0, 24), (1, 0, 6)],
            Some(
                "On 28 March 2027, when clocks go forward, these hours last 41 h instead of 42 h; on \
                 31 October 2027, when they go back, 43 h instead of 42 h.",
            ),
        );
    }

    #[test]
    fn on_a_holiday_the_clocks_change_the_hours_of_holidays() {
        // Easter is a holiday, and clocks go forward on it.
        check_on(
            BERLIN,
            &["2027-03-28"],
            &[(64, 1, 5)],
            Some(
                "On 31 October 2027, when clocks go back, \
                 these hours last 5 h instead of 4 h.",
            ),
        );
        check_on(
            BERLIN,
            &["2027-03-28"],
            &[(Window::HOLIDAYS, 1, 5)],
            Some(
                "On 28 March 2027, when \
                 clocks go forward, these hours last 3 h instead of 4 h.",
            ),
        );
        check_on(
            BERLIN,
            &["2027-03-27"],
            &[(127, 20, 6)],
            Some(
                "In the night to 31 October 2027, when \
                 clocks go back, these hours last 11 h instead of 10 h.",
            ),
        );
        check_on(BERLIN, &["12-25"], &[(127, 0, 24)], None);
    }
}
