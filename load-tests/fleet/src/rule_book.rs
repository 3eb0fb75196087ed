//! The site's rules as the simulator reads them: whom they are about, when they hold.
//!
//! Written apart from the compiler of the shard, so that both can be held against each other.

use ach_actors_model::{Condition, NS_PER_S, RuleConfig, SiteConfig, Timestamp, Window};

use crate::plane::{TruePlace, depth_mm};

/// Seconds in a day.
const DAY_S: i64 = 86_400;
/// 1970-01-01 was a Thursday; Monday is day 0.
const EPOCH_WEEKDAY: i64 = 3;

/// Whether the rule is about the subject of that index.
pub(crate) fn is_about(rule: &RuleConfig, config: &SiteConfig, subject: u32) -> bool {
    let Some(who) = usize::try_from(subject).ok().and_then(|index| config.subjects.get(index))
    else {
        return false;
    };
    let rule = &rule.who;
    (rule.classes.is_empty() || rule.classes.contains(&who.class))
        && (rule.labels_any.is_empty()
            || rule.labels_any.iter().any(|label| who.labels.contains(label)))
        && !rule.labels_none.iter().any(|label| who.labels.contains(label))
        && (rule.subjects.is_empty() || rule.subjects.contains(&subject))
}

/// Whether the rule holds at that moment, by the site's local time.
pub(crate) fn is_in_force(rule: &RuleConfig, config: &SiteConfig, at: Timestamp) -> bool {
    if rule.when.is_empty() {
        return true;
    }
    let offset_s = config
        .utc_offsets
        .iter()
        .take_while(|offset| offset.from <= at)
        .last()
        .map_or(0, |offset| i64::from(offset.offset_s));
    let local_s = i64::try_from(at.0 / NS_PER_S).unwrap_or(i64::MAX).saturating_add(offset_s);
    rule.when.iter().any(|window| holds(window, &config.holidays, local_s))
}

fn holds(window: &Window, holidays: &[u32], local_s: i64) -> bool {
    let (day, second) = (local_s.div_euclid(DAY_S), local_s.rem_euclid(DAY_S));
    let (from_s, until_s) = (i64::from(window.from_s), i64::from(window.until_s));
    let begins_on = |day: i64| {
        if holidays.iter().any(|&holiday| i64::from(holiday) == day) {
            return window.weekdays & Window::HOLIDAYS != 0;
        }
        window.weekdays >> (day + EPOCH_WEEKDAY).rem_euclid(7) & 1 == 1
    };
    if from_s < until_s {
        begins_on(day) && (from_s..until_s).contains(&second)
    } else {
        begins_on(day) && second >= from_s || begins_on(day - 1) && second < until_s
    }
}

/// Indexes of zones a rule forbids to be in, must not be left, or limits the stay or number in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Zones the subject may not be in: forbidden ones, and protected ones it is not in at first.
    pub keep_out: Vec<u32>,
    /// Zones the subject must stay in.
    pub keep_in: Vec<u32>,
    /// Lines the subject may not cross.
    pub lines: Vec<u32>,
    /// Zones the subject may pass but not linger in.
    pub no_pause: Vec<u32>,
}

impl Bounds {
    /// What the subject must keep to, windows of time left aside, if it starts at `home`.
    pub fn of(config: &SiteConfig, subject: u32, home: &TruePlace) -> Bounds {
        let mut bounds = Bounds::default();
        for rule in config.rules.iter().filter(|rule| is_about(rule, config, subject)) {
            match &rule.condition {
                Condition::Inside { zones } => bounds.keep_out.extend(zones),
                Condition::Stays { zones, .. } => bounds.no_pause.extend(zones),
                Condition::Leaves { zones, lines } => {
                    bounds.lines.extend(lines);
                    for &zone in zones {
                        if is_in(config, zone, home) {
                            bounds.keep_in.push(zone);
                        } else {
                            bounds.keep_out.push(zone);
                        }
                    }
                }
                _ => {}
            }
        }
        for list in
            [&mut bounds.keep_out, &mut bounds.keep_in, &mut bounds.lines, &mut bounds.no_pause]
        {
            list.sort_unstable();
            list.dedup();
        }
        bounds
    }
}

fn is_in(config: &SiteConfig, zone: u32, place: &TruePlace) -> bool {
    let zone = usize::try_from(zone).ok().and_then(|zone| config.zones.get(zone));
    zone.is_some_and(|zone| depth_mm(zone, place) > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday 1970-01-01.
    #[track_caller]
    fn check(weekdays: u8, from_h: u32, until_h: u32, local_h: i64, expected: bool) {
        let window = Window { weekdays, from_s: from_h * 3_600, until_s: until_h * 3_600 };
        assert_eq!(holds(&window, &[], local_h * 3_600), expected, "hour {local_h}");
    }

    #[test]
    fn a_window_is_of_its_weekday_and_may_run_past_midnight() {
        let thursday = 0b000_1000;
        check(thursday, 8, 16, 8, true);
        check(thursday, 8, 16, 16, false);
        check(thursday, 8, 16, 24 + 9, false);
        check(thursday, 22, 6, 23, true);
        check(thursday, 22, 6, 24 + 5, true);
        check(thursday, 22, 6, 5, false);
        check(thursday, 22, 6, 24 + 6, false);
        check(0b111_1111, 0, 24, -1, true);
    }

    #[test]
    fn a_holiday_is_no_weekday() {
        let window = |weekdays| Window { weekdays, from_s: 22 * 3_600, until_s: 6 * 3_600 };
        for (weekdays, held) in [(0b111_1111, false), (Window::HOLIDAYS, true)] {
            assert_eq!(holds(&window(weekdays), &[0], 23 * 3_600), held);
            assert_eq!(holds(&window(weekdays), &[0], 29 * 3_600), held);
            assert_eq!(holds(&window(weekdays), &[1], 29 * 3_600), !held);
        }
    }
}
