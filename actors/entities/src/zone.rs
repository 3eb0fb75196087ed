//! A zone: who is in it, how many it may hold, and whether it can be seen.

use ach_actors_model::{
    AlarmReason, AnchorRef, Cause, EntityRef, Event, EventKind, Place, RuleRef, SubjectRef, TagRef,
    Timestamp, ZoneRef,
};

use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::site::ZonePlan;
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
    /// What the input under way did to the occupants. A building holds thousands, so they are
    /// put back by undoing and not by a copy.
    moves: Vec<Move>,
    /// How many of the occupants each capacity rule of the zone is about.
    counts: Vec<u32>,
    /// The version of the site the counts were made by.
    counted_version: u32,
    /// Ascending. Bounded by the anchors that cover it.
    lost_anchors: Vec<AnchorRef>,
    window_call: WindowCall,
    episodes: Episodes,
}

/// Somebody came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Move {
    subject: SubjectRef,
    is_in: bool,
}

/// What puts a zone back to what it was before an input, its occupants excepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSaved {
    counts: Vec<u32>,
    counted_version: u32,
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
                if turn.site.zone_plan(me).is_none() || !self.change(me, subject, true, turn) {
                    return;
                }
                let occupant_count = self.occupant_count();
                let kind = EventKind::ZoneEntered { subject, zone: me, tag, occupant_count };
                out.effects.push(Effect::Event(Event { at: turn.now, kind }));
                self.judge(me, &moved(at, cause, tag, turn), turn.now, turn, out);
            }
            ZoneInput::Exited { subject, tag, at, cause } => {
                if !self.change(me, subject, false, turn) {
                    return;
                }
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

    /// Puts somebody in or out, and on or off the counts. False if that changes nothing.
    fn change(&mut self, me: ZoneRef, subject: SubjectRef, is_in: bool, turn: &Turn<'_>) -> bool {
        match (self.occupants.binary_search(&subject), is_in) {
            (Err(place), true) => self.occupants.insert(place, subject),
            (Ok(place), false) => {
                self.occupants.remove(place);
            }
            _ => return false,
        }
        self.moves.push(Move { subject, is_in });
        let Some(zone) = turn.site.zone_plan(me) else { return true };
        let (Some(rules), true) =
            (turn.site.subject_rules(subject), self.counted_version == turn.site.version())
        else {
            return true;
        };
        for (count, &rule) in self.counts.iter_mut().zip(&zone.capacity_rules) {
            if rules.contains(rule) {
                *count = if is_in { count.saturating_add(1) } else { count.saturating_sub(1) };
            }
        }
        true
    }

    /// What undoes the next input.
    pub(crate) fn begin_input(&mut self) -> ZoneSaved {
        self.moves.clear();
        ZoneSaved {
            counts: self.counts.clone(),
            counted_version: self.counted_version,
            lost_anchors: self.lost_anchors.clone(),
            window_call: self.window_call,
            episodes: self.episodes.clone(),
        }
    }

    /// Undoes the input under way.
    pub(crate) fn undo_input(&mut self, saved: ZoneSaved) {
        while let Some(Move { subject, is_in }) = self.moves.pop() {
            match (self.occupants.binary_search(&subject), is_in) {
                (Ok(place), true) => {
                    self.occupants.remove(place);
                }
                (Err(place), false) => self.occupants.insert(place, subject),
                _ => {}
            }
        }
        let ZoneSaved { counts, counted_version, lost_anchors, window_call, episodes } = saved;
        self.counts = counts;
        self.counted_version = counted_version;
        self.lost_anchors = lost_anchors;
        self.window_call = window_call;
        self.episodes = episodes;
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
        self.count_anew_if_changed(zone, turn);
        let wants_call = self.window_call.is_idle();
        for (at, &rule) in zone.capacity_rules.iter().enumerate() {
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
            let count = self.counts.get(at).copied().unwrap_or(0);
            if count > capacity {
                let opening = Opening::by_rule(rule, plan, None, place, *evidence);
                self.episodes.open(&opening, turn, out);
            } else if count <= capacity - capacity / FREE_SHARE {
                self.episodes.end(Some(rule), place, AlarmReason::ConditionEnded, turn, out);
            }
        }
    }

    /// Counts the occupants by rule, once for every version of the site.
    fn count_anew_if_changed(&mut self, zone: &ZonePlan, turn: &Turn<'_>) {
        if self.counted_version == turn.site.version() {
            return;
        }
        self.counted_version = turn.site.version();
        let count = |&rule: &RuleRef| {
            let is_counted = |subject: &&SubjectRef| {
                turn.site.subject_rules(**subject).is_some_and(|rules| rules.contains(rule))
            };
            u32::try_from(self.occupants.iter().filter(is_counted).count()).unwrap_or(u32::MAX)
        };
        self.counts = zone.capacity_rules.iter().map(count).collect();
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
            let left = std::mem::take(&mut self.occupants);
            self.moves.extend(left.into_iter().map(|subject| Move { subject, is_in: false }));
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
