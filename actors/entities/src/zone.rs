//! A zone: who is in it, how many it may hold, and whether it can be seen.

use ach_actors_model::{
    AlarmReason, AnchorRef, Cause, EntityRef, Event, EventKind, Place, RuleRef, SubjectRef, TagRef,
    Timestamp, ZoneRef,
};

use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::window_call::WindowCall;
use crate::{Arrival, DeadlineKind, Effect, HealthChange, Outbox, Turn};

/// An over-full zone is full enough again when this share of its capacity is free, so that one
/// person going in and out at the limit is one alarm: a tenth, which below ten is nobody.
const FREE_SHARE: u32 = 10;

/// The state of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    /// Ascending. Bounded by the subjects of the site.
    occupants: Vec<SubjectRef>,
    /// Ascending. Bounded by the anchors that cover it.
    lost_anchors: Vec<AnchorRef>,
    window_call: WindowCall,
    episodes: Episodes,
}

/// What a zone can be told.
#[derive(Debug, Clone, Copy)]
pub enum ZoneInput {
    /// A subject is in.
    Entered {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// A subject is out.
    Exited {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// An anchor that covers it is lost.
    AnchorLost(AnchorRef),
    /// An anchor that covers it works again.
    AnchorFound(AnchorRef),
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged,
}

impl Zone {
    /// Takes one input.
    pub fn step(&mut self, me: ZoneRef, input: ZoneInput, turn: &Turn<'_>, out: &mut Outbox) {
        match input {
            ZoneInput::Entered { subject, tag, at, cause } => {
                let Err(place) = self.occupants.binary_search(&subject) else { return };
                if turn.site.zone_plan(me).is_none() {
                    return;
                }
                self.occupants.insert(place, subject);
                let occupant_count = self.occupant_count();
                let kind = EventKind::ZoneEntered { subject, zone: me, tag, occupant_count };
                out.effects.push(Effect::Event(Event { at: turn.now, kind }));
                self.judge(me, &moved(at, cause, tag, turn), turn.now, turn, out);
            }
            ZoneInput::Exited { subject, tag, at, cause } => {
                let Ok(place) = self.occupants.binary_search(&subject) else { return };
                self.occupants.remove(place);
                let occupant_count = self.occupant_count();
                let kind = EventKind::ZoneExited { subject, zone: me, tag, occupant_count };
                out.effects.push(Effect::Event(Event { at: turn.now, kind }));
                self.judge(me, &moved(at, cause, tag, turn), turn.now, turn, out);
            }
            ZoneInput::AnchorLost(anchor) => self.lose(me, anchor, turn, out),
            ZoneInput::AnchorFound(anchor) => self.find(me, anchor, turn, out),
            ZoneInput::Due { kind: DeadlineKind::Window, due_at } => {
                if self.window_call.take(due_at) {
                    let evidence = Evidence::of_deadline(due_at, turn);
                    self.judge(me, &evidence, due_at, turn, out);
                }
            }
            ZoneInput::Due { .. } => {}
            ZoneInput::SiteChanged => self.change_site(me, turn, out),
        }
    }

    /// Who is in it, ascending.
    pub fn occupants(&self) -> &[SubjectRef] {
        &self.occupants
    }

    /// Whether an anchor that covers it is lost.
    pub fn is_blind(&self) -> bool {
        !self.lost_anchors.is_empty()
    }

    fn occupant_count(&self) -> u32 {
        u32::try_from(self.occupants.len()).unwrap_or(u32::MAX)
    }

    fn lose(&mut self, me: ZoneRef, anchor: AnchorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let Err(place) = self.lost_anchors.binary_search(&anchor) else { return };
        if self.lost_anchors.is_empty() {
            out.health.push(HealthChange::WentBlind { zone: me });
            let kind = EventKind::ZoneWentBlind { zone: me, anchor };
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        }
        self.lost_anchors.insert(place, anchor);
    }

    fn find(&mut self, me: ZoneRef, anchor: AnchorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let Ok(place) = self.lost_anchors.binary_search(&anchor) else { return };
        self.lost_anchors.remove(place);
        if self.lost_anchors.is_empty() {
            out.health.push(HealthChange::Sighted { zone: me });
            let kind = EventKind::ZoneSighted { zone: me };
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        }
    }

    /// Compares the count of every rule with the capacity. Says nothing twice.
    fn judge(
        &mut self,
        me: ZoneRef,
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(zone) = turn.site.zone_plan(me) else { return };
        let Some(capacity) = zone.capacity else { return };
        let wants_call = self.window_call.is_idle();
        for &rule in &zone.capacity_rules {
            let Some(plan) = turn.site.rule(rule) else { continue };
            if wants_call && !plan.windows.is_empty() {
                let change_at = turn.site.next_change(plan, judged_at);
                self.window_call.order(change_at, EntityRef::Zone(me), out);
            }
            let place = Place::Zone(me);
            if !turn.site.is_in_force(plan, judged_at) {
                self.episodes.end(Some(rule), place, AlarmReason::RuleRemoved, turn, out);
                continue;
            }
            let count = self.count(rule, turn);
            if count > capacity {
                let opening = Opening::by_rule(rule, plan, None, place, *evidence);
                self.episodes.open(&opening, turn, out);
            } else if count <= capacity - capacity / FREE_SHARE {
                self.episodes.end(Some(rule), place, AlarmReason::ConditionEnded, turn, out);
            }
        }
    }

    /// How many of the occupants the rule is about.
    fn count(&self, rule: RuleRef, turn: &Turn<'_>) -> u32 {
        let is_counted = |subject: &&SubjectRef| {
            turn.site.subject_rules(**subject).is_some_and(|rules| rules.contains(rule))
        };
        u32::try_from(self.occupants.iter().filter(is_counted).count()).unwrap_or(u32::MAX)
    }

    fn change_site(&mut self, me: ZoneRef, turn: &Turn<'_>, out: &mut Outbox) {
        self.window_call = WindowCall::default();
        let zone = turn.site.zone_plan(me).filter(|zone| zone.capacity.is_some());
        self.episodes.end_where(
            |notice| {
                let rule = notice.rule?;
                let holds = zone.is_some_and(|zone| zone.capacity_rules.contains(&rule));
                (!holds).then_some(AlarmReason::RuleRemoved)
            },
            turn,
            out,
        );
        if turn.site.zone_plan(me).is_none() {
            // Its subjects and anchors are told by the same change; they need not tell it.
            if self.is_blind() {
                out.health.push(HealthChange::Sighted { zone: me });
            }
            self.occupants.clear();
            self.lost_anchors.clear();
            return;
        }
        self.judge(me, &Evidence::of_site_change(turn), turn.now, turn, out);
    }
}

/// That somebody came or went.
fn moved(at: Timestamp, cause: Cause, tag: TagRef, turn: &Turn<'_>) -> Evidence {
    let arrival = Arrival { observed_at: at, received_at: turn.now, cause };
    let evidence = match cause {
        Cause::Deadline { due_at } => Evidence::of_deadline(due_at, turn),
        _ => Evidence::of_arrival(&arrival),
    };
    Evidence { tag: Some(tag), ..evidence }
}
