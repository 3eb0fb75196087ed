//! Doors that the node moves: what people wish of them, fires, and who is told of it.

use ach_actors_entities::{DoorHand, DoorHold, DoorInput, Effect};
use ach_actors_model::{
    Cause, CommandKind, DoorAct, DoorAnswer, DoorMode, DoorOrder, DoorRef, DoorScope, DoorSlot,
    DoorStanding, DoorWish, Emergency, EmergencyWish, EntityRef, Event, EventKind, Name, Practice,
    Remark, Timestamp, WishRefusal, ZoneRef,
};

use crate::call::Call;
use crate::door_desk::{BareRelease, DOOR_MOVED_MAX_NS, TOLD_DOORS, mode_in};
use crate::quarantine::Origin;
use crate::shard::Shard;
use crate::stage::Scene;

/// What every wish about doors says of itself.
struct Terms<'a> {
    key: Option<u128>,
    void_at: Option<Timestamp>,
    remark: Option<&'a Remark>,
}

impl Shard {
    /// Does what somebody wishes of a door, or of many.
    pub(crate) fn command_doors(
        &mut self,
        by: &Name,
        wish: &CommandKind,
        scene: Scene<'_>,
    ) -> Result<(), WishRefusal> {
        let terms = match wish {
            CommandKind::MoveDoor(DoorWish { key, void_at, remark, .. })
            | CommandKind::Declare(EmergencyWish { key, void_at, remark, .. }) => {
                Terms { key: *key, void_at: *void_at, remark: remark.as_ref() }
            }
            _ => return Ok(()),
        };
        if self.door_desk.is_known((terms.key, by), wish, scene.now)? {
            return Ok(());
        }
        // Whoever lets people out is never too late.
        let is_release = matches!(wish, CommandKind::MoveDoor(it) if it.act == DoorAct::Release);
        if !is_release && terms.void_at.is_some_and(|void_at| void_at <= scene.now) {
            return Err(WishRefusal::TooLate);
        }
        match wish {
            CommandKind::MoveDoor(wish) => self.move_door(by, wish, &terms, scene)?,
            CommandKind::Declare(wish) => self.declare(by, wish, &terms, scene)?,
            _ => {}
        }
        self.door_desk.remember((terms.key, by), wish, scene.now);
        Ok(())
    }

    fn move_door(
        &mut self,
        by: &Name,
        wish: &DoorWish,
        terms: &Terms<'_>,
        scene: Scene<'_>,
    ) -> Result<(), WishRefusal> {
        let door = wish.door;
        if !scene.site.has(EntityRef::Door(door)) {
            return Err(WishRefusal::NoSuchThing);
        }
        if wish.act == DoorAct::EndFire {
            if terms.remark.is_none() {
                return Err(WishRefusal::NoReason);
            }
            let by = wish.person.as_ref().unwrap_or(by);
            let hand = DoorHand { by, remark: terms.remark, act: wish.act };
            self.play(scene, Call::Door(door, DoorInput::Wished(hand)), origin(scene));
            self.hear_fire(door, false, scene.now, scene);
            return Ok(());
        }
        if scene.site.control_plan(door).is_none() {
            return Err(WishRefusal::NoOrders);
        }
        let is_release = wish.act == DoorAct::Release;
        if !is_release && self.stage.actors.is_set_aside(EntityRef::Door(door)) {
            return Err(WishRefusal::SetAside);
        }
        if let DoorAct::Move { mode, for_ns } = wish.act {
            if !(1..=DOOR_MOVED_MAX_NS).contains(&for_ns) {
                return Err(WishRefusal::NotForSoLong);
            }
            if terms.remark.is_none() {
                return Err(WishRefusal::NoReason);
            }
            if mode == DoorMode::Unlocked && self.is_interlocked(door, scene) {
                return Err(WishRefusal::Interlocked);
            }
        }
        let by = wish.person.as_ref().unwrap_or(by);
        let hand = DoorHand { by, remark: terms.remark, act: wish.act };
        self.play(scene, Call::Door(door, DoorInput::Wished(hand)), origin(scene));
        if is_release && self.stage.actors.is_set_aside(EntityRef::Door(door)) {
            self.release_bare(door, Some((by, terms.remark)), scene);
        }
        Ok(())
    }

    /// Whether another door of its interlock is open, or not told to be locked.
    fn is_interlocked(&mut self, door: DoorRef, scene: Scene<'_>) -> bool {
        let Some(interlock) = interlock_of(door, scene) else { return false };
        let is_other =
            |other: &DoorRef| *other != door && interlock_of(*other, scene) == Some(interlock);
        all_doors(scene).filter(is_other).any(|other| {
            let standing = self.door_standing(other);
            let is_unlocked = |order: DoorOrder| order.mode == DoorMode::Unlocked;
            standing.is_open == Some(true)
                || standing.is_locked == Some(false)
                || standing.order.is_some_and(is_unlocked)
        })
    }

