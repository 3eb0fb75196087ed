//! A zone: who is in it and alone there, how many it may hold, what moves in it while nobody is, and whether the
//! anchors that cover it work.

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmReason, AnchorRef, Cause, EntityRef, Event, EventKind, Place,
    RuleRef, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::lone::LoneWatch;
use crate::motion::MotionWatch;
use crate::occupants::Occupants;
use crate::site::ZonePlan;
use crate::zone_bench::{Stir, ZoneBench};
use crate::{Arrival, DeadlineKind, Effect, HealthChange, Outbox, Turn};

/// An over-full zone is full enough again when this share of its capacity is free, so that one
/// person going in and out at the limit is one alarm: a tenth, which below ten is nobody.
const FREE_SHARE: u32 = 10;

/// The state of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Zone {
    occupants: Occupants,
    rare: Option<Box<Rare>>,
}

/// What few zones ever have: a capacity, a rule about who is alone or what moves there, an anchor that was lost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Rare {
    /// How many of the occupants each capacity rule of the zone is about.
    counts: Vec<u32>,
    /// The version of the site the counts were made by.
    counted_version: u32,
    /// Ascending. Bounded by the anchors that cover it.
    lost_anchors: Vec<AnchorRef>,
    window_call: CallBack,
    episodes: Episodes,
    lone: LoneWatch,
    motion: MotionWatch,
}

