//! Simulated door controllers: they read badges, say what doors do, and do as they are told.

use std::collections::BTreeMap;

use ach_actors_model::{DoorMode, Name, SiteConfig, Timestamp};
use ach_clients_rust::{Report, ReportWord, WireDoorOrder};
use ach_load_tests_fleet::{lock_word, obeyed};

/// For how long a door may be opened on a grant or a request to exit.
const VALID_MS: u32 = 5_000;
/// Every door says that it works at least this often; ten minutes without are too long by the sample's rules.
const BEAT_NS: u64 = 240_000_000_000;

/// One door.
#[derive(Debug, Clone)]
struct Controller {
    source: u32,
    is_moved: bool,
    mode: DoorMode,
    /// A door that is stuck does nothing that it is told.
    is_stuck: bool,
    /// What it was told last.
    told: Option<WireDoorOrder>,
}

/// What a door's controller has to say, and by which feed.
pub(crate) type Saying = (u32, Report);

/// All wired doors and motion detectors of a site.
#[derive(Debug, Clone)]
pub(crate) struct Controllers {
    doors: BTreeMap<Name, Controller>,
    /// The feeds that tell what moves in zones.
    detectors: BTreeMap<Name, u32>,
    /// Which says next that it works.
    next: usize,
}

impl Controllers {
    /// Those of a site, each closed and as it rests.
    pub(crate) fn of(config: &SiteConfig) -> Controllers {
        let wired = config.zones.iter();
        let detectors = wired.filter_map(|zone| Some((zone.id.clone(), zone.motion_source?)));
        let controllers = Controllers::new(config.doors.iter().filter_map(|door| {
            let rests = door.control.as_ref().map(|control| control.rests);
            Some((door.id.clone(), door.source?, rests))
        }));
        Controllers { detectors: detectors.collect(), ..controllers }
    }

    /// What the detectors of a zone say that see something; nothing if it has none.
    pub(crate) fn see(&self, zone: &Name, now: Timestamp) -> Option<Saying> {
        let source = *self.detectors.get(zone)?;
        Some((source, Report::motion(zone.clone(), now)))
    }

    /// Of doors with their feed and, if they are moved, with what they rest in.
    fn new(doors: impl Iterator<Item = (Name, u32, Option<DoorMode>)>) -> Controllers {
        let doors = doors.map(|(id, source, rests)| {
            let mode = rests.unwrap_or(DoorMode::Unlocked);
            let is_moved = rests.is_some();
            (id, Controller { source, is_moved, mode, is_stuck: false, told: None })
        });
        Controllers { doors: doors.collect(), detectors: BTreeMap::new(), next: 0 }
    }

    /// What all say when they begin.
    pub(crate) fn begin(&self, now: Timestamp) -> Vec<Saying> {
        let mut sayings = Vec::new();
        for (id, door) in &self.doors {
            let report = |word| (door.source, Report::door(id.clone(), now, word));
            sayings.push(report(ReportWord::DoorClosed));
            if door.is_moved {
                sayings.push(report(lock_word(door.mode)));
            }
        }
        sayings
    }

    /// Some say that they work: so many that each does often enough, one at least.
    pub(crate) fn beat(&mut self, now: Timestamp, since_last_ns: u64) -> Vec<Saying> {
        let count = u64::try_from(self.doors.len()).unwrap_or(u64::MAX);
        let due = count.saturating_mul(since_last_ns).div_ceil(BEAT_NS).clamp(1, count.max(1));
        let due = usize::try_from(due).unwrap_or(1);
        let turn = self.doors.iter().cycle().skip(self.next).take(due.min(self.doors.len()));
        let word = ReportWord::DoorAlive;
        let sayings =
            turn.map(|(id, door)| (door.source, Report::door(id.clone(), now, word))).collect();
        self.next = (self.next + due).checked_rem(self.doors.len()).unwrap_or(0);
        sayings
    }

    /// Whether there is such a door.
    pub(crate) fn has(&self, door: &Name) -> bool {
        self.doors.contains_key(door)
    }

    /// Whether a reader lets a badge in.
    pub(crate) fn grants(&self, door: &Name, is_known: bool) -> bool {
        is_known && self.doors.get(door).is_some_and(|it| it.mode != DoorMode::Blocked)
    }

