//! Holds alarms against the truth.
//!
//! *False*: no breach of that rule by that subject at that place held within [`NEAR_NS`] of the
//! moment the alarm counts from. *Missed*: a breach was beyond doubt for long enough for every gate
//! of its rule, and no alarm came of it. Between the two lies what noise and gates may decide
//! either way: a foot over the line, a breach of a second.

use std::collections::BTreeMap;

use ach_actors_model::{Condition, NS_PER_S, SiteConfig, SubjectClass, Timestamp};

use crate::truth::{Breach, TrueWhere, Truth};

/// An alarm may count from this long before its breach began (a noisy ping near the line) to this
/// long after it ended (a ping that was measured before and came late).
pub const NEAR_NS: u64 = 2 * NS_PER_S;
/// Two pings lost or astray, beside those the gates ask for.
const PINGS_ASTRAY: u64 = 3;

/// What an alarm is about, in the site's own ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardAlarm {
    /// The episode's id.
    pub id: u128,
    /// The rule; system alarms have none.
    pub rule: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The zone, line or door, if its place is one.
    pub place: Option<String>,
    /// The moment it counts from: when the opening input was measured or its deadline fell due.
    pub observed_at: Timestamp,
}

/// The judgement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Alarms without a breach, by index of the alarms judged.
    pub wrong: Vec<usize>,
    /// Breaches without an alarm, by index of the truth's breaches.
    pub missed: Vec<usize>,
    /// Alarms for a breach that had one already under another id.
    pub repeated: Vec<usize>,
    /// For each alarm its breach.
    pub breach_of: Vec<Option<usize>>,
}

/// Judges `alarms`, each episode once and in the order they were raised, against all that happened
/// until `until_ns` of the run.
pub fn judge(config: &SiteConfig, truth: &Truth, alarms: &[HeardAlarm], until_ns: u64) -> Verdict {
    let mut verdict = Verdict::default();
    let mut found: BTreeMap<usize, u128> = BTreeMap::new();
    for (number, alarm) in alarms.iter().enumerate() {
        let breach = nearest(config, truth, alarm);
        verdict.breach_of.push(breach);
        match breach {
            None if is_followed(config, alarm) => verdict.wrong.push(number),
            None => {}
            Some(breach) => match found.get(&breach) {
                Some(id) if *id != alarm.id => verdict.repeated.push(number),
                _ => {
                    found.insert(breach, alarm.id);
                }
            },
        }
    }
    for (number, breach) in truth.breaches().iter().enumerate() {
        if must_raise(config, breach, until_ns) && !found.contains_key(&number) {
            verdict.missed.push(number);
        }
    }
    verdict
}

/// Whether the truth follows what the alarm's rule watches. What is away or alone for half an hour and longer,
/// or beside somebody for a minute, is beyond the walks that are planned, and nobody plans who slips through a door
/// behind whom: such alarms are neither right nor wrong.
fn is_followed(config: &SiteConfig, alarm: &HeardAlarm) -> bool {
    let is_its = |id: &str| alarm.rule.as_deref() == Some(id);
    let rule = config.rules.iter().find(|rule| is_its(rule.id.as_str()));
    !rule.is_some_and(|rule| {
        let condition = &rule.condition;
        matches!(
            condition,
            Condition::Away { .. }
                | Condition::Alone { .. }
                | Condition::Meets { .. }
                | Condition::Tailgating { .. }
        )
    })
}

/// How long a breach must be beyond doubt before its silence is a failure.
pub(crate) fn patience_ns(config: &SiteConfig, breach: &Breach) -> u64 {
    let Some(rule) = of(&config.rules, breach.rule) else { return u64::MAX };
    let gates = rule.gates.or_else(|| zone_gates(config, breach)).unwrap_or_default();
    let pings = u64::from(gates.confirm.of) + PINGS_ASTRAY;
    let waits = if let Condition::Leaves { .. } = rule.condition { gates.exit_delay_ns } else { 0 };
    waits + pings * ping_period_ns(config, breach.subject)
}

fn must_raise(config: &SiteConfig, breach: &Breach, until_ns: u64) -> bool {
    if breach.began_ns + NEAR_NS > until_ns {
        return false;
    }
    match breach.place {
        TrueWhere::Door(_) | TrueWhere::Tag(_) => true,
        TrueWhere::Line(_) | TrueWhere::Zone(_) => breach.clear_ns >= patience_ns(config, breach),
    }
}

/// The breach an alarm speaks of: the latest that had begun, else the one about to begin.
fn nearest(config: &SiteConfig, truth: &Truth, alarm: &HeardAlarm) -> Option<usize> {
    let at_ns = alarm.observed_at.since_ns(truth.start_at());
    truth
        .breaches()
        .iter()
        .enumerate()
        .filter(|(_, breach)| is_same(config, breach, alarm))
        .filter(|(_, breach)| {
            breach.began_ns <= at_ns + NEAR_NS
                && breach.ended_ns.is_none_or(|ended_ns| at_ns <= ended_ns + NEAR_NS)
        })
        .max_by_key(|(_, breach)| (breach.began_ns <= at_ns, breach.began_ns))
        .map(|(number, _)| number)
}

fn is_same(config: &SiteConfig, breach: &Breach, alarm: &HeardAlarm) -> bool {
    let rule = of(&config.rules, breach.rule).map(|rule| rule.id.as_str());
    let subject = breach
        .subject
        .and_then(|subject| of(&config.subjects, subject))
        .map(|subject| subject.id.as_str());
    let place = match breach.place {
        TrueWhere::Zone(zone) => of(&config.zones, zone).map(|zone| zone.id.as_str()),
        TrueWhere::Line(line) => of(&config.lines, line).map(|line| line.id.as_str()),
        TrueWhere::Door(door) => of(&config.doors, door).map(|door| door.id.as_str()),
        TrueWhere::Tag(_) => None,
    };
    alarm.rule.as_deref() == rule
        && alarm.subject.as_deref() == subject
        && (alarm.place.is_none() || place.is_none() || alarm.place.as_deref() == place)
}

fn zone_gates(config: &SiteConfig, breach: &Breach) -> Option<ach_geo::Gates> {
    match breach.place {
        TrueWhere::Zone(zone) => of(&config.zones, zone).map(|zone| zone.gates),
        _ => None,
    }
}

/// The slowest rate of the subject's tags: people 1 Hz, things at rest every few seconds.
fn ping_period_ns(config: &SiteConfig, subject: Option<u32>) -> u64 {
    let class =
        subject.and_then(|subject| of(&config.subjects, subject)).map(|subject| subject.class);
    if class == Some(SubjectClass::Asset) {
        crate::options::STILL_PERIOD_NS
    } else {
        crate::options::PERIOD_NS
    }
}

fn of<T>(list: &[T], index: u32) -> Option<&T> {
    usize::try_from(index).ok().and_then(|index| list.get(index))
}

#[cfg(test)]
mod tests;
