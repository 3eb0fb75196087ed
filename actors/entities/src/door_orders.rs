//! A door that the node moves: what comes in that concerns its orders.

use ach_actors_model::{DoorAct, DoorMode, DoorRef, Timestamp};

use crate::door::{Door, DoorInput};
use crate::door_control::{DoorControl, DoorHand};
use crate::evidence::Evidence;
use crate::{Outbox, Site, Turn, Verdict};

impl Door {
    /// Takes what is said of a door's orders, or by whom it is to be moved.
    pub(crate) fn take_control(
        &mut self,
        me: DoorRef,
        input: &DoorInput<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        if let DoorInput::Wished(DoorHand { act: DoorAct::EndFire, .. }) = input {
            self.is_fire_told = false;
            return Verdict::Accepted;
        }
        let is_locked = self.is_locked();
        let is_controlled = turn.site.control_plan(me).is_some();
        let control = if is_controlled {
            self.control.get_or_insert_default()
        } else {
            return Verdict::Refused;
        };
        let (verdict, evidence) = match input {
            DoorInput::OrderDone { arrival, number } => {
                let verdict = control.hear(*number, true, is_locked, turn.now);
                (verdict, Evidence::of_arrival(arrival))
            }
            DoorInput::OrderRefused { arrival, number } => {
                let verdict = control.hear(*number, false, is_locked, turn.now);
                (verdict, Evidence::of_arrival(arrival))
            }
            DoorInput::LocalOverride { arrival, mode } => {
                control.switch(*mode, arrival);
                (Verdict::Accepted, Evidence::of_arrival(arrival))
            }
            DoorInput::Renewed { above } => {
                if control.order().is_some_and(|order| order.number <= *above) {
                    control.renew(*above, is_locked, turn.now);
                }
                (Verdict::Accepted, Evidence::of_site_change(turn))
            }
            DoorInput::Wished(hand) => {
                control.obey(hand, is_locked, turn.now);
                (Verdict::Accepted, Evidence::of_site_change(turn))
            }
            DoorInput::Held(hold) => {
                control.hold(hold);
                (Verdict::Accepted, Evidence::of_site_change(turn))
            }
            _ => return Verdict::Refused,
        };
        if let DoorInput::OrderDone { arrival, .. }
        | DoorInput::OrderRefused { arrival, .. }
        | DoorInput::LocalOverride { arrival, .. } = input
        {
            self.life.hear(me, arrival.happened_at(), turn);
        }
        self.settle(me, turn, out, None);
        self.judge(me, turn.now, &evidence, turn, out);
        verdict
    }

    /// Works out what the door is to do, if the node moves it: after a call only if it was ordered for
    /// that. Whether it did.
    pub(crate) fn settle(
        &mut self,
        me: DoorRef,
        turn: &Turn<'_>,
        out: &mut Outbox,
        called_at: Option<Timestamp>,
    ) -> bool {
        let Some(plan) = turn.site.control_plan(me) else { return false };
        if called_at.is_none() {
            self.control.get_or_insert_default();
        }
        let is_locked = self.is_locked();
        let Some(control) = &mut self.control else { return false };
        let is_called = called_at.is_none_or(|due_at| control.take_call(due_at));
        if is_called {
            control.settle(me, plan, is_locked, turn, out);
        }
        is_called
    }

    /// Another version of the site is in force: the door may be moved no longer.
    pub(crate) fn change_control(&mut self, me: DoorRef, old: &Site, turn: &Turn<'_>) {
        if turn.site.control_plan(me).is_none()
            && let Some(control) = &mut self.control
        {
            let rests = old.control_plan(me).map_or(DoorMode::Locked, |plan| plan.rests);
            control.let_go(rests, turn.now);
        }
    }

    /// When the door came to be otherwise than it was told to be, or was told; `None` if it is as it was
    /// told, or is told nothing.
    pub(crate) fn deviates_since(&self) -> Option<Timestamp> {
        use ach_actors_model::DoorAnswer::{Deviates, Waited};
        let control = self.control.as_deref()?;
        let is_locked = self.is_locked();
        let due_since = control.due_since();
        if !matches!(control.answer(is_locked), Waited | Deviates) {
            return None;
        }
        let turned_at = if is_locked == Some(true) { self.thrown_at } else { self.drawn_at };
        Some(due_since.max(turned_at.unwrap_or(due_since)))
    }
}

impl DoorControl {
    /// Whether its controller has refused the order in force.
    pub(crate) fn is_refused(&self) -> bool {
        self.answer(None) == ach_actors_model::DoorAnswer::Refused
    }
}
