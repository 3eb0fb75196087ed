//! What is said of many doors at once: fires, lockdowns, evacuations and alarms. All but fires end by themselves.

use std::collections::{BTreeMap, VecDeque};

use ach_actors_entities::{ControlPlan, DoorHold, Site};
use ach_actors_model::{
    CommandKind, DoorLease, DoorMode, DoorOrder, DoorRef, DoorScope, Emergency, EmergencyKind,
    NS_PER_S, Name, Practice, Remark, Timestamp, WishRefusal,
};
use serde::{Deserialize, Serialize};

use crate::responses::Responses;

const HOUR_NS: u64 = 3_600 * NS_PER_S;

/// Longest time an operator moves a door, a lockdown or an evacuation runs: a day, after which somebody
/// decides anew. A release for life safety has no end: it is taken back by hand.
pub const DOOR_MOVED_MAX_NS: u64 = 24 * HOUR_NS;

/// Lockdowns and evacuations that run at once: each is looked at for each door that is told of one.
const DECLARED_COUNT_MAX: usize = 64;

/// Of drills and exercises there are no more while so many run, so that what is meant finds room.
const PRACTISED_COUNT_MAX: usize = 32;

/// Keys of commands remembered, the newest: a command that is sent again comes again within seconds.
const KEY_COUNT_MAX: usize = 512;

/// How long a key is remembered.
const KEY_NS: u64 = 600 * NS_PER_S;

/// Doors told in one entry what is declared: a millisecond of work, and more than most sites have, so
/// that all of their doors are told in the entry of the command itself.
pub(crate) const TOLD_DOORS: u32 = 1_024;

/// Since when fires concern doors: those of an area, those of which the area is not known, and all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct FireView {
    by_area: BTreeMap<Name, Timestamp>,
    without_area: Option<Timestamp>,
    first: Option<Timestamp>,
}

impl FireView {
    /// Since when a fire concerns a door: one of its area, and one of which the area is not known.
    fn since(&self, plan: &ControlPlan) -> Option<Timestamp> {
        let Some(area) = &plan.fire_area else { return self.first };
        [self.by_area.get(area).copied(), self.without_area].into_iter().flatten().min()
    }
}

/// What one lockdown or evacuation is known by: one of each runs for a scope.
type DeclaredKey = (EmergencyKind, DoorScope, Practice);

/// A key, whose it is, what it was for, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct UsedKey {
    key: u128,
    by: Name,
    wish: CommandKind,
    at: Timestamp,
}

/// A door whose actor is set aside was released for life safety all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BareRelease {
    pub(crate) order: DoorOrder,
    /// Who wished it; nobody if it is for a fire alone.
    pub(crate) by: Option<(Name, Option<Remark>)>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DoorDesk {
    declared: BTreeMap<DeclaredKey, Emergency>,
    /// Doors whose fire input is on, and since when.
    fires: BTreeMap<DoorRef, Timestamp>,
    view: FireView,
    keys: VecDeque<UsedKey>,
    /// The next door to be told, and how many are to be before each knows the last change.
    telling: Option<(u32, u32)>,
    pub(crate) bare: BTreeMap<DoorRef, BareRelease>,
    pub(crate) responses: Responses,
}

