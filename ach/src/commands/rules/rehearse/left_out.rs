//! Alarms about doors that are told what to do by alarms: left out of what two rule files are compared by.
//!
//! What was recorded of such a door is what it did by the rules there were. Under others it is told something else, and so
//! would be found not to follow, or to follow, by nobody's doing.

use std::collections::BTreeSet;

use ach_actors_model::{AlarmKind, DoorRef, Name, Place, SiteConfig};
use ach_engine_rehearsal::Rehearsed;
use ach_engine_review::Episode;

/// Doors that some response locks, where rules differ.
#[derive(Debug, Default)]
pub(super) struct LockedDoors(BTreeSet<Name>);

/// How many alarms were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) was: usize,
    pub(super) would: usize,
}

impl LockedDoors {
    /// Notes the doors of a site that has other rules in the rehearsal than in force.
    pub(super) fn note(&mut self, in_force: &SiteConfig, rehearsed: &SiteConfig) {
        if in_force.rules == rehearsed.rules {
            return;
        }
        let responses = in_force.rules.iter().flat_map(|rule| &rule.answer.responses);
        let doors = responses.flat_map(|response| &response.doors);
        let doors = doors.filter_map(|&door| in_force.doors.get(usize::try_from(door).ok()?));
        self.0.extend(doors.map(|door| door.id.clone()));
    }

    /// Leaves out what is told of orders to them.
    pub(super) fn leave_out(&self, rehearsed: &mut Rehearsed) -> LeftOut {
        let Some(site) = rehearsed.site.clone() else { return LeftOut { was: 0, would: 0 } };
        let doors: BTreeSet<DoorRef> =
            self.0.iter().filter_map(|id| site.door(id.as_str())).collect();
        let leave_out = |episodes: &mut Vec<Episode>| {
            let before = episodes.len();
            episodes.retain(|episode| !is_of_orders(episode, &doors));
            before - episodes.len()
        };
        let was = leave_out(&mut rehearsed.was);
        LeftOut { was, would: leave_out(&mut rehearsed.would) }
    }
}

impl LeftOut {
    /// A sentence, if there is anything to say.
    pub(super) fn words(self) -> Option<String> {
        let LeftOut { was, would } = self;
        (was + would > 0).then(|| {
            format!(
                "Left out: alarms about doors that did not follow, {was} that were raised and {would} that would have been. \
                 Alarms lock these doors, and what was recorded of them is what they did by the rules in force."
            )
        })
    }
}

fn is_of_orders(episode: &Episode, doors: &BTreeSet<DoorRef>) -> bool {
    let Place::Door(door) = episode.place else { return false };
    episode.kind == AlarmKind::DoorNotFollowing && doors.contains(&door)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ach_actors_entities::Site;
    use ach_actors_model::{AlarmId, AlarmPriority, Timestamp};
    use ach_engine_review::Fate;
    use ach_engine_site::sample_hospital;

    use super::*;

    fn episode(kind: AlarmKind, place: Place) -> Episode {
        Episode {
            id: AlarmId(1),
            rule: None,
            kind,
            priority: AlarmPriority::Low,
            subject: None,
            tag: None,
            place,
            raised_at: Timestamp(1),
            was_tentative: false,
            was_quiet: false,
            was_drill: false,
            upheld_at: None,
            fate: Fate::Open,
            acknowledged_at: None,
            acknowledged_by: None,
            closed_at: None,
            closed_by: None,
            cause: None,
            escalated_count: 0,
            over_at: None,
            incident: None,
        }
    }

    /// Of other rules alone, of doors that an alarm locks alone, and of nothing else about them.
    #[test]
    fn alarms_about_orders_to_doors_that_alarms_lock_are_left_out_under_other_rules() {
        let config = sample_hospital().directory.config(1).unwrap();
        let site = Arc::new(Site::compile(None, &config).unwrap());
        let locks = |rule: &&ach_actors_model::RuleConfig| {
            rule.answer.responses.iter().any(|response| !response.doors.is_empty())
        };
        let rule = config.rules.iter().find(locks).unwrap();
        let doors: Vec<u32> =
            rule.answer.responses.iter().flat_map(|response| response.doors.clone()).collect();
        let door = |at: u32| {
            let id = config.doors[usize::try_from(at).unwrap()].id.as_str();
            Place::Door(site.door(id).unwrap())
        };
        let every = config.rules.iter().flat_map(|rule| &rule.answer.responses);
        let every: BTreeSet<u32> = every.flat_map(|response| response.doors.clone()).collect();
        let free = (0..=u32::MAX).find(|at| !every.contains(at)).unwrap();
        let run = || {
            let not_following = AlarmKind::DoorNotFollowing;
            vec![
                episode(not_following, door(doors[0])),
                episode(not_following, door(free)),
                episode(AlarmKind::DoorHeld, door(doors[0])),
            ]
        };
        let rehearsed = || {
            let mut rehearsed = Rehearsed {
                was: run(),
                would: run(),
                site: Some(Arc::clone(&site)),
                entry_count: 0,
                ping_count: 0,
            };
            rehearsed.would.truncate(1);
            rehearsed
        };
        let mut other = config.clone();
        other.rules.pop();
        let check = |new: &SiteConfig, (was, would): (usize, usize)| {
            let (mut locked, mut rehearsed) = (LockedDoors::default(), rehearsed());
            locked.note(&config, new);
            assert_eq!(locked.leave_out(&mut rehearsed), LeftOut { was, would });
            assert_eq!((rehearsed.was.len(), rehearsed.would.len()), (3 - was, 1 - would));
        };
        check(&config, (0, 0));
        check(&other, (1, 1));
        let words = LeftOut { was: 1, would: 0 }.words().unwrap();
        assert!(words.contains("1 that were raised and 0 that would have been"), "{words}");
        assert_eq!(LeftOut { was: 0, would: 0 }.words(), None);
    }
}
