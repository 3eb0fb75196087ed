//! The hours of a week in which a rule holds, as sets that are compared and told.

use std::collections::BTreeMap;

use ach_actors_model::Window;

use crate::text::clock_text;

const DAY_S: u32 = 86_400;
const WEEK_S: u32 = 7 * DAY_S;
const EVERY_DAY: u8 = 0x7F;
const WEEKDAYS: u8 = 0x1F;
const WEEKEND: u8 = 0x60;
const DAY_NAMES: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A day, and the one before it, from which windows come over midnight: 0 is Monday, 7 a holiday.
type DayKinds = (u32, u32);
const HOLIDAY: u32 = 7;
/// The days that are told apart where there are holidays: those of a week, then for each weekday a holiday
/// that follows it and the weekday after that, then a holiday after a holiday.
const DAY_COUNT: u32 = 7 + 2 * 7 + 1;

/// The kinds of day number `day`, as [`DAY_COUNT`] counts them.
fn kinds(day: u32) -> DayKinds {
    match day {
        0..7 => ((day + 6) % 7, day),
        7..21 if day % 2 == 1 => ((day - 7) / 2, HOLIDAY),
        7..21 => (HOLIDAY, ((day - 8) / 2 + 2) % 7),
        _ => (HOLIDAY, HOLIDAY),
    }
}

/// Seconds after Monday's midnight, as spans that ascend and do not touch. Where there are holidays, the
/// week is followed by days round holidays, so that sets differ if they do on any kind of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hours {
    spans: Vec<(u32, u32)>,
    end_s: u32,
}

impl Hours {
    /// Those of a rule, at a site with holidays or without; no window at all is always.
    pub(crate) fn of(windows: &[Window], has_holidays: bool) -> Hours {
        let day_count = if has_holidays { DAY_COUNT } else { 7 };
        let end_s = day_count * DAY_S;
        if windows.is_empty() {
            return Hours { spans: vec![(0, end_s)], end_s };
        }
        let mut spans = Vec::new();
        for day in 0..day_count {
            let (before, this) = kinds(day);
            let day_s = day * DAY_S;
            for window in windows {
                let until_s = window.from_s + length_s(window);
                if (window.weekdays >> this) & 1 == 1 {
                    spans.push((day_s + window.from_s.min(DAY_S), day_s + until_s.min(DAY_S)));
                }
                if (window.weekdays >> before) & 1 == 1 && until_s > DAY_S {
                    spans.push((day_s, day_s + until_s - DAY_S));
                }
            }
        }
        Hours::joined(spans, end_s)
    }

    fn joined(mut spans: Vec<(u32, u32)>, end_s: u32) -> Hours {
        spans.retain(|(from_s, until_s)| from_s < until_s);
        spans.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (from_s, until_s) in spans {
            match joined.last_mut() {
                Some((_, last_s)) if from_s <= *last_s => *last_s = until_s.max(*last_s),
                _ => joined.push((from_s, until_s)),
            }
        }
        Hours { spans: joined, end_s }
    }