impl DoorDesk {
    /// What runs, by kind, scope and practice.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &Emergency> {
        self.declared.values()
    }

    /// How many doors tell of a fire.
    pub(crate) fn fire_count(&self) -> usize {
        self.fires.len()
    }

    /// Begins a lockdown or an evacuation, or lets it last longer.
    pub(crate) fn declare(&mut self, emergency: Emergency) -> Result<(), WishRefusal> {
        let key = (emergency.kind, emergency.scope.clone(), emergency.practice);
        let most = if emergency.practice == Practice::Real {
            DECLARED_COUNT_MAX
        } else {
            PRACTISED_COUNT_MAX
        };
        if self.declared.len() >= most && !self.declared.contains_key(&key) {
            return Err(WishRefusal::TooManyDeclared);
        }
        self.declared.insert(key, emergency);
        Ok(())
    }

    /// Ends one.
    pub(crate) fn end(
        &mut self,
        kind: EmergencyKind,
        scope: &DoorScope,
        practice: Practice,
    ) -> Result<Emergency, WishRefusal> {
        let ended = self.declared.remove(&(kind, scope.clone(), practice));
        ended.ok_or(WishRefusal::NotDeclared)
    }

    /// Ends what is over by now.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<Emergency> {
        if self.next_end().is_none_or(|end| end > now) {
            return Vec::new();
        }
        let over = self.declared.extract_if(.., |_, emergency| emergency.until <= now);
        over.map(|(_, emergency)| emergency).collect()
    }

    /// When the next ends.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        self.declared.values().map(|emergency| emergency.until).min()
    }

    /// A fire input says that it is on or off. Whether that is news. Its words count in the order in which
    /// they come: they are of one controller, and one that lost its power in the fire has a wrong clock.
    pub(crate) fn hear_fire(&mut self, door: DoorRef, is_on: bool, since: Timestamp) -> bool {
        if !is_on {
            return self.fires.remove(&door).is_some();
        }
        let is_news = !self.fires.contains_key(&door);
        self.fires.entry(door).or_insert(since);
        is_news
    }

    /// Looks which doors fires concern now. Whether that is otherwise than before. Fires at doors that are
    /// gone stay: nobody has said that they are over.
    pub(crate) fn view_fires(&mut self, site: &Site) -> bool {
        let mut view = FireView::default();
        let first = |known: &mut Option<Timestamp>, since: Timestamp| {
            *known = Some(known.map_or(since, |known| known.min(since)));
        };
        for (&door, &since) in &self.fires {
            first(&mut view.first, since);
            match site.control_plan(door).and_then(|plan| plan.fire_area.as_ref()) {
                None => first(&mut view.without_area, since),
                Some(area) => {
                    let of_area = view.by_area.entry(area.clone()).or_insert(since);
                    *of_area = since.min(*of_area);
                }
            }
        }
        let is_news = view != self.view;
        self.view = view;
        is_news
    }

    /// Forgets the releases of doors that are no more, or are moved no longer.
    pub(crate) fn keep_bare(&mut self, is_there: impl Fn(DoorRef) -> bool) {
        self.bare.retain(|&door, _| is_there(door));
    }

    /// What all of it comes to for one door.
    pub(crate) fn hold(&self, door: DoorRef, plan: &ControlPlan, site: &Site) -> DoorHold {
        DoorHold {
            fire_since: self.view.since(plan),
            lockdown: self.lease(EmergencyKind::Lockdown, door, plan, site),
            evacuation: self.lease(EmergencyKind::Evacuation, door, plan, site),
            response: self.responses.lease(door),
        }
    }

    /// What a kind of emergency says to a door: what is meant before what is practised, and of several
    /// the one that lasts longest.
    fn lease(
        &self,
        kind: EmergencyKind,
        door: DoorRef,
        plan: &ControlPlan,
        site: &Site,
    ) -> Option<DoorLease> {
        let of_door = self
            .declared
            .values()
            .filter(|emergency| emergency.kind == kind && site.is_door_in(door, &emergency.scope));
        let said = of_door
            .filter_map(|emergency| Some((mode_in(kind, emergency.practice, plan)?, emergency)));
        let (mode, emergency) = said
            .max_by_key(|(_, emergency)| (emergency.practice == Practice::Real, emergency.until))?;
        Some(DoorLease {
            mode,
            by: Some(emergency.by.clone()),
            remark: emergency.remark.clone(),
            since: emergency.since,
            until: Some(emergency.until),
            is_drill: emergency.practice == Practice::Drill,
        })
    }

    /// Whether a command was given before; refused if its key was used for another.
    pub(crate) fn is_known(
        &mut self,
        (key, by): (Option<u128>, &Name),
        wish: &CommandKind,
        now: Timestamp,
    ) -> Result<bool, WishRefusal> {
        while self.keys.front().is_some_and(|used| now.since_ns(used.at) >= KEY_NS) {
            self.keys.pop_front();
        }
        let Some(key) = key else { return Ok(false) };
        match self.keys.iter().find(|used| used.key == key && used.by == *by) {
            None => Ok(false),
            Some(used) if used.wish == *wish => Ok(true),
            Some(_) => Err(WishRefusal::KeyReused),
        }
    }

    /// Remembers a command that was done by its key.
    pub(crate) fn remember(
        &mut self,
        (key, by): (Option<u128>, &Name),
        wish: &CommandKind,
        now: Timestamp,
    ) {
        let Some(key) = key else { return };
        if self.keys.len() >= KEY_COUNT_MAX {
            self.keys.pop_front();
        }
        self.keys.push_back(UsedKey { key, by: by.clone(), wish: wish.clone(), at: now });
    }

    /// Every door is to be told what is declared now: those that come before where a telling under way
    /// has come are told once more.
    pub(crate) fn tell_all(&mut self, door_count: u32) {
        let next = self.telling.map_or(0, |(next, _)| next);
        self.telling = (door_count > 0).then_some((next % door_count.max(1), door_count));
    }

    /// Whether doors are to be told.
    pub(crate) fn is_telling(&self) -> bool {
        self.telling.is_some()
    }

    /// The next door to be told, of so many.
    pub(crate) fn next_told(&mut self, door_count: u32) -> Option<DoorRef> {
        let (next, left) = self.telling?;
        let is_last = left <= 1 || door_count == 0;
        let following = (next + 1) % door_count.max(1);
        self.telling = (!is_last).then_some((following, left.saturating_sub(1)));
        Some(DoorRef(next))
    }
}

/// What a kind of emergency says to a door; nothing if it stays as it is.
pub(crate) fn mode_in(
    kind: EmergencyKind,
    practice: Practice,
    plan: &ControlPlan,
) -> Option<DoorMode> {
    let mode = match kind {
        EmergencyKind::Lockdown => plan.on_lockdown,
        EmergencyKind::Evacuation => plan.opens_on_evacuation.then_some(DoorMode::Unlocked),
    };
    match practice {
        Practice::Real => mode,
        Practice::Drill => mode.filter(|_| plan.moves_in_drill),
        Practice::Exercise => None,
    }
}
