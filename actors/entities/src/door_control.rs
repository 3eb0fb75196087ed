//! What a door is told to do: from what everybody says, one order at a time, counted up.
//!
//! An order says how the door is to be and not what is to happen, so it can be told again at any time.
//! Its number counts up over restarts too: it is shard time or more. A release for life safety leaves
//! before the disk has it, so one may be lost with a crash; the next order has a greater number all the
//! same.

use ach_actors_model::{
    DoorAct, DoorAnswer, DoorLease, DoorMode, DoorOrder, DoorRef, DoorSlot, EntityRef, Name,
    Remark, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::door_array::DoorArray;
use crate::leave::SKEW_NS;
use crate::site::ControlPlan;
use crate::{Arrival, Outbox, Turn, Verdict};

/// What others than the door's own inputs say of it: kept by the shard, told anew when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DoorHold {
    /// A fire that concerns the door, since when.
    pub fire_since: Option<Timestamp>,
    /// A lockdown.
    pub lockdown: Option<DoorLease>,
    /// An evacuation.
    pub evacuation: Option<DoorLease>,
    /// Alarms whose rule locks the door.
    pub response: Option<DoorLease>,
}

/// What somebody wishes of a door.
#[derive(Debug, Clone, Copy)]
pub struct DoorHand<'a> {
    /// Who.
    pub by: &'a Name,
    /// Why.
    pub remark: Option<&'a Remark>,
    /// What.
    pub act: DoorAct,
}

/// What is said of one door, and what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DoorControl {
    array: DoorArray,
    /// By a person, until it is taken back.
    released: Option<DoorLease>,
    fire_since: Option<Timestamp>,
    order: Option<DoorOrder>,
    /// Since when it is to be as the order says: an order that says the same anew to a door that does not do it
    /// gives it no new time.
    due_since: Timestamp,
    /// The last time that it was to be unlocked, whoever said so: what is told late happened in it or after it.
    unlocked: Option<Stretch>,
    /// Whether the lock cannot tell that the order is followed: grants are given otherwise than before.
    is_word_needed: bool,
    /// Whether the node moves the door no longer; the order is then its last.
    is_let_go: bool,
    /// The last order that its controller says it has carried out.
    done: u64,
    /// The last that it has refused.
    refused: u64,
    /// For leases that end, and hours that begin or end.
    call: CallBack,
}

/// From when until when something was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    since: Timestamp,
    until: Option<Timestamp>,
}

impl DoorControl {
    /// What it was told last.
    pub(crate) fn order(&self) -> Option<&DoorOrder> {
        self.order.as_ref()
    }

    /// What became of that, with the lock as it is said to be.
    pub(crate) fn answer(&self, is_locked: Option<bool>) -> DoorAnswer {
        let order = self.order.as_ref().filter(|_| !self.is_let_go);
        let Some(order) = order else { return DoorAnswer::NoOrders };
        if self.refused == order.number {
            return DoorAnswer::Refused;
        }
        let is_done = self.done == order.number;
        let fits = is_locked.map(|is_locked| is_locked == (order.mode != DoorMode::Unlocked));
        match (fits, is_done) {
            (Some(true) | None, true) => DoorAnswer::Followed,
            (Some(true), false) if !self.is_word_needed => DoorAnswer::Followed,
            (Some(false), true) => DoorAnswer::Deviates,
            (_, false) => DoorAnswer::Waited,
        }
    }

    /// Its controller has carried an order out, or has refused it. What it says of an earlier order is out
    /// of date. One that is later than any that is known was lost with a crash, or with a disk: the door is
    /// told anew, unless it may be letting people out.
    pub(crate) fn hear(
        &mut self,
        number: u64,
        is_done: bool,
        is_locked: Option<bool>,
        now: Timestamp,
    ) -> Verdict {
        let Some(order) = &self.order else { return Verdict::Late };
        if number > order.number {
            if is_locked == Some(true) {
                self.renew(number, is_locked, now);
            }
            return Verdict::Accepted;
        }
        if number < order.number {
            return Verdict::Late;
        }
        (self.done, self.refused) = if is_done { (number, 0) } else { (0, number) };
        Verdict::Accepted
    }

    /// Gives the order in force anew, above a number that the controller may have been told.
    pub(crate) fn renew(&mut self, above: u64, is_locked: Option<bool>, now: Timestamp) {
        if let Some(order) = self.order {
            let number = now.0.max(order.number.max(above).saturating_add(1));
            self.give(DoorOrder { number, given_at: now, ..order }, is_locked);
            self.is_word_needed = true;
        }
    }

    /// Puts an order in force.
    fn give(&mut self, order: DoorOrder, is_locked: Option<bool>) {
        let is_behind = matches!(self.answer(is_locked), DoorAnswer::Waited | DoorAnswer::Deviates);
        if !is_behind || self.order.is_some_and(|before| before.mode != order.mode) {
            self.due_since = order.given_at;
        }
        let goes_on = self.unlocked.filter(|unlocked| unlocked.until.is_none());
        if order.mode == DoorMode::Unlocked {
            let anew = Stretch { since: order.given_at, until: None };
            self.unlocked = goes_on.or(Some(anew));
        } else if let Some(Stretch { since, .. }) = goes_on {
            self.unlocked = Some(Stretch { since, until: Some(order.given_at) });
        }
        self.order = Some(order);
    }

    /// Since when it is to be as it was told, without doing so.
    pub(crate) fn due_since(&self) -> Timestamp {
        self.due_since
    }