    /// Those in any of them, which are of one site.
    pub(crate) fn union<'a>(all: impl Iterator<Item = &'a Hours>) -> Hours {
        let (mut spans, mut end_s) = (Vec::new(), WEEK_S);
        for hours in all {
            spans.extend_from_slice(&hours.spans);
            end_s = end_s.max(hours.end_s);
        }
        Hours::joined(spans, end_s)
    }

    /// All others.
    pub(crate) fn rest(&self) -> Hours {
        let ends = std::iter::once(0).chain(self.spans.iter().map(|&(_, until_s)| until_s));
        let begins = self.spans.iter().map(|&(from_s, _)| from_s).chain([self.end_s]);
        Hours::joined(ends.zip(begins).collect(), self.end_s)
    }

    pub(crate) fn is_always(&self) -> bool {
        self.spans == [(0, self.end_s)]
    }

    pub(crate) fn is_never(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether all hours of the other are among them.
    pub(crate) fn cover(&self, other: &Hours) -> bool {
        let holds = |&(from_s, until_s): &(u32, u32)| {
            let place = self.spans.partition_point(|&(begin_s, _)| begin_s <= from_s);
            let span = place.checked_sub(1).and_then(|place| self.spans.get(place));
            span.is_some_and(|&(_, end_s)| until_s <= end_s)
        };
        other.spans.iter().all(holds)
    }

    /// Whether they have an hour in common.
    pub(crate) fn meet(&self, other: &Hours) -> bool {
        let (mut ours, mut theirs) = (self.spans.iter().peekable(), other.spans.iter().peekable());
        while let (Some(&&(from_s, until_s)), Some(&&(begin_s, end_s))) =
            (ours.peek(), theirs.peek())
        {
            if from_s < end_s && begin_s < until_s {
                return true;
            }
            if until_s <= end_s {
                ours.next()
            } else {
                theirs.next()
            };
        }
        false
    }

    /// Those of a stretch, as if it were all there is.
    fn within(&self, from_s: u32, until_s: u32) -> Hours {
        let clip = |second_s: u32| second_s.clamp(from_s, until_s) - from_s;
        let spans = self.spans.iter().map(|&(from_s, until_s)| (clip(from_s), clip(until_s)));
        Hours::joined(spans.collect(), until_s - from_s)
    }

    /// Those of some days, laid upon each other.
    fn of_days(&self, days: impl Iterator<Item = u32>) -> Hours {
        let of_day = |day| self.within(day * DAY_S, (day + 1) * DAY_S).spans;
        Hours::joined(days.flat_map(of_day).collect(), DAY_S)
    }

    /// Those of holidays, by time of day.
    fn on_holidays(&self) -> Hours {
        self.of_days((7..DAY_COUNT).filter(|&day| kinds(day).1 == HOLIDAY))
    }

    /// Those of weekdays after a holiday that such weekdays do not have else, by time of day.
    fn after_holidays(&self) -> Hours {
        let after = (8..DAY_COUNT - 1).filter(|&day| kinds(day).1 != HOLIDAY);
        let added = after.flat_map(|day| {
            let usual = self.of_days(std::iter::once(kinds(day).1));
            let closed = self.of_days(std::iter::once(day)).rest();
            // What is open then and not else is what is neither closed then nor open else.
            Hours::joined([closed.spans, usual.spans].concat(), DAY_S).rest().spans
        });
        Hours::joined(added.collect(), DAY_S)
    }

    /// Its spans, one that is open at the week's end and at its beginning as one that ends in the next week.
    fn around(&self) -> Vec<(u32, u32)> {
        let mut spans = self.spans.clone();
        if let (Some(&(0, until_s)), Some(&(from_s, WEEK_S))) = (spans.first(), spans.last())
            && spans.len() > 1
        {
            spans.pop();
            spans.remove(0);
            spans.push((from_s, WEEK_S + until_s));
        }
        spans
    }

    /// `every day from 06:00 to 20:00`, `on weekdays all day and from Saturday 12:00 to Monday 06:00`.
    pub(crate) fn words(&self) -> String {
        if self.is_always() {
            return "at all hours".to_owned();
        }
        let week = self.within(0, WEEK_S);
        let mut parts: Vec<String> = Vec::new();
        if week.is_always() {
            parts.push("on all days but holidays".to_owned());
        } else if !week.is_never() {
            parts.push(week.week_words());
        }
        if self.end_s > WEEK_S {
            let of_day = |days: &str, hours: &Hours| match hours.day_words() {
                words if words.is_empty() => None,
                words => Some(format!("{days} {words}")),
            };
            parts.extend(of_day("on holidays", &self.on_holidays()));
            parts.extend(of_day("on the day after a holiday", &self.after_holidays()));
        }
        parts.join(", and ")
    }

    /// Those of a day: `all day`, `from 00:00 to 06:00 and from 22:00 to 24:00`.
    fn day_words(&self) -> String {
        if self.is_always() {
            return "all day".to_owned();
        }
        let words = self.spans.iter().map(|&(from_s, until_s)| {
            format!("from {} to {}", clock_text(from_s), clock_text(until_s))
        });
        words.collect::<Vec<String>>().join(" and ")
    }

    /// Those of a week.
    fn week_words(&self) -> String {
        let spans = self.around();
        // By time of day and length, those that begin first in the week before the others.
        let mut alike: BTreeMap<(u32, u32), u8> = BTreeMap::new();
        let mut order: Vec<(u32, u32)> = Vec::new();
        for (mut from_s, until_s) in spans {
            // Whole days are told as days.
            while from_s.is_multiple_of(DAY_S) && until_s - from_s > DAY_S {
                note(&mut alike, &mut order, from_s, DAY_S);
                from_s += DAY_S;
            }
            note(&mut alike, &mut order, from_s, until_s - from_s);
        }
        let words: Vec<String> = order
            .iter()
            .filter_map(|&(from_s, length_s)| {
                let weekdays = *alike.get(&(from_s, length_s))?;
                Some(span_words(weekdays, from_s, length_s))
            })
            .collect();
        words.join(", and ")
    }
}