    /// Something that a door says.
    pub(crate) fn say(&self, door: &Name, now: Timestamp, word: ReportWord) -> Option<Saying> {
        let source = self.doors.get(door)?.source;
        Some((source, Report::door(door.clone(), now, word)))
    }

    /// From now on it does nothing that it is told.
    pub(crate) fn stick(&mut self, door: &Name) {
        if let Some(door) = self.doors.get_mut(door) {
            door.is_stuck = true;
        }
    }

    /// It works again: does what it was told last, and says so.
    pub(crate) fn free(&mut self, door: &Name, now: Timestamp) -> Vec<Saying> {
        let Some(controller) = self.doors.get_mut(door) else { return Vec::new() };
        controller.is_stuck = false;
        let told = controller.told.clone();
        told.map_or_else(Vec::new, |order| self.obey(&order, now))
    }

    /// Does what it was told, and says so; a door that is stuck says nothing.
    pub(crate) fn obey(&mut self, order: &WireDoorOrder, now: Timestamp) -> Vec<Saying> {
        let Some(door) = self.doors.get_mut(&order.door) else { return Vec::new() };
        door.told = Some(order.clone());
        if door.is_stuck {
            return Vec::new();
        }
        door.mode = order.mode;
        obeyed(order, now).map(|report| (door.source, report)).to_vec()
    }
}

/// What lets a door be opened: access that was granted, or leave to go out that was asked for.
pub(crate) fn leave_word(is_granted: bool) -> ReportWord {
    if is_granted {
        ReportWord::AccessGranted { valid_ms: VALID_MS }
    } else {
        ReportWord::ExitRequested { valid_ms: VALID_MS }
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::DoorSlot;

    use super::*;

    fn order(door: &str, number: u64, mode: DoorMode) -> WireDoorOrder {
        WireDoorOrder {
            door: Name::new(door).unwrap(),
            number,
            mode,
            slot: Some(DoorSlot::Lockdown),
            given_at: Timestamp(0),
            until: None,
            is_drill: false,
            fencing_epoch: 1,
        }
    }

    fn ward(door_count: u32) -> Controllers {
        let door = |number| Name::new(&format!("door-{number}")).unwrap();
        Controllers::new((0..door_count).map(|it| (door(it), 0, Some(DoorMode::Locked))))
    }

    fn words(sayings: Vec<Saying>) -> Vec<ReportWord> {
        sayings.into_iter().map(|(_, report)| report.word).collect()
    }

    #[test]
    fn a_blocked_door_turns_every_badge_away_and_one_that_sticks_does_nothing_until_it_works() {
        let mut controllers = ward(1);
        let (id, now) = (Name::new("door-0").unwrap(), Timestamp(1));
        assert!(controllers.grants(&id, true) && !controllers.grants(&id, false));
        let told = words(controllers.obey(&order("door-0", 5, DoorMode::Blocked), now));
        assert_eq!(told, [ReportWord::DoorLocked, ReportWord::OrderDone { number: 5 }]);
        assert!(!controllers.grants(&id, true));
        controllers.stick(&id);
        let told = words(controllers.obey(&order("door-0", 6, DoorMode::Unlocked), now));
        assert_eq!(told, []);
        assert!(!controllers.grants(&id, true), "it is still as it was");
        let told = words(controllers.free(&id, now));
        assert_eq!(told, [ReportWord::DoorUnlocked, ReportWord::OrderDone { number: 6 }]);
        assert!(controllers.grants(&id, true));
    }

    #[test]
    fn every_door_says_often_enough_that_it_works_however_far_apart_the_moments_are() {
        for step_s in [1, 15, 600] {
            let mut controllers = ward(43);
            let mut heard = std::collections::BTreeSet::new();
            for _ in 0..240_u64.div_ceil(step_s) {
                for (_, report) in controllers.beat(Timestamp(0), step_s * 1_000_000_000) {
                    heard.insert(format!("{:?}", report.thing));
                }
            }
            assert_eq!(heard.len(), controllers.doors.len(), "every {step_s} s");
        }
    }
}