    /// A key switch at the door was turned. Its words count in the order in which they come: they are of one
    /// controller, whose clock may be wrong.
    pub(crate) fn switch(&mut self, mode: Option<DoorMode>, arrival: &Arrival) {
        let lease = mode.map(|mode| device_lease(mode, arrival.happened_at()));
        self.array.say(DoorSlot::LocalOverride, lease);
    }

    /// Somebody wishes something. The limits of it were looked at before.
    pub(crate) fn obey(&mut self, hand: &DoorHand<'_>, is_locked: Option<bool>, now: Timestamp) {
        let lease = |mode, until| DoorLease {
            mode,
            by: Some(hand.by.clone()),
            remark: hand.remark.cloned(),
            since: now,
            until,
            is_drill: false,
        };
        match hand.act {
            DoorAct::Move { mode, for_ns } => {
                let until = Some(now.plus_ns(for_ns));
                self.array.say(DoorSlot::Operator, Some(lease(mode, until)));
            }
            DoorAct::GiveBack => {
                self.array.say(DoorSlot::Operator, None);
                // Whoever gives back what is not taken wants the door to hear it once more.
                self.renew(0, is_locked, now);
            }
            DoorAct::Release => {
                // Whoever was first is remembered: it is the same release.
                let release = lease(DoorMode::Unlocked, None);
                self.released.get_or_insert(release);
            }
            DoorAct::EndRelease => {
                self.released = None;
                self.renew(0, is_locked, now);
            }
            DoorAct::EndFire => {}
        }
    }

    /// What the shard keeps of fires, lockdowns, evacuations and alarms has changed.
    pub(crate) fn hold(&mut self, hold: &DoorHold) {
        self.fire_since = hold.fire_since;
        self.array.say(DoorSlot::Lockdown, hold.lockdown.clone());
        self.array.say(DoorSlot::Evacuation, hold.evacuation.clone());
        self.array.say(DoorSlot::Response, hold.response.clone());
    }

    /// The node moves the door no longer: it is told to do as ever, and nothing more. Who was let out by it
    /// is let out again should it be moved once more.
    pub(crate) fn let_go(&mut self, rests: DoorMode, now: Timestamp) {
        if std::mem::replace(&mut self.is_let_go, true) {
            return;
        }
        self.array = DoorArray::default();
        let last = self.order.as_ref().map_or(0, |order| order.number);
        let number = now.0.max(last.saturating_add(1));
        let at_rest = DoorOrder {
            number,
            mode: rests,
            slot: None,
            given_at: now,
            until: None,
            is_drill: false,
        };
        if self.order.is_some_and(|order| order.slot.is_some()) {
            self.give(at_rest, None);
        }
    }

    /// Whether it was to be unlocked at a moment, or just before or after.
    pub(crate) fn is_unlocked_at(&self, at: Timestamp) -> bool {
        self.unlocked.is_some_and(|Stretch { since, until }| {
            since <= at.plus_ns(SKEW_NS) && until.is_none_or(|until| at <= until.plus_ns(SKEW_NS))
        })
    }

    /// Whether this is the call that was ordered; it is then over.
    pub(crate) fn take_call(&mut self, due_at: Timestamp) -> bool {
        self.call.take(due_at)
    }

    /// Works out what the door is to do now, and gives an order if that is something else.
    pub(crate) fn settle(
        &mut self,
        me: DoorRef,
        plan: &ControlPlan,
        is_locked: Option<bool>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let now = turn.now;
        self.is_let_go = false;
        self.array.expire(now);
        let fire = self.fire_since.filter(|_| plan.opens_on_fire);
        let fire = fire.map(|since| device_lease(DoorMode::Unlocked, since));
        self.array.say(DoorSlot::LifeSafety, fire.or_else(|| self.released.clone()));
        let hours_end = turn.site.control_next_change(plan, now);
        let is_unlocked = !plan.hours.is_empty() && turn.site.is_unlocked_by_hours(plan, now);
        let schedule = is_unlocked.then(|| DoorLease {
            until: hours_end,
            ..device_lease(DoorMode::Unlocked, Timestamp(0))
        });
        self.array.say(DoorSlot::Schedule, schedule);
        self.give_order(plan, is_locked, now);
        let next = [self.array.next_end(), hours_end].into_iter().flatten().min();
        self.call.order(next, EntityRef::Door(me), out);
    }

    fn give_order(&mut self, plan: &ControlPlan, is_locked: Option<bool>, now: Timestamp) {
        let said = self.array.effective();
        let mode = said.map_or(plan.rests, |(_, lease)| lease.mode);
        let slot = said.map(|(slot, _)| slot);
        let until = said.and_then(|(_, lease)| lease.until);
        let is_drill = said.is_some_and(|(_, lease)| lease.is_drill);
        let is_so = |order: &DoorOrder| {
            (order.mode, order.slot, order.until, order.is_drill) == (mode, slot, until, is_drill)
        };
        if self.order.as_ref().is_some_and(is_so) {
            return;
        }
        let last = self.order.as_ref().map_or(0, |order| order.number);
        let number = now.0.max(last.saturating_add(1));
        let was_blocked = self.order.as_ref().is_some_and(|order| order.mode == DoorMode::Blocked);
        self.give(DoorOrder { number, mode, slot, given_at: now, until, is_drill }, is_locked);
        self.is_word_needed = was_blocked || mode == DoorMode::Blocked;
    }
}

/// What a device or the site's files say.
fn device_lease(mode: DoorMode, since: Timestamp) -> DoorLease {
    DoorLease { mode, by: None, remark: None, since, until: None, is_drill: false }
}