    fn declare(
        &mut self,
        by: &Name,
        wish: &EmergencyWish,
        terms: &Terms<'_>,
        scene: Scene<'_>,
    ) -> Result<(), WishRefusal> {
        let (kind, practice, now) = (wish.kind, wish.practice, scene.now);
        if wish.for_ns == 0 {
            let ended = self.door_desk.end(kind, &wish.scope, practice)?;
            self.end_emergency(ended, scene);
            return Ok(());
        }
        if wish.for_ns > DOOR_MOVED_MAX_NS {
            return Err(WishRefusal::NotForSoLong);
        }
        if terms.remark.is_none() {
            return Err(WishRefusal::NoReason);
        }
        let as_if = if practice == Practice::Exercise { Practice::Real } else { practice };
        let moves = |door: &DoorRef| {
            let plan = scene.site.control_plan(*door);
            scene.site.is_door_in(*door, &wish.scope)
                && plan.is_some_and(|plan| mode_in(kind, as_if, plan).is_some())
        };
        let moved_count = all_doors(scene).filter(moves).count();
        let emergency = Emergency {
            kind,
            scope: wish.scope.clone(),
            practice,
            by: wish.person.as_ref().unwrap_or(by).clone(),
            remark: terms.remark.cloned(),
            since: now,
            until: now.plus_ns(wish.for_ns),
            door_count: u32::try_from(moved_count).unwrap_or(u32::MAX),
        };
        self.door_desk.declare(emergency.clone())?;
        let zone = zone_of(&emergency);
        let event = EventKind::EmergencyDeclared { kind, practice, zone };
        self.stage.tell(Effect::Event(Event { at: now, kind: event }));
        self.stage.tell(Effect::Emergency { emergency, is_running: true });
        self.door_desk.tell_all(door_count(scene));
        Ok(())
    }

    fn end_emergency(&mut self, ended: Emergency, scene: Scene<'_>) {
        let zone = zone_of(&ended);
        let event = EventKind::EmergencyEnded { kind: ended.kind, practice: ended.practice, zone };
        self.stage.tell(Effect::Event(Event { at: scene.now, kind: event }));
        self.stage.tell(Effect::Emergency { emergency: ended, is_running: false });
        self.door_desk.tell_all(door_count(scene));
    }

    /// A fire input of a door is on, or off again. Heard though the door's actor is set aside.
    pub(crate) fn hear_fire(
        &mut self,
        door: DoorRef,
        is_on: bool,
        happened_at: Timestamp,
        scene: Scene<'_>,
    ) {
        if !self.door_desk.hear_fire(door, is_on, happened_at) {
            return;
        }
        let kind = if is_on { EventKind::FireTold { door } } else { EventKind::FireOver { door } };
        self.stage.tell(Effect::Event(Event { at: scene.now, kind }));
        if self.door_desk.view_fires(scene.site) {
            self.door_desk.tell_all(door_count(scene));
        }
    }

    /// Ends what is over.
    pub(crate) fn tend_doors(&mut self, now: Timestamp) {
        let Some(site) = self.site.clone() else { return };
        let scene = Scene { site: &site, now };
        self.door_desk.responses.expire(now);
        for ended in self.door_desk.expire(now) {
            self.end_emergency(ended, scene);
        }
    }

    /// Another version of the site is in force: doors may be moved otherwise, or by nobody.
    pub(crate) fn change_door_site(&mut self, scene: Scene<'_>) {
        self.door_desk.keep_bare(|door| scene.site.control_plan(door).is_some());
        self.door_desk.view_fires(scene.site);
        self.change_responses(scene.site);
        self.door_desk.tell_all(door_count(scene));
    }

    /// Tells the next doors what is declared now, once an entry, however much of it has changed what.
    pub(crate) fn tell_doors(&mut self, now: Timestamp) {
        if !self.is_telling_doors() {
            return;
        }
        let Some(site) = self.site.clone() else { return };
        let scene = Scene { site: &site, now };
        for _ in 0..TOLD_DOORS {
            let Some(door) = self.next_told_door(scene) else { return };
            self.hold_door(door, scene);
        }
    }

    /// Those of a fire before all others: people are to get out. Else those of alarms first: they are few, and somebody
    /// may be running.
    fn next_told_door(&mut self, scene: Scene<'_>) -> Option<DoorRef> {
        let desk = &mut self.door_desk;
        let fire = (desk.fire_count() > 0).then(|| desk.next_told(door_count(scene))).flatten();
        let next = fire.or_else(|| desk.responses.next_told());
        next.or_else(|| desk.next_told(door_count(scene)))
    }

    fn is_telling_doors(&self) -> bool {
        self.door_desk.is_telling() || self.door_desk.responses.is_telling()
    }

