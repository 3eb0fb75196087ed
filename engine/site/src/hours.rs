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

/// Seconds after Monday's midnight, as spans that ascend and do not touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hours {
    spans: Vec<(u32, u32)>,
}

impl Hours {
    /// Those of a rule; no window at all is always.
    pub(crate) fn of(windows: &[Window]) -> Hours {
        if windows.is_empty() {
            return Hours { spans: vec![(0, WEEK_S)] };
        }
        let mut spans = Vec::new();
        for window in windows {
            let until_s = window.from_s + length_s(window);
            for day_s in days_of(window.weekdays).map(|day| day * DAY_S) {
                let (from_s, until_s) = (day_s + window.from_s, day_s + until_s);
                spans.push((from_s.min(WEEK_S), until_s.min(WEEK_S)));
                if until_s > WEEK_S {
                    spans.push((from_s.saturating_sub(WEEK_S), until_s - WEEK_S));
                }
            }
        }
        Hours::joined(spans)
    }

    fn joined(mut spans: Vec<(u32, u32)>) -> Hours {
        spans.retain(|(from_s, until_s)| from_s < until_s);
        spans.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (from_s, until_s) in spans {
            match joined.last_mut() {
                Some((_, last_s)) if from_s <= *last_s => *last_s = until_s.max(*last_s),
                _ => joined.push((from_s, until_s)),
            }
        }
        Hours { spans: joined }
    }

    /// Those in any of them.
    pub(crate) fn union<'a>(all: impl Iterator<Item = &'a Hours>) -> Hours {
        Hours::joined(all.flat_map(|hours| hours.spans.iter().copied()).collect())
    }

    /// All others.
    pub(crate) fn rest(&self) -> Hours {
        let ends = std::iter::once(0).chain(self.spans.iter().map(|&(_, until_s)| until_s));
        let begins = self.spans.iter().map(|&(from_s, _)| from_s).chain([WEEK_S]);
        Hours::joined(ends.zip(begins).collect())
    }

    pub(crate) fn is_always(&self) -> bool {
        self.spans == [(0, WEEK_S)]
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

    /// Its spans, one that is open at the week's end and at its beginning as one that ends in the next week.
    pub(crate) fn around(&self) -> Vec<(u32, u32)> {
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

/// A window in words, as it was written.
pub(crate) fn window_words(window: &Window) -> String {
    span_words(window.weekdays & EVERY_DAY, window.from_s, length_s(window))
}

/// How long a window is open; one that does not end after it begins ends on the next day.
pub(crate) fn length_s(window: &Window) -> u32 {
    let (from_s, until_s) = (window.from_s.min(DAY_S), window.until_s.min(DAY_S));
    if from_s < until_s { until_s - from_s } else { until_s + DAY_S - from_s }
}

/// The days of a set, Monday is 0.
pub(crate) fn days_of(weekdays: u8) -> impl Iterator<Item = u32> {
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
    match (from_s, until_s) {
        (0, DAY_S) => format!("{days} all day"),
        (from_s, until_s) if until_s <= DAY_S => {
            format!("{days} from {} to {}", clock_text(from_s), clock_text(until_s))
        }
        (from_s, until_s) => {
            let (from, until) = (clock_text(from_s), clock_text(until_s - DAY_S));
            let next = if weekdays == EVERY_DAY { "" } else { " the next day" };
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
        let check = |windows: &[Window], expected: &str, rest: &str| {
            let hours = Hours::of(windows);
            assert_eq!(hours.words(), expected);
            let others = hours.rest();
            let told = if others.is_never() { "none".to_owned() } else { others.words() };
            assert_eq!(told, rest);
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
        assert_eq!(
            window_words(&window("x.x....", 9, 17)),
            "on Mondays and Wednesdays from 09:00 to 17:00"
        );
    }

    /// By the words of the windows, second by second would take long: minute by minute.
    fn is_open_plainly(windows: &[Window], minute: u32) -> bool {
        let (day, second) = (minute / 1_440, minute % 1_440 * 60);
        let has = |window: &Window, day: u32| (window.weekdays >> (day % 7)) & 1 == 1;
        windows.is_empty()
            || windows.iter().any(|window| {
                if window.from_s < window.until_s {
                    has(window, day) && (window.from_s..window.until_s).contains(&second)
                } else {
                    (has(window, day) && second >= window.from_s)
                        || (has(window, day + 6) && second < window.until_s)
                }
            })
    }

    /// Oracle: look at every minute of the week.
    #[test]
    fn sets_of_hours_compare_as_their_minutes_do() {
        let lists = [
            vec![],
            vec![window("xxxxxxx", 20, 6)],
            vec![window("xxxxx..", 20, 6)],
            vec![window("......x", 22, 6)],
            vec![window("xxxxx..", 8, 12), window("xxxxx..", 12, 18)],
            vec![window("x.x.x.x", 9, 10), window(".x...x.", 1, 3)],
            vec![window("xxxxxxx", 0, 24)],
            vec![window(".......", 1, 2)],
        ];
        for a in &lists {
            let open: Vec<bool> = (0..10_080).map(|minute| is_open_plainly(a, minute)).collect();
            assert_eq!(Hours::of(a).is_always(), open.iter().all(|is_open| *is_open), "{a:?}");
            assert_eq!(Hours::of(a).is_never(), !open.iter().any(|is_open| *is_open), "{a:?}");
            for b in &lists {
                let (ours, theirs) = (Hours::of(a), Hours::of(b));
                let theirs_plainly = |minute: &u32| is_open_plainly(b, *minute);
                let both =
                    (0..10_080).zip(&open).any(|(m, is_open)| *is_open && theirs_plainly(&m));
                let all =
                    (0..10_080).zip(&open).all(|(m, is_open)| *is_open || !theirs_plainly(&m));
                assert_eq!(ours.meet(&theirs), both, "{a:?} {b:?}");
                assert_eq!(ours.cover(&theirs), all, "{a:?} {b:?}");
                let union = Hours::union([&ours, &theirs].into_iter());
                assert!(union.cover(&ours) && union.cover(&theirs));
                assert_eq!(union.rest().rest(), union);
            }
        }
    }
}
