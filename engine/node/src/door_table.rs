//! Doors as sessions know them: how they stand, what they are told to do, and what is declared.
//!
//! An order says how a door is to be, so the newest is all that counts. What a vendor has not been told yet
//! waits by door, not by order, and a vendor that connects is told everything anew.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_entities::Site;
use ach_actors_model::{
    DoorOrder, DoorRef, DoorScope, DoorStanding, Emergency, EmergencyKind, EntityRef, Practice,
    SourceRef,
};

use crate::recent::NoticeAt;

/// Orders written at a time: some 30 KiB, well within one write.
pub(crate) const ORDERS_AT_ONCE: usize = 256;

/// The doors of one feed that its vendor is still to be told of.
#[derive(Debug, Default)]
struct Pending {
    /// Which session may take them: the one that began last.
    turn: u64,
    /// Those that let people out first.
    doors: BTreeSet<(bool, DoorRef)>,
}

impl Pending {
    fn add(&mut self, standing: &DoorStanding) {
        let Some(order) = standing.order else { return };
        self.doors.remove(&(order.is_release(), standing.door));
        self.doors.insert((!order.is_release(), standing.door));
    }
}

/// All doors.
#[derive(Debug, Default)]
pub(crate) struct DoorTable {
    standings: BTreeMap<DoorRef, (NoticeAt, DoorStanding)>,
    emergencies: BTreeMap<(EmergencyKind, DoorScope, Practice), Emergency>,
    pending: BTreeMap<SourceRef, Pending>,
}

impl DoorTable {
    /// As a shard has them at an entry.
    pub(crate) fn restore(
        standings: Vec<DoorStanding>,
        emergencies: Vec<Emergency>,
        at: NoticeAt,
    ) -> DoorTable {
        let mut table = DoorTable::default();
        for standing in standings {
            table.standings.insert(standing.door, (at, standing));
        }
        for emergency in emergencies {
            table.declare(emergency, true);
        }
        table
    }

    /// A door is otherwise. Returns the feed whose vendor is to be told something, if one is.
    pub(crate) fn put(
        &mut self,
        standing: DoorStanding,
        at: NoticeAt,
        site: &Site,
    ) -> Option<SourceRef> {
        let door = standing.door;
        let known = self.standings.get(&door);
        // A release that left at once has overtaken what waited for the disk.
        if known.is_some_and(|(known_at, _)| *known_at > at) {
            return None;
        }
        let number = |standing: &DoorStanding| standing.order.map(|order| order.number);
        let before = known.and_then(|(_, known)| number(known));
        let is_news = standing.order.is_some() && number(&standing) != before;
        self.standings.insert(door, (at, standing));
        let source = site.door_source(door).filter(|_| is_news)?;
        self.pending.entry(source).or_default().add(&standing);
        Some(source)
    }

    /// A lockdown or an evacuation runs, or runs no more.
    pub(crate) fn declare(&mut self, emergency: Emergency, is_running: bool) {
        let key = (emergency.kind, emergency.scope.clone(), emergency.practice);
        if is_running {
            self.emergencies.insert(key, emergency);
        } else {
            self.emergencies.remove(&key);
        }
    }

    /// Another version of the site is in force: doors may be no more, or of another feed. Returns the
    /// feeds whose vendors are to be told something.
    pub(crate) fn change_site(&mut self, site: &Site) -> Vec<SourceRef> {
        self.standings.retain(|&door, _| site.has(EntityRef::Door(door)));
        for pending in self.pending.values_mut() {
            pending.doors.clear();
        }
        for (&door, (_, standing)) in &self.standings {
            if let Some(source) = site.door_source(door) {
                self.pending.entry(source).or_default().add(standing);
            }
        }
        self.pending.keys().copied().collect()
    }

    /// A vendor has connected: it is to be told of every door that is told anything. Returns what it
    /// takes them with.
    pub(crate) fn begin(&mut self, source: SourceRef, site: &Site) -> u64 {
        let pending = self.pending.entry(source).or_default();
        pending.turn += 1;
        pending.doors.clear();
        let standings = self.standings.values().map(|(_, standing)| standing);
        for standing in standings.filter(|it| site.door_source(it.door) == Some(source)) {
            pending.add(standing);
        }
        pending.turn
    }

    /// The next orders that a vendor is to be told, those that let people out first; and whether there
    /// are more. None for a session that is not the latest.
    pub(crate) fn take(
        &mut self,
        source: SourceRef,
        turn: u64,
    ) -> (Vec<(DoorRef, DoorOrder)>, bool) {
        let Some(pending) = self.pending.get_mut(&source).filter(|it| it.turn == turn) else {
            return (Vec::new(), false);
        };
        let mut orders = Vec::new();
        while orders.len() < ORDERS_AT_ONCE
            && let Some((_, door)) = pending.doors.pop_first()
        {
            let standing = self.standings.get(&door);
            orders.extend(standing.and_then(|(_, standing)| Some((door, standing.order?))));
        }
        (orders, !pending.doors.is_empty())
    }

    /// How every door stands, by ref.
    pub(crate) fn standings(&self) -> impl Iterator<Item = &DoorStanding> {
        self.standings.values().map(|(_, standing)| standing)
    }

    /// Whether a door has told anything, or was told anything.
    pub(crate) fn has(&self, door: DoorRef) -> bool {
        self.standings.contains_key(&door)
    }

    /// What runs.
    pub(crate) fn emergencies(&self) -> impl Iterator<Item = &Emergency> {
        self.emergencies.values()
    }
}
