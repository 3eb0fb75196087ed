//! Alarms that lock doors at which alarms are raised that lock doors, and so on back to the first.
//!
//! What locking a door can bring about: it does not follow; it is held, because the lock throws while it stands open; it is
//! forced, because somebody pushes. The first two take nobody, so a round of them alone goes on, or holds itself up, with
//! nobody there, and is an error. A round in which somebody must push is a warning: each turn is a person at a door.

use std::collections::{BTreeMap, VecDeque};

use ach_actors_model::{DoorMode, Name};

use super::super::{Check, Item};
use crate::catalogue::Catalogue;
use crate::finding::FindingKind;
use crate::text::Origin;
use crate::write::alarm_word;
use crate::{DoorPlan, RulePlan, What};

/// Steps that looking takes at most: a door of a rule, or a rule at a door. A second of work on a small machine.
const STEPS_MAX: usize = 2_000_000;

/// How an alarm of a rule can come of a door that locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// With nobody there.
    ByItself,
    /// When somebody pushes.
    ByAPerson,
}

/// A rule that locks doors, and can alarm because one is locked.
struct Link<'a> {
    number: usize,
    rule: &'a RulePlan,
    comes: Comes,
    /// The doors it locks.
    locks: Vec<u32>,
}

/// All of them.
struct Links<'a> {
    all: Vec<Link<'a>>,
    /// Who is raised at a door, by place in the list.
    at_door: BTreeMap<u32, Vec<usize>>,
    /// Doors that are unlocked at times, so that locking them changes something.
    opens: Vec<bool>,
    left: usize,
}

/// A step: whose alarms lock which door, at which the next one is raised.
type Step = (usize, u32);

pub(super) fn check(check: &Check<'_>, catalogue: &Catalogue<'_>) {
    let mut links = Links::of(check, catalogue);
    let mut is_told = vec![false; links.all.len()];
    for comes in [Comes::ByItself, Comes::ByAPerson] {
        for start in 0..links.all.len() {
            let is_start = links.all.get(start).is_some_and(|link| link.comes == comes);
            if !is_start || is_told.get(start).copied().unwrap_or(true) {
                continue;
            }
            let Some(round) = links.round_from(start, comes) else { continue };
            for &(at, _) in &round {
                if let Some(is_told) = is_told.get_mut(at) {
                    *is_told = true;
                }
            }
            links.tell(&round, comes, check, catalogue);
        }
    }
    if links.left == 0 {
        let problem = "so many rules lock doors at which others are raised that not every round of them \
                       was looked for";
        let origin = Origin::new(&"rules.toml".into(), None, "");
        let remedy = "let fewer rules about doors name responses";
        check.report.warning(FindingKind::RulesNotCompared, &origin, problem, remedy);
    }
}

/// How an alarm of such a rule can come of a door that locks, if it can.
fn comes_of_locking(what: What) -> Option<Comes> {
    match what {
        What::DoorNotFollowing { .. } | What::DoorHeld { also_unlocked: false, .. } => {
            Some(Comes::ByItself)
        }
        What::DoorForced => Some(Comes::ByAPerson),
        _ => None,
    }
}

