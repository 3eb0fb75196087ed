//! What doors, buttons and bands really did, held against the rules.

use std::collections::BTreeMap;

use ach_actors_model::{Condition, ReportKind, RuleConfig, SiteConfig, Timestamp};

use crate::rule_book::{is_about, is_in_force};
use crate::truth::{Breach, TrueWhere};

/// Whether a condition is broken by what happened to the thing of that index.
type IsBroken = fn(&Condition, u32) -> bool;

/// Grants in force and breaches still open.
#[derive(Debug, Default)]
pub(crate) struct DoorTruth {
    granted_until_ns: BTreeMap<u32, u64>,
    open: BTreeMap<TrueWhere, Vec<usize>>,
}

impl DoorTruth {
    /// Writes down the breaches that a report opens or ends; returns how many found no room.
    pub(crate) fn report(
        &mut self,
        config: &SiteConfig,
        at: Timestamp,
        now_ns: u64,
        kind: &ReportKind,
        breaches: &mut Vec<Breach>,
        room: usize,
    ) -> u64 {
        let (place, opens): (TrueWhere, Option<IsBroken>) = match *kind {
            ReportKind::AccessGranted { door, valid_ms, .. }
            | ReportKind::ExitRequested { door, valid_ms } => {
                let until_ns = now_ns + u64::from(valid_ms) * 1_000_000;
                let kept = self.granted_until_ns.entry(door.0).or_default();
                *kept = until_ns.max(*kept);
                return 0;
            }
            ReportKind::DoorOpened { door } => {
                let granted =
                    self.granted_until_ns.get(&door.0).is_some_and(|&until| now_ns <= until);
                if granted {
                    return 0;
                }
                (TrueWhere::Door(door.0), Some(forces))
            }
            ReportKind::DoorClosed { door } => (TrueWhere::Door(door.0), None),
            ReportKind::ButtonPressed { tag } => {
                (TrueWhere::Tag(tag.0), Some(|it, _| matches!(it, Condition::ButtonPressed)))
            }
            ReportKind::BandCut { tag } => {
                (TrueWhere::Tag(tag.0), Some(|it, _| matches!(it, Condition::BandCut)))
            }
            ReportKind::ButtonReset { tag } | ReportKind::BandWhole { tag } => {
                (TrueWhere::Tag(tag.0), None)
            }
            _ => return 0,
        };
        let Some(is_broken) = opens else {
            for index in self.open.remove(&place).unwrap_or_default() {
                if let Some(breach) = breaches.get_mut(index) {
                    breach.ended_ns = Some(now_ns);
                }
            }
            return 0;
        };
        let found = broken(config, at, place, is_broken);
        let lost = found.len().saturating_sub(room);
        for (rule, subject) in found.into_iter().take(room) {
            self.open.entry(place).or_default().push(breaches.len());
            breaches.push(Breach {
                rule,
                subject,
                place,
                began_ns: now_ns,
                ended_ns: None,
                clear_ns: u64::MAX,
                is_scripted: true,
            });
        }
        u64::try_from(lost).unwrap_or(u64::MAX)
    }
}

fn forces(condition: &Condition, door: u32) -> bool {
    matches!(condition, Condition::DoorForced { doors } if doors.contains(&door))
}

/// Rules that say so, with the subject for those about subjects.
fn broken(
    config: &SiteConfig,
    at: Timestamp,
    place: TrueWhere,
    is_broken: IsBroken,
) -> Vec<(u32, Option<u32>)> {
    let (index, subject) = match place {
        TrueWhere::Tag(tag) => {
            let on = usize::try_from(tag).ok().and_then(|tag| config.tags.get(tag));
            (tag, on.and_then(|tag| tag.subject))
        }
        TrueWhere::Zone(index) | TrueWhere::Line(index) | TrueWhere::Door(index) => (index, None),
    };
    let concerns = |rule: &RuleConfig| match place {
        TrueWhere::Tag(_) => subject.is_some_and(|subject| is_about(rule, config, subject)),
        _ => true,
    };
    (0..)
        .zip(&config.rules)
        .filter(|(_, rule)| is_broken(&rule.condition, index) && concerns(rule))
        .filter(|(_, rule)| is_in_force(rule, config, at))
        .map(|(rule, _)| (rule, subject))
        .collect()
}