fn note(
    alike: &mut BTreeMap<(u32, u32), u8>,
    order: &mut Vec<(u32, u32)>,
    from_s: u32,
    length_s: u32,
) {
    let key = (from_s % DAY_S, length_s);
    if !alike.contains_key(&key) {
        order.push(key);
    }
    *alike.entry(key).or_default() |= 1 << (from_s / DAY_S % 7);
}

/// A window in words, as it was written. Only where there are holidays do they differ from weekdays.
pub(crate) fn window_words(window: &Window, has_holidays: bool) -> String {
    let weekdays = window.weekdays & EVERY_DAY;
    let days = match (has_holidays, window.weekdays & Window::HOLIDAYS != 0, weekdays) {
        (_, true, 0) => "on holidays".to_owned(),
        (false, ..) | (true, true, EVERY_DAY) => day_words(weekdays),
        (true, true, _) => format!("{} and on holidays", day_words(weekdays)),
        (true, false, EVERY_DAY) => "every day that is no holiday".to_owned(),
        (true, false, _) => format!("{} that are no holidays", day_words(weekdays)),
    };
    clock_words(&days, window.from_s, length_s(window))
}

/// How long a window is open; one that does not end after it begins ends on the next day.
pub(crate) fn length_s(window: &Window) -> u32 {
    let (from_s, until_s) = (window.from_s.min(DAY_S), window.until_s.min(DAY_S));
    if from_s < until_s { until_s - from_s } else { until_s + DAY_S - from_s }
}

/// The days of a set, Monday is 0.
fn days_of(weekdays: u8) -> impl Iterator<Item = u32> {
    (0..7).filter(move |day| (weekdays >> day) & 1 == 1)
}

fn span_words(weekdays: u8, from_s: u32, length_s: u32) -> String {
    let days = day_words(weekdays);
    let until_s = from_s + length_s;
    if length_s > DAY_S {
        let name = |day: u32| {
            let place = usize::try_from(day % 7).unwrap_or_default();
            DAY_NAMES.get(place).copied().unwrap_or_default()
        };
        let spans = days_of(weekdays).map(|day| {
            let (from, until) = (clock_text(from_s), clock_text(until_s % DAY_S));
            format!("from {} {from} to {} {until}", name(day), name(day + until_s / DAY_S))
        });
        return spans.collect::<Vec<String>>().join(", and ");
    }
    clock_words(&days, from_s, length_s)
}

/// The hours of windows that begin on these days, each of at most a day.
fn clock_words(days: &str, from_s: u32, length_s: u32) -> String {
    let until_s = from_s + length_s;
    match (from_s, until_s) {
        (0, DAY_S) => format!("{days} all day"),
        (from_s, until_s) if until_s <= DAY_S => {
            format!("{days} from {} to {}", clock_text(from_s), clock_text(until_s))
        }
        (from_s, until_s) => {
            let (from, until) = (clock_text(from_s), clock_text(until_s - DAY_S));
            let next = if days == "every day" { "" } else { " the next day" };
            format!("{days} from {from} to {until}{next}")
        }
    }
}