impl<'a> Links<'a> {
    fn of(check: &Check<'a>, catalogue: &Catalogue<'_>) -> Links<'a> {
        let directory = check.directory;
        let mut links = Vec::new();
        let mut at_door: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (number, rule) in directory.rules.iter().enumerate() {
            let Some(comes) = comes_of_locking(rule.what) else { continue };
            let plans = rule.responses.iter();
            let plans = plans.filter_map(|id| directory.responses.iter().find(|it| it.id == *id));
            let mut locks: Vec<u32> = plans.flat_map(|plan| plan.moved_doors(catalogue)).collect();
            if locks.is_empty() {
                continue;
            }
            locks.sort_unstable();
            locks.dedup();
            for door in catalogue.doors_of(&rule.place) {
                at_door.entry(door).or_default().push(links.len());
            }
            links.push(Link { number, rule, comes, locks });
        }
        let doors = directory.floors.iter().flat_map(|floor| &floor.doors);
        let opens = |door: &DoorPlan| {
            let control = door.control.as_ref();
            let way = directory.controls.iter().find(|way| Some(&way.id) == control);
            way.is_some_and(|way| way.rests == DoorMode::Unlocked || !way.unlocked_when.is_empty())
        };
        Links { all: links, at_door, opens: doors.map(opens).collect(), left: STEPS_MAX }
    }

    /// Whether locking a door can raise an alarm of a link. Held or forced is a door that is locked when it would not
    /// be; one that is always locked does not become so. It may not follow in any case.
    fn is_raised(&self, link: &Link<'_>, door: u32) -> bool {
        let opens = usize::try_from(door).ok().and_then(|door| self.opens.get(door));
        matches!(link.rule.what, What::DoorNotFollowing { .. }) || opens == Some(&true)
    }

    /// The shortest way from a rule back to itself, through rules of which none needs more than `most`.
    fn round_from(&mut self, start: usize, most: Comes) -> Option<Vec<Step>> {
        let mut came_by: BTreeMap<usize, Step> = BTreeMap::new();
        let mut next = VecDeque::from([start]);
        let mut seen_doors = vec![false; self.opens.len()];
        while let Some(at) = next.pop_front() {
            let locks = self.all.get(at).map(|link| link.locks.clone()).unwrap_or_default();
            for door in locks {
                self.left = self.left.checked_sub(1)?;
                let seen = usize::try_from(door).ok().and_then(|door| seen_doors.get_mut(door));
                let Some(seen) = seen.filter(|seen| !**seen) else { continue };
                *seen = true;
                for &to in self.at_door.get(&door).into_iter().flatten() {
                    self.left = self.left.checked_sub(1)?;
                    let Some(link) = self.all.get(to) else { continue };
                    let is_fit = link.comes == Comes::ByItself || most == Comes::ByAPerson;
                    if !is_fit || !self.is_raised(link, door) || came_by.contains_key(&to) {
                        continue;
                    }
                    came_by.insert(to, (at, door));
                    if to == start {
                        return Some(way_back(&came_by, start));
                    }
                    next.push_back(to);
                }
            }
        }
        None
    }

    fn tell(&self, round: &[Step], comes: Comes, check: &Check<'_>, catalogue: &Catalogue<'_>) {
        let link = |place: usize| round.get(place).and_then(|&(at, _)| self.all.get(at));
        let Some(first) = link(0) else { return };
        let mut steps = Vec::new();
        for (place, &(_, door)) in round.iter().enumerate() {
            let (Some(from), Some(door)) = (link(place), catalogue.door(door)) else { return };
            let to = link(place + 1).unwrap_or(first);
            let alarm = alarm_word(to.rule.alarm);
            steps.push(format!(
                "`{}` locks door `{}`, at which `{}` raises `{alarm}`",
                from.rule.id, door.id, to.rule.id
            ));
        }
        let steps = steps.join("; ");
        let origin = check.origin(Item::Rule(first.number));
        let ids: Vec<&Name> =
            round.iter().filter_map(|&(at, _)| Some(&self.all.get(at)?.rule.id)).collect();
        let of = ids.iter().map(|id| format!("`{id}`")).collect::<Vec<String>>().join(", ");
        let remedy = format!("take one of these doors out of the responses of {of}");
        match comes {
            Comes::ByItself => {
                let problem = format!("its alarms come back to it with nobody there: {steps}");
                check.report.error(FindingKind::ResponseCycle, &origin, &problem, &remedy);
            }
            Comes::ByAPerson => {
                let problem = format!(
                    "its alarms come back to it as soon as somebody pushes at a door: {steps}"
                );
                check.report.warning(FindingKind::ResponseCycle, &origin, &problem, &remedy);
            }
        }
    }
}

/// The steps from a rule to itself, in order.
fn way_back(came_by: &BTreeMap<usize, Step>, start: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = start;
    while let Some(&step) = came_by.get(&at) {
        steps.push(step);
        at = step.0;
        if at == start {
            break;
        }
    }
    steps.reverse();
    steps
}