/// What puts a zone back to what it was before an input; its occupants undo their moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSaved {
    rare: Option<Box<Rare>>,
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
    /// Something moves in it.
    MotionSeen(Arrival),
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
                if turn.site.zone_plan(me).is_none() || !self.change(me, subject, true, turn) {
                    return;
                }
                let occupant_count = self.occupants.count();
                let kind = EventKind::ZoneEntered { subject, zone: me, tag, occupant_count };
                out.effects.push(Effect::Event(Event { at: turn.now, kind }));
                let evidence = moved(at, cause, tag, turn);
                self.judge(me, &evidence, turn.now, turn, out);
                let stir = Stir::Moved { subject, is_in: true, at: at.min(turn.now) };
                self.judge_loners(me, stir, &evidence, turn.now, turn, out);
                self.judge_motion(me, stir, &evidence, turn.now, turn, out);
            }
            ZoneInput::Exited { subject, tag, at, cause } => {
                if !self.change(me, subject, false, turn) {
                    return;
                }
                let occupant_count = self.occupants.count();
                let kind = EventKind::ZoneExited { subject, zone: me, tag, occupant_count };
                out.effects.push(Effect::Event(Event { at: turn.now, kind }));
                let evidence = moved(at, cause, tag, turn);
                self.judge(me, &evidence, turn.now, turn, out);
                let stir = Stir::Moved { subject, is_in: false, at: at.min(turn.now) };
                self.judge_loners(me, stir, &evidence, turn.now, turn, out);
                self.judge_motion(me, stir, &evidence, turn.now, turn, out);
            }
            ZoneInput::AnchorLost(anchor) => self.lose(me, anchor, turn, out),
            ZoneInput::AnchorFound(anchor) => self.find(me, anchor, turn, out),
            ZoneInput::MotionSeen(arrival) => self.see_motion(me, &arrival, turn, out),
            ZoneInput::Due { kind: DeadlineKind::Window, due_at } => {
                if self.rare.as_mut().is_some_and(|rare| rare.window_call.take(due_at)) {
                    let evidence = Evidence::of_deadline(due_at, turn);
                    self.judge(me, &evidence, due_at, turn, out);
                    self.judge_loners(me, Stir::Time, &evidence, due_at, turn, out);
                }
            }
            ZoneInput::Due { kind: DeadlineKind::Term, due_at } => {
                let Some(rare) = &mut self.rare else { return };
                let is_of_loners = rare.lone.take_call(due_at);
                let is_of_motion = rare.motion.take_call(due_at);
                let evidence = Evidence::of_deadline(due_at, turn);
                if is_of_loners {
                    self.judge_loners(me, Stir::Time, &evidence, due_at, turn, out);
                }
                if is_of_motion {
                    self.judge_motion(me, Stir::Time, &evidence, due_at, turn, out);
                }
            }
            ZoneInput::Due { kind: DeadlineKind::Delay, due_at } => {
                if let Some(rare) = &mut self.rare {
                    let evidence = Evidence::of_deadline(due_at, turn);
                    rare.episodes.fall_due(due_at, &evidence, turn, out);
                }
            }
            ZoneInput::Due { .. } => {}
            ZoneInput::SiteChanged => self.change_site(me, turn, out),
        }
    }

    /// Who is in it, ascending.
    pub fn occupants(&self) -> &[SubjectRef] {
        self.occupants.as_slice()
    }

    /// Whether an anchor that covers it is lost.
    fn is_without_anchor(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.lost_anchors.is_empty())
    }

    /// Puts somebody in or out, and on or off the counts. False if that changes nothing.
    fn change(&mut self, me: ZoneRef, subject: SubjectRef, is_in: bool, turn: &Turn<'_>) -> bool {
        if !self.occupants.put(subject, is_in) {
            return false;
        }
        if let (Some(rare), Some(zone), Some(rules)) =
            (&mut self.rare, turn.site.zone_plan(me), turn.site.subject_rules(subject))
            && rare.counted_version == turn.site.version()
        {
            for (count, &rule) in rare.counts.iter_mut().zip(&zone.capacity_rules) {
                if rules.contains(rule) {
                    *count = if is_in { count.saturating_add(1) } else { count.saturating_sub(1) };
                }
            }
        }
        true
    }

    /// What undoes the next input.
    pub(crate) fn begin_input(&mut self) -> ZoneSaved {
        self.occupants.begin_input();
        ZoneSaved { rare: self.rare.clone() }
    }

    /// Undoes the input under way.
    pub(crate) fn undo_input(&mut self, saved: ZoneSaved) {
        self.occupants.undo_input();
        self.rare = saved.rare;
    }

    fn lose(&mut self, me: ZoneRef, anchor: AnchorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let lost_anchors = &mut self.rare.get_or_insert_default().lost_anchors;
        let Err(place) = lost_anchors.binary_search(&anchor) else { return };
        lost_anchors.insert(place, anchor);
        if lost_anchors.len() == 1 {
            out.health.push(HealthChange::WentBlind { zone: me });
            let kind = EventKind::ZoneWentBlind { zone: me, without: anchor };
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        }
    }

    fn find(&mut self, me: ZoneRef, anchor: AnchorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(rare) = &mut self.rare else { return };
        let Ok(place) = rare.lost_anchors.binary_search(&anchor) else { return };
        rare.lost_anchors.remove(place);
        if rare.lost_anchors.is_empty() {
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
        let rare = self.rare.get_or_insert_default();
        rare.count_anew_if_changed(self.occupants.as_slice(), zone, turn);
        rare.episodes.catch_up(evidence.observed_at, turn, out);
        let wants_call = rare.window_call.is_idle();
        for (at, &rule) in zone.capacity_rules.iter().enumerate() {
            let Some(plan) = turn.site.rule(rule) else { continue };
            if wants_call && !plan.windows.is_empty() {
                let change_at = turn.site.next_change(plan, judged_at);
                rare.window_call.order(change_at, EntityRef::Zone(me), out);
            }
            let place = Place::Zone(me);
            if !turn.site.is_in_force(plan, judged_at) {
                rare.episodes.end(Some(rule), place, AlarmReason::RuleRemoved, turn, out);
                continue;
            }
            let count = rare.counts.get(at).copied().unwrap_or(0);
            if count > capacity {
                let opening = Opening::by_rule(rule, plan, None, place, *evidence);
                rare.episodes.open(&opening, turn, out);
            } else if count <= capacity - capacity / FREE_SHARE {
                rare.episodes.end(Some(rule), place, AlarmReason::ConditionEnded, turn, out);
            } else {
                // What waits to be told must hold all the while.
                rare.episodes.give_up_waiting(rule, place);
            }
        }
    }

    /// Judges who is alone in it.
    fn judge_loners(
        &mut self,
        me: ZoneRef,
        stir: Stir,
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let judged = (evidence, judged_at);
        let rules = |plan: &ZonePlan| !plan.lone_rules.is_empty();
        let Some((rare, bench)) = self.sit(me, judged, rules, turn) else { return };
        rare.lone.stir(stir, &bench);
        rare.lone.judge(&bench, &mut rare.episodes, &mut rare.window_call, out);
    }

    /// Judges what moves in it.
    fn judge_motion(
        &mut self,
        me: ZoneRef,
        stir: Stir,
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let judged = (evidence, judged_at);
        let Some((rare, bench)) = self.sit(me, judged, watches_motion, turn) else { return };
        rare.motion.stir(stir, &bench);
        rare.motion.judge(&bench, &mut rare.episodes, out);
    }

    fn see_motion(&mut self, me: ZoneRef, arrival: &Arrival, turn: &Turn<'_>, out: &mut Outbox) {
        let judged = (&Evidence::of_arrival(arrival), turn.now);
        let Some((rare, bench)) = self.sit(me, judged, watches_motion, turn) else { return };
        rare.motion.see(arrival, &bench);
        rare.motion.judge(&bench, &mut rare.episodes, out);
    }

    /// What a zone with such rules judges by; nothing of one without.
    fn sit<'a>(
        &'a mut self,
        me: ZoneRef,
        (evidence, judged_at): (&'a Evidence, Timestamp),
        has_rules: impl Fn(&ZonePlan) -> bool,
        turn: &'a Turn<'a>,
    ) -> Option<(&'a mut Rare, ZoneBench<'a>)> {
        let plan = turn.site.zone_plan(me).filter(|&plan| has_rules(plan))?;
        let rare = &mut **self.rare.get_or_insert_default();
        let occupants = self.occupants.as_slice();
        Some((rare, ZoneBench { me, plan, occupants, evidence, judged_at, turn }))
    }

    fn change_site(&mut self, me: ZoneRef, turn: &Turn<'_>, out: &mut Outbox) {
        let zone = turn.site.zone_plan(me);
        if let Some(rare) = &mut self.rare {
            rare.window_call = CallBack::default();
            let reason = |notice: &AlarmNotice| {
                let (rule, zone) = (notice.rule?, zone);
                let holds = zone.is_some_and(|zone| match notice.kind {
                    AlarmKind::LoneWorker => zone.lone_rules.contains(&rule),
                    AlarmKind::UnexplainedMotion => zone.motion_rules.contains(&rule),
                    _ => zone.capacity.is_some() && zone.capacity_rules.contains(&rule),
                });
                (!holds).then_some(AlarmReason::RuleRemoved)
            };
            rare.episodes.end_where(reason, turn, out);
        }
        if turn.site.zone_plan(me).is_none() {
            // Its subjects and anchors are told by the same change; they need not tell it.
            if self.is_without_anchor() {
                out.health.push(HealthChange::Sighted { zone: me });
            }
            self.occupants.clear();
            if let Some(rare) = &mut self.rare {
                rare.lost_anchors.clear();
                rare.lone = LoneWatch::default();
                rare.motion = MotionWatch::default();
            }
            return;
        }
        let evidence = Evidence::of_site_change(turn);
        self.judge(me, &evidence, turn.now, turn, out);
        if let (Some(rare), Some(zone)) = (&mut self.rare, zone) {
            if zone.lone_rules.is_empty() {
                rare.lone = LoneWatch::default();
            }
            if zone.motion_rules.is_empty() {
                rare.motion = MotionWatch::default();
            }
        }
        self.judge_loners(me, Stir::Time, &evidence, turn.now, turn, out);
        self.judge_motion(me, Stir::Time, &evidence, turn.now, turn, out);
        if let Some(rare) = &mut self.rare {
            rare.episodes.settle(turn.now, &evidence, turn, out);
        }
    }
}

impl Rare {
    /// Counts the occupants by rule, once for every version of the site.
    fn count_anew_if_changed(
        &mut self,
        occupants: &[SubjectRef],
        zone: &ZonePlan,
        turn: &Turn<'_>,
    ) {
        if self.counted_version == turn.site.version() {
            return;
        }
        self.counted_version = turn.site.version();
        let count = |&rule: &RuleRef| {
            let is_counted = |subject: &&SubjectRef| {
                turn.site.subject_rules(**subject).is_some_and(|rules| rules.contains(rule))
            };
            u32::try_from(occupants.iter().filter(is_counted).count()).unwrap_or(u32::MAX)
        };
        self.counts = zone.capacity_rules.iter().map(count).collect();
    }
}

fn watches_motion(plan: &ZonePlan) -> bool {
    !plan.motion_rules.is_empty()
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
