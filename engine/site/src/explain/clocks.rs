//! What the next changes of the clocks do to a rule's hours, in words.

use ach_actors_model::{NS_PER_S, Timestamp, UtcOffset};
use jiff::civil::Date;

use crate::hours::Hours;
use crate::text::span_text;

const DAY_S: i64 = 86_400;
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday; a week begins on Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// `On 28 March 2027, when clocks go forward, these hours last 9 h instead of 10 h.` Of hours that no change
/// touches nothing is said, nor of all hours.
pub(super) fn sentence(hours: &Hours, offsets: &[UtcOffset], now: Timestamp) -> Option<String> {
    if hours.is_always() {
        return None;
    }
    let spans = hours.around();
    let changes = offsets.iter().zip(offsets.iter().skip(1));
    let changes = changes.filter(|(_, after)| after.from > now).map(|(before, after)| Change {
        moment: i64::try_from(after.from.0 / NS_PER_S).unwrap_or(i64::MAX),
        offset_before_s: i64::from(before.offset_s),
        offset_s: i64::from(after.offset_s),
    });
    // The next forward and the next back; the year after is the same.
    let next: Vec<Change> = changes.take(2).collect();
    let mut parts: Vec<String> = Vec::new();
    for (change, touch) in next.iter().filter_map(|change| Some((change, change.touch(&spans)?))) {
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
    fn touch(&self, spans: &[(u32, u32)]) -> Option<Touch> {
        let from_s = self.moment + self.offset_before_s.min(self.offset_s);
        let until_s = self.moment + self.offset_before_s.max(self.offset_s);
        let day = from_s.div_euclid(DAY_S);
        let monday = day - (day + EPOCH_WEEKDAY).rem_euclid(WEEK_DAYS);
        spans.iter().find_map(|&(begin_s, end_s)| {
            let usual_s = i64::from(end_s) - i64::from(begin_s);
            // It may have begun in the week before.
            [monday, monday - WEEK_DAYS].into_iter().find_map(|week| {
                let begun_s = week * DAY_S + i64::from(begin_s);
                let ended_s = begun_s + usual_s;
                let shared_s = ended_s.min(until_s) - begun_s.max(from_s);
                let then_s =
                    if self.is_forward() { usual_s - shared_s } else { usual_s + shared_s };
                let begins = begun_s.div_euclid(DAY_S);
                let is_night = begins == day - 1 && ended_s < (day + 1) * DAY_S;
                (shared_s > 0).then_some(Touch { day, is_night, usual_s, then_s })
            })
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
    use ach_actors_model::Window;

    use super::*;
    use crate::utc_offsets;

    #[test]
    fn hours_that_the_clocks_cut_or_stretch_are_told() {
        let now: jiff::Timestamp = "2026-11-23T07:00:00Z".parse().unwrap();
        let now = Timestamp(u64::try_from(now.as_nanosecond()).unwrap());
        let check_all = |zone: &str, windows: &[(u8, u32, u32)], expected: Option<&str>| {
            let window = |&(weekdays, from, until): &(u8, u32, u32)| Window {
                weekdays,
                from_s: from * 3_600,
                until_s: until * 3_600,
            };
            let windows: Vec<Window> = windows.iter().map(window).collect();
            let offsets = utc_offsets::of(zone).unwrap();
            let told = sentence(&Hours::of(&windows), &offsets, now);
            assert_eq!(told.as_deref(), expected, "{zone} {windows:?}");
        };
        let check = |zone: &str, window: (u8, u32, u32), expected: Option<&str>| {
            check_all(zone, &[window], expected);
        };
        let berlin = "Europe/Berlin";
        check(
            berlin,
            (127, 20, 6),
            Some(
                "In the night to 28 March 2027, when clocks go forward, these hours last 9 h instead \
                 of 10 h; in the night to 31 October 2027, when they go back, 11 h \
                 instead of 10 h.",
            ),
        );
        check(
            berlin,
            (64, 2, 3),
            Some(
                "On 28 March 2027, when clocks go forward, these hours do not come at all; on 31 October \
                 2027, when they go back, 2 h instead of 1 h.",
            ),
        );
        check(berlin, (31, 20, 6), None);
        check(berlin, (127, 8, 18), None);
        check("Asia/Kolkata", (127, 20, 6), None);
        check("UTC", (127, 0, 24), None);
        // All hours are all hours, however they are said.
        check(berlin, (127, 0, 24), None);
        check_all(berlin, &[(31, 0, 24), (96, 0, 24)], None);
        // What overlaps or touches is one.
        check_all(
            berlin,
            &[(127, 22, 4), (127, 2, 8)],
            Some(
                "In the night to 28 March 2027, when clocks go forward, these hours last 9 h instead \
                 of 10 h; in the night to 31 October 2027, when they go back, 11 h \
                 instead of 10 h.",
            ),
        );
        // From Saturday noon to Monday morning, over the end of the week.
        check_all(
            berlin,
            &[(32, 12, 24), (64, 0, 24), (1, 0, 6)],
            Some(
                "On 28 March 2027, when clocks go forward, these hours last 41 h instead of 42 h; on \
                 31 October 2027, when they go back, 43 h instead of 42 h.",
            ),
        );
    }
}
