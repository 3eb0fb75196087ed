//! What the next changes of the clocks do to a rule's hours, in words.

use ach_actors_model::{NS_PER_S, Timestamp, UtcOffset, Window};
use jiff::civil::Date;

use crate::hours::length_s;
use crate::text::span_text;

const DAY_S: i64 = 86_400;
/// 1970-01-01 was a Thursday; a week begins on Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// `On 28 March 2027, when clocks go forward, these hours last 9 h instead of 10 h.` Of hours that no change
/// touches nothing is said.
pub(super) fn sentence(windows: &[Window], offsets: &[UtcOffset], now: Timestamp) -> Option<String> {
    let changes = offsets.iter().zip(offsets.iter().skip(1));
    let changes = changes.filter(|(_, after)| after.from > now).map(|(before, after)| Change {
        at_s: i64::try_from(after.from.0 / NS_PER_S).unwrap_or(i64::MAX),
        before_s: i64::from(before.offset_s),
        after_s: i64::from(after.offset_s),
    });
    // The next forward and the next back; the year after is the same.
    let next: Vec<Change> = changes.take(2).collect();
    let told: Vec<String> = next.iter().filter_map(|change| change.words(windows)).collect();
    (!told.is_empty()).then(|| format!("{}.", told.join(". ")))
}

/// A moment at which the offset from UTC changes.
struct Change {
    at_s: i64,
    before_s: i64,
    after_s: i64,
}

impl Change {
    fn words(&self, windows: &[Window]) -> Option<String> {
        let is_forward = self.after_s > self.before_s;
        // Wall time that does not come, or comes twice.
        let from_s = self.at_s + self.before_s.min(self.after_s);
        let until_s = self.at_s + self.before_s.max(self.after_s);
        let day = from_s.div_euclid(DAY_S);
        let (window, begun_s, shared_s) = windows.iter().find_map(|window| {
            // It may have begun the day before.
            [day, day - 1].into_iter().find_map(|begins| {
                let weekday = (begins + EPOCH_WEEKDAY).rem_euclid(7);
                let is_open = (i64::from(window.weekdays) >> weekday) & 1 == 1;
                let begun_s = begins * DAY_S + i64::from(window.from_s);
                let ends_s = begun_s + i64::from(length_s(window));
                let shared_s = ends_s.min(until_s) - begun_s.max(from_s);
                (is_open && shared_s > 0).then_some((window, begun_s, shared_s))
            })
        })?;
        let usual_s = i64::from(length_s(window));
        let then_s = if is_forward { usual_s - shared_s } else { usual_s + shared_s };
        let begin = if begun_s < day * DAY_S { "In the night to" } else { "On" };
        let (date, way) = (date_words(day)?, if is_forward { "forward" } else { "back" });
        Some(if then_s == 0 {
            format!("{begin} {date}, when clocks go {way}, these hours do not come at all")
        } else {
            let (then, usual) = (span(then_s), span(usual_s));
            format!("{begin} {date}, when clocks go {way}, these hours last {then} instead of {usual}")
        })
    }
}

fn span(seconds: i64) -> String {
    span_text(u64::try_from(seconds).unwrap_or_default() * NS_PER_S)
}

fn date_words(day: i64) -> Option<String> {
    let epoch = Date::new(1970, 1, 1).ok()?;
    let date = epoch.checked_add(jiff::Span::new().try_days(day).ok()?).ok()?;
    Some(date.strftime("%-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::utc_offsets;

    #[test]
    fn hours_that_the_clocks_cut_or_stretch_are_told() {
        let now: jiff::Timestamp = "2026-11-23T07:00:00Z".parse().unwrap();
        let now = Timestamp(u64::try_from(now.as_nanosecond()).unwrap());
        let check = |zone: &str, (weekdays, from, until): (u8, u32, u32), expected: Option<&str>| {
            let window = Window { weekdays, from_s: from * 3_600, until_s: until * 3_600 };
            let offsets = utc_offsets::of(zone).unwrap();
            assert_eq!(sentence(&[window], &offsets, now).as_deref(), expected, "{zone} {window:?}");
        };
        let berlin = "Europe/Berlin";
        check(
            berlin,
            (127, 20, 6),
            Some(
                "In the night to 28 March 2027, when clocks go forward, these hours last 9 h instead \
                 of 10 h. In the night to 31 October 2027, when clocks go back, these hours last 11 h \
                 instead of 10 h.",
            ),
        );
        check(
            berlin,
            (64, 2, 3),
            Some(
                "On 28 March 2027, when clocks go forward, these hours do not come at all. On 31 October \
                 2027, when clocks go back, these hours last 2 h instead of 1 h.",
            ),
        );
        check(berlin, (31, 20, 6), None);
        check(berlin, (127, 8, 18), None);
        check("Asia/Kolkata", (127, 20, 6), None);
        check("UTC", (127, 0, 24), None);
    }
}