    /// Tells one door what is declared now.
    fn hold_door(&mut self, door: DoorRef, scene: Scene<'_>) {
        let Some(plan) = scene.site.control_plan(door) else { return };
        let hold = self.door_desk.hold(door, plan, scene.site);
        if self.stage.actors.is_set_aside(EntityRef::Door(door)) {
            if plan.opens_on_fire {
                self.hold_bare(door, &hold, scene);
            }
            return;
        }
        self.play(scene, Call::Door(door, DoorInput::Held(&hold)), origin(scene));
        if self.stage.actors.is_set_aside(EntityRef::Door(door)) && plan.opens_on_fire {
            self.hold_bare(door, &hold, scene);
        }
    }

    fn hold_bare(&mut self, door: DoorRef, hold: &DoorHold, scene: Scene<'_>) {
        // When the fire is over it stays released until its actor works again: nobody else knows what
        // it is to do then.
        if hold.fire_since.is_some() {
            self.release_bare(door, None, scene);
        }
    }

    /// Lets people out by a door whose actor is set aside.
    fn release_bare(
        &mut self,
        door: DoorRef,
        by: Option<(&Name, Option<&Remark>)>,
        scene: Scene<'_>,
    ) {
        let by = by.map(|(by, remark)| (by.clone(), remark.cloned()));
        if let Some(bare) = self.door_desk.bare.get_mut(&door) {
            bare.by = bare.by.take().or(by);
            return;
        }
        let standing = self.door_standing(door);
        let last = standing.order.map_or(0, |order| order.number);
        let order = DoorOrder {
            number: scene.now.0.max(last.saturating_add(1)),
            mode: DoorMode::Unlocked,
            slot: Some(DoorSlot::LifeSafety),
            given_at: scene.now,
            until: None,
            is_drill: false,
        };
        self.door_desk.bare.insert(door, BareRelease { order, by });
        let answer = DoorAnswer::Waited;
        let order = Some(order);
        self.stage.tell(Effect::Door(DoorStanding { order, answer, ..standing }));
    }

    /// A door's actor works again: it learns what it missed.
    pub(crate) fn catch_up_door(&mut self, door: DoorRef, scene: Scene<'_>) {
        let bare = self.door_desk.bare.remove(&door);
        if let Some((by, remark)) = bare.as_ref().and_then(|bare| bare.by.as_ref()) {
            let hand = DoorHand { by, remark: remark.as_ref(), act: DoorAct::Release };
            self.play(scene, Call::Door(door, DoorInput::Wished(hand)), origin(scene));
        }
        self.hold_door(door, scene);
        // Its controller has an order that the actor knows nothing of.
        if let Some(bare) = bare {
            let renewed = DoorInput::Renewed { above: bare.order.number };
            self.play(scene, Call::Door(door, renewed), origin(scene));
        }
    }

    /// When something about doors is due that no actor asked for.
    pub(crate) fn next_door_due(&self) -> Option<Timestamp> {
        let telling = self.is_telling_doors().then_some(self.entry_at);
        let ends = [self.door_desk.next_end(), self.door_desk.responses.next_end()];
        ends.into_iter().chain([telling]).flatten().min()
    }

    /// All that is known of a door just now.
    fn door_standing(&self, door: DoorRef) -> DoorStanding {
        let cell = self.stage.actors.doors.get(door.0);
        let unknown = || DoorStanding::unknown(door);
        let standing = cell.map_or_else(unknown, |cell| cell.state().standing(door));
        match self.door_desk.bare.get(&door) {
            Some(bare) => {
                DoorStanding { order: Some(bare.order), answer: DoorAnswer::Waited, ..standing }
            }
            None => standing,
        }
    }

    /// All that is known of every door in force that has told anything or was told anything.
    pub fn door_standings(&self) -> Vec<DoorStanding> {
        let Some(site) = &self.site else { return Vec::new() };
        let doors = (0..).map(DoorRef).take(site.door_ref_count());
        let doors = doors.filter(|&door| site.has(EntityRef::Door(door)));
        doors.map(|door| self.door_standing(door)).filter(is_anything).collect()
    }

    /// Lockdowns and evacuations that run.
    pub fn emergencies(&self) -> Vec<Emergency> {
        self.door_desk.declared().cloned().collect()
    }
}

fn is_anything(standing: &DoorStanding) -> bool {
    standing.order.is_some() || standing.is_open.is_some() || standing.is_locked.is_some()
}

fn origin(scene: Scene<'_>) -> Origin {
    Origin { cause: Cause::SiteChange, received_at: scene.now }
}

fn door_count(scene: Scene<'_>) -> u32 {
    u32::try_from(scene.site.door_ref_count()).unwrap_or(u32::MAX)
}

fn all_doors(scene: Scene<'_>) -> impl Iterator<Item = DoorRef> {
    (0..door_count(scene)).map(DoorRef)
}

fn interlock_of(door: DoorRef, scene: Scene<'_>) -> Option<&Name> {
    scene.site.control_plan(door)?.interlock.as_ref()
}

fn zone_of(emergency: &Emergency) -> Option<ZoneRef> {
    match emergency.scope {
        DoorScope::Zone(zone) => Some(zone),
        _ => None,
    }
}