fn day_words(weekdays: u8) -> String {
    match weekdays {
        EVERY_DAY => "every day".to_owned(),
        WEEKDAYS => "on weekdays".to_owned(),
        WEEKEND => "at weekends".to_owned(),
        days => {
            let days_named = DAY_NAMES.iter().enumerate();
            let days_named = days_named.filter(|(day, _)| (days >> day) & 1 == 1);
            let names: Vec<String> = days_named.map(|(_, name)| format!("{name}s")).collect();
            match names.split_last() {
                Some((last, [])) => format!("on {last}"),
                Some((last, first)) => format!("on {} and {last}", first.join(", ")),
                None => "on no day".to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &str, from: u32, until: u32) -> Window {
        let marks = days.chars().enumerate().filter(|(_, mark)| *mark == 'x');
        let weekdays = marks.map(|(bit, _)| 1 << bit).sum();
        Window { weekdays, from_s: from * 3_600, until_s: until * 3_600 }
    }

    #[test]
    fn hours_are_told_as_people_say_them() {
        let check_at = |has_holidays: bool, windows: &[Window], expected: &str, rest: &str| {
            let hours = Hours::of(windows, has_holidays);
            assert_eq!(hours.words(), expected);
            let others = hours.rest();
            let told = if others.is_never() { "none".to_owned() } else { others.words() };
            assert_eq!(told, rest);
        };
        let check = |windows: &[Window], expected: &str, rest: &str| {
            check_at(false, windows, expected, rest);
        };
        check(&[], "at all hours", "none");
        check(&[window("xxxxxxx", 0, 24)], "at all hours", "none");
        check(&[window("xxxxxxx", 5, 5)], "at all hours", "none");
        check(
            &[window("xxxxxxx", 20, 6)],
            "every day from 20:00 to 06:00",
            "every day from 06:00 to 20:00",
        );
        check(
            &[window("xxxxx..", 8, 18)],
            "on weekdays from 08:00 to 18:00",
            "on Mondays, Tuesdays, Wednesdays and Thursdays from 18:00 to 08:00 the next day, and \
             from Friday 18:00 to Monday 08:00",
        );
        check(&[window(".....xx", 0, 24)], "at weekends all day", "on weekdays all day");
        check(
            &[window("......x", 22, 6)],
            "on Sundays from 22:00 to 06:00 the next day",
            "from Monday 06:00 to Sunday 22:00",
        );
        check_at(true, &[], "at all hours", "none");
        check_at(true, &[window("xxxxxxxx", 0, 24)], "at all hours", "none");
        check_at(
            true,
            &[window("xxxxxxx.", 0, 24)],
            "on all days but holidays",
            "on holidays all day",
        );
        check_at(
            true,
            &[window(".......x", 0, 24)],
            "on holidays all day",
            "on all days but holidays",
        );
        check_at(
            true,
            &[window("xxxxxxxx", 20, 6)],
            "every day from 20:00 to 06:00, and on holidays from 00:00 to 06:00 and from 20:00 to 24:00",
            "every day from 06:00 to 20:00, and on holidays from 06:00 to 20:00",
        );
        // The morning after a holiday has no night behind it.
        check_at(
            true,
            &[window("xxxxxxx.", 20, 6)],
            "every day from 20:00 to 06:00, and on holidays from 00:00 to 06:00",
            "every day from 06:00 to 20:00, and on holidays all day, and on the day after a holiday \
             from 00:00 to 06:00",
        );
    }

    #[test]
    fn windows_are_told_with_what_they_do_on_holidays() {
        let check = |days, has_holidays, expected: &str| {
            assert_eq!(window_words(&window(days, 9, 17), has_holidays), expected, "{days}");
        };
        check("x.x.....", false, "on Mondays and Wednesdays from 09:00 to 17:00");
        check(
            "x.x.....",
            true,
            "on Mondays and Wednesdays that are no holidays from 09:00 to 17:00",
        );
        check("xxxxx..x", true, "on weekdays and on holidays from 09:00 to 17:00");
        check("xxxxxxxx", true, "every day from 09:00 to 17:00");
        check("xxxxxxx.", true, "every day that is no holiday from 09:00 to 17:00");
        check("xxxxxxx.", false, "every day from 09:00 to 17:00");
        check(".......x", true, "on holidays from 09:00 to 17:00");
    }

    /// By the words of the windows.
    fn is_open_plainly(windows: &[Window], (before, this): DayKinds, second: u32) -> bool {
        let has = |window: &Window, kind: u32| (window.weekdays >> kind) & 1 == 1;
        windows.is_empty()
            || windows.iter().any(|window| {
                if window.from_s < window.until_s {
                    has(window, this) && (window.from_s..window.until_s).contains(&second)
                } else {
                    (has(window, this) && second >= window.from_s)
                        || (has(window, before) && second < window.until_s)
                }
            })
    }

    /// Every half hour of every kind of day, by what the day before was.
    fn half_hours(has_holidays: bool) -> Vec<(DayKinds, u32)> {
        let mut days: Vec<DayKinds> = (0..7).map(|day| ((day + 6) % 7, day)).collect();
        if has_holidays {
            days.extend((0..7).flat_map(|day| [(day, HOLIDAY), (HOLIDAY, day)]));
            days.push((HOLIDAY, HOLIDAY));
        }
        days.iter().flat_map(|&day| (0..48).map(move |half| (day, half * 1_800))).collect()
    }

    /// Oracle: look at every half hour.
    #[test]
    fn sets_of_hours_compare_as_their_minutes_do() {
        let lists = [
            vec![],
            vec![window("xxxxxxx", 20, 6)],
            vec![window("xxxxxxxx", 20, 6)],
            vec![window("xxxxx..", 20, 6)],
            vec![window("......x", 22, 6)],
            vec![window("xxxxx..", 8, 12), window("xxxxx..", 12, 18)],
            vec![window("x.x.x.x", 9, 10), window(".x...x.", 1, 3)],
            vec![window("xxxxxxx", 0, 24)],
            vec![window("xxxxxxxx", 0, 24)],
            vec![window(".......x", 0, 24)],
            vec![window(".......x", 22, 6)],
            vec![window("xxxxx...", 20, 6), window(".....xxx", 0, 24)],
            vec![window(".......", 1, 2)],
        ];
        for (has_holidays, a) in
            [false, true].iter().flat_map(|has| lists.iter().map(move |a| (*has, a)))
        {
            let moments = half_hours(has_holidays);
            let open = |windows: &[Window]| -> Vec<bool> {
                moments.iter().map(|&(day, second)| is_open_plainly(windows, day, second)).collect()
            };
            let (ours, open_a) = (Hours::of(a, has_holidays), open(a));
            assert_eq!(ours.is_always(), open_a.iter().all(|is_open| *is_open), "{a:?}");
            assert_eq!(ours.is_never(), !open_a.iter().any(|is_open| *is_open), "{a:?}");
            for b in &lists {
                let (theirs, open_b) = (Hours::of(b, has_holidays), open(b));
                let mut pairs = open_a.iter().zip(&open_b);
                assert_eq!(ours.meet(&theirs), pairs.any(|(a, b)| *a && *b), "{a:?} {b:?}");
                let mut pairs = open_a.iter().zip(&open_b);
                assert_eq!(ours.cover(&theirs), pairs.all(|(a, b)| *a || !*b), "{a:?} {b:?}");
                let union = Hours::union([&ours, &theirs].into_iter());
                assert!(union.cover(&ours) && union.cover(&theirs));
                assert_eq!(union.rest().rest(), union);
            }
        }
    }
}
