//! A subject: made of its tags, in and out of zones, under its rules.
//!
//! Of several tags one speaks for the subject ([`Company`]). Its positions become crossings of the
//! watches of the site ([`Occupancy`]); crossings become messages to zones and, by the rules the
//! subject is under, alarms ([`Docket`]).

use std::sync::Arc;

use ach_actors_model::{
    Cause, DoorRef, EntityRef, Fix, Pass, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use ach_geo::{
    Crossing, CrossingKind, Direction, LineCrossing, Lookup, Observation, Occupancy, gate,
};
use serde::{Deserialize, Serialize};

use crate::company::{Company, Voice};
use crate::docket::{Bench, Docket};
use crate::evidence::{Evidence, is_late};
use crate::site::Barrier;
use crate::{Arrival, Deadline, DeadlineKind, Message, MessageBody, Outbox, Site, Turn};

/// The state of one subject. Small, because there are a million; what few subjects have is boxed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Subject {
    pub(crate) fix: Option<Fix>,
    pub(crate) occupancy: Occupancy,
    /// The gate deadline under way, and a later one that is still ordered.
    pub(crate) gate_due: Option<std::num::NonZeroU64>,
    pub(crate) gate_later: Option<std::num::NonZeroU64>,
    pub(crate) docket: Docket,
    /// Its tags that do not speak.
    pub(crate) company: Company,
    /// Shard time less the listening clock of its feed at the latest fix, while a fence timeout
    /// counts from there; else 0.
    pub(crate) unheard_ns: u64,
}

/// What a subject can be told.
#[derive(Debug, Clone, Copy)]
pub enum SubjectInput<'a> {
    /// One of its tags has a new fix.
    Fix {
        /// The fix.
        fix: &'a Fix,
        /// Whether a second position bore out a jump.
        is_jump_confirmed: bool,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// One near it that a rule keeps apart from it has moved.
    Moved {
        /// Who.
        other: SubjectRef,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// Somebody gave it leave.
    PassGiven {
        /// The leave.
        pass: &'a Arc<Pass>,
    },
    /// Somebody ended its leave.
    PassEnded,
    /// Somebody has leave while this one is with it, or no more.
    Escort {
        /// Who.
        ward: SubjectRef,
        /// Whether it wants to know where this one is.
        is_wanted: bool,
    },
    /// Its escort is somewhere.
    EscortSeen {
        /// Who.
        escort: SubjectRef,
        /// Where.
        fix: &'a Fix,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// A badge of it was granted access.
    BadgeGranted {
        /// At which door.
        door: DoorRef,
        /// When, and through which input.
        arrival: Arrival,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged {
        /// The version before.
        old: &'a Site,
    },
}

impl Subject {
    /// Takes one input.
    pub fn step(
        &mut self,
        me: SubjectRef,
        input: SubjectInput<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        self.take(me, input, turn, out);
        self.docket.end_input();
    }

    fn take(&mut self, me: SubjectRef, input: SubjectInput<'_>, turn: &Turn<'_>, out: &mut Outbox) {
        match input {
            SubjectInput::Fix { fix, is_jump_confirmed, cause } => {
                self.follow(me, fix, is_jump_confirmed, cause, turn, out);
            }
            SubjectInput::Due { kind: DeadlineKind::Gate, due_at } => {
                if self.gate_due.is_some_and(|gate_due| gate_due.get() == due_at.0) {
                    self.gate_due = self.gate_later.take();
                    self.expire(me, due_at, turn, out);
                }
            }
            SubjectInput::Due { kind: DeadlineKind::Window, due_at } => {
                let evidence = self.with_place(Evidence::of_deadline(due_at, turn));
                let bench = Bench { me, turn, judged_at: due_at, evidence };
                self.docket.change_hours(due_at, &self.occupancy, &bench, out);
                self.company.change_hours(me, due_at, turn, out);
            }
            SubjectInput::Due { kind: DeadlineKind::Term, due_at } => {
                let evidence = self.with_place(Evidence::of_deadline(due_at, turn));
                let bench = Bench { me, turn, judged_at: due_at, evidence };
                self.docket.come_to_term(due_at, &bench, out);
                self.docket.end_term_of_meetings(due_at, &bench, out);
                self.docket.end_badge_alarms(due_at, &bench, out);
                self.docket.close_empty();
            }
            SubjectInput::Due { kind: DeadlineKind::Pass, due_at } => {
                let evidence = self.with_place(Evidence::of_deadline(due_at, turn));
                let bench = Bench { me, turn, judged_at: due_at, evidence };
                let own = self.fix.as_ref();
                self.docket.call_pass(due_at, own, &self.occupancy, &bench, out);
            }
            SubjectInput::Due { kind: DeadlineKind::Delay, due_at } => {
                let evidence = self.with_place(Evidence::of_deadline(due_at, turn));
                self.docket.end_delay(due_at, &evidence, turn, out);
            }
            SubjectInput::Due { kind: DeadlineKind::Silence, .. } => {}
            SubjectInput::Moved { other, cause } => {
                let (observed_at, received_at) = (turn.now, turn.now);
                let arrival = Arrival { observed_at, received_at, cause };
                let evidence = self.with_place(Evidence::of_arrival(&arrival));
                let bench = Bench { me, turn, judged_at: turn.now, evidence };
                self.docket.hear_of(other, &bench, out);
            }
            SubjectInput::PassGiven { .. }
            | SubjectInput::PassEnded
            | SubjectInput::Escort { .. }
            | SubjectInput::EscortSeen { .. } => self.follow_pass(me, input, turn, out),
            SubjectInput::BadgeGranted { door, arrival } => {
                self.show_badge(me, (door, &arrival), turn, out);
            }
            SubjectInput::SiteChanged { old } => self.change_site(me, old, turn, out),
        }
    }

    /// Where it is taken to be: the fix of the tag that speaks for it.
    pub fn fix(&self) -> Option<Fix> {
        self.fix
    }

    /// The zones it is in, by the zones' own gates.
    pub fn zones<'a>(&'a self, site: &'a Site) -> impl Iterator<Item = ZoneRef> + 'a {
        let presences = self.occupancy.presences(site.index());
        presences.filter(|presence| presence.is_in).filter_map(|presence| {
            let watch = site.watch(presence.watch)?;
            watch.is_plain.then_some(watch.zone)
        })
    }

    fn follow(
        &mut self,
        me: SubjectRef,
        fix: &Fix,
        is_jump_confirmed: bool,
        cause: Cause,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some((fix, is_leap)) = self.listen(me, fix, cause, turn, out) else { return };
        if self.occupancy.next_due_ns().is_some_and(|due_ns| due_ns <= fix.received_at.0) {
            self.excuse(turn);
        }
        let before = self.fix.replace(fix);
        let fix = &fix;
        let seen = observation(fix);
        let mut crossings = std::mem::take(&mut out.crossings);
        let lookup = self.occupancy.observe(turn.site.index(), &seen, &mut crossings);
        let is_looked_at =
            lookup == Lookup::Index || !crossings.is_empty() || self.docket.is_waiting();
        if is_looked_at || !Docket::passes_by(me, fix, turn, out) {
            let (observed_at, received_at) = (fix.observed_at, fix.received_at);
            let arrival = Arrival { observed_at, received_at, cause };
            let mut evidence = self.with_place(Evidence::of_arrival(&arrival));
            if is_jump_confirmed || is_leap {
                evidence.gates_passed |= gate::JUMP_CONFIRMED;
            }
            let bench = Bench { me, turn, judged_at: turn.now, evidence };
            self.docket.catch_up(&bench, out);
            self.judge(&crossings, before.as_ref(), &bench, out);
            if before.is_none() || !crossings.is_empty() {
                self.docket.look_home(&crossings, &self.occupancy, &bench, out);
            }
            if lookup == Lookup::Index
                && let Some(before) = before
            {
                self.pass_barriers(&before, fix, &bench, out);
            }
            if before.is_some_and(|before| is_out_of_sight(&before, fix, turn.site)) {
                self.docket.lose_sight();
            }
            self.docket.look_again(fix, &self.occupancy, &bench, out);
            self.docket.move_about(fix, &bench, out);
            self.docket.follow_pass(Some(fix), &self.occupancy, &bench, out);
            self.docket.tell_wards(fix, &bench, out);
            self.docket.follow_badges(fix, &bench, out);
        }
        crossings.clear();
        out.crossings = crossings;
        self.unheard_ns = if self.occupancy.has_fence_timeout() { self.lag_ns(turn) } else { 0 };
        self.arm(me, out);
    }

    /// The fix that replaces the one in force, and whether it is another tag's and far away; `None`
    /// if none does.
    fn listen(
        &mut self,
        me: SubjectRef,
        fix: &Fix,
        cause: Cause,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Option<(Fix, bool)> {
        let Some(current) = &self.fix else { return Some((*fix, false)) };
        if fix.tag == current.tag {
            return is_next(current, fix).then_some((*fix, false));
        }
        let is_leap = if turn.site.tag_subject(current.tag) == Some(me) {
            match self.company.hear(me, fix, current, cause, turn, out) {
                Voice::Unheard => return None,
                Voice::Follows => false,
                Voice::Leaps => true,
            }
        } else {
            self.company.succeed(fix.tag, turn, out);
            true
        };
        // Its feed may be slower than that of the tag it takes over from; time does not go back.
        let observed_at = fix.observed_at.max(current.observed_at).min(fix.received_at);
        let is_in_order = observed_at >= current.observed_at;
        is_in_order.then_some((Fix { observed_at, ..*fix }, is_leap))
    }

    /// Tells zones and rules about each crossing. What was over already when `before` arrived is
    /// late if that was.
    fn judge(
        &mut self,
        crossings: &[Crossing],
        before: Option<&Fix>,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let late = before.filter(|fix| is_late(fix.observed_at, fix.received_at));
        for crossing in crossings {
            let was_over = late.is_some_and(|fix| self.has_ended_at(crossing, fix.received_at));
            let is_late = bench.evidence.is_late || was_over;
            let bench = &Bench { evidence: Evidence { is_late, ..bench.evidence }, ..*bench };
            let Some(watch) = bench.turn.site.watch(crossing.watch) else { continue };
            if watch.is_plain {
                let at = Timestamp(crossing.at_ns);
                match crossing.kind {
                    CrossingKind::Entered => self.tell(watch.zone, true, at, bench, out),
                    CrossingKind::Exited => self.tell(watch.zone, false, at, bench, out),
                    _ => {}
                }
            }
            self.docket.judge(crossing, watch, bench, out);
        }
    }

    fn tell(&self, zone: ZoneRef, is_in: bool, at: Timestamp, bench: &Bench<'_>, out: &mut Outbox) {
        let Some(fix) = &self.fix else { return };
        let (subject, tag) = (bench.me, fix.tag);
        let body = if is_in {
            MessageBody::Entered { subject, tag, at }
        } else {
            MessageBody::Exited { subject, tag, at }
        };
        let to = EntityRef::Zone(zone);
        out.messages.push_back(Message { to, cause: bench.evidence.cause, body });
    }

    /// Finds the lines and doors passed since the fix before, if that was short enough ago for a
    /// straight path to be believed. A path of unknown floor passes nothing but lines, and those
    /// only on trial; a jump passes lines, for whoever is outside now has got there somehow, but no
    /// door.
    fn pass_barriers(&mut self, before: &Fix, fix: &Fix, bench: &Bench<'_>, out: &mut Outbox) {
        let site = bench.turn.site;
        if is_out_of_sight(before, fix, site) {
            return;
        }
        let is_jump = bench.evidence.gates_passed & gate::JUMP_CONFIRMED != 0;
        let mut passed: Vec<LineCrossing> = Vec::new();
        site.index().lines_crossed(&before.position, &fix.position, &mut passed);
        // A line is made of several pieces, and a path may cross it to and fro: what counts is
        // where it ends.
        let mut net: Vec<(u32, i32, bool)> = Vec::new();
        for crossing in &passed {
            let step = match crossing.direction {
                Direction::LeftToRight => 1,
                Direction::RightToLeft => -1,
            };
            match net.iter_mut().find(|(key, ..)| *key == crossing.line) {
                Some((_, sum, _)) => *sum += step,
                None => net.push((crossing.line, step, crossing.is_floor_unknown)),
            }
        }
        for (key, sum, is_floor_unknown) in net.into_iter().filter(|&(_, sum, _)| sum != 0) {
            match Barrier::of_key(key) {
                Barrier::Line(line) if sum > 0 => {
                    self.docket.cross_outward(line, is_floor_unknown, fix, bench, out);
                }
                Barrier::Line(line) => {
                    self.docket.cross_inward(line, is_floor_unknown, bench, out);
                }
                Barrier::Sill(door) if !is_floor_unknown && !is_jump => {
                    self.pass_sill(door, (before, fix), sum < 0, bench, out);
                }
                Barrier::Sill(_) => {}
            }
        }
    }

    fn expire(&mut self, me: SubjectRef, due_at: Timestamp, turn: &Turn<'_>, out: &mut Outbox) {
        self.excuse(turn);
        let mut crossings = std::mem::take(&mut out.crossings);
        self.occupancy.expire(turn.site.index(), due_at.0, &mut crossings);
        if !self.occupancy.has_fence_timeout() {
            self.unheard_ns = 0;
        }
        let evidence = self.with_place(Evidence::of_deadline(due_at, turn));
        let bench = Bench { me, turn, judged_at: due_at, evidence };
        let latest = self.fix;
        self.judge(&crossings, latest.as_ref(), &bench, out);
        if !crossings.is_empty() {
            self.docket.look_home(&crossings, &self.occupancy, &bench, out);
        }
        self.docket.follow_pass(latest.as_ref(), &self.occupancy, &bench, out);
        crossings.clear();
        out.crossings = crossings;
        self.arm(me, out);
    }

    /// Orders a call for the next gate, unless an earlier one is ordered. A deadline cannot be taken
    /// back: the later one is remembered, so that a stay of hours is not ordered again whenever a
    /// gate of seconds has opened.
    fn arm(&mut self, me: SubjectRef, out: &mut Outbox) {
        let Some(next) = self.occupancy.next_due_ns().and_then(std::num::NonZeroU64::new) else {
            return;
        };
        if self.gate_due.is_none_or(|gate_due| next < gate_due) {
            self.gate_later = self.gate_later.or(self.gate_due);
            self.gate_due = Some(next);
            let (entity, kind) = (EntityRef::Subject(me), DeadlineKind::Gate);
            out.deadlines.push(Deadline { due_at: Timestamp(next.get()), entity, kind });
        }
    }

    fn change_site(&mut self, me: SubjectRef, old: &Site, turn: &Turn<'_>, out: &mut Outbox) {
        let site = turn.site;
        let evidence = self.with_place(Evidence::of_site_change(turn));
        let bench = Bench { me, turn, judged_at: turn.now, evidence };
        // A zone that was removed empties itself; nobody left it.
        let still_exists = |zone: &ZoneRef| site.zone_plan(*zone).is_some();
        let was_in: Vec<ZoneRef> = self.zones(old).filter(still_exists).collect();
        let is_gone = site.subject_tags(me).is_empty() || site.subject_class(me).is_none();
        if is_gone {
            self.occupancy = Occupancy::default();
            (self.gate_due, self.gate_later) = (None, None);
            self.docket.close(&bench, out);
        } else {
            let presences = self.occupancy.presences(old.index());
            let watches: Vec<u32> = presences.map(|presence| presence.watch).collect();
            let heirs = site.heirs_of(old, &watches);
            self.occupancy.rebase(old.index(), site.index(), &heirs, &mut Vec::new());
        }
        let is_in: Vec<ZoneRef> = self.zones(site).collect();
        for &zone in was_in.iter().filter(|zone| !is_in.contains(zone)) {
            self.tell(zone, false, turn.now, &bench, out);
        }
        for &zone in is_in.iter().filter(|zone| !was_in.contains(zone)) {
            self.tell(zone, true, turn.now, &bench, out);
        }
        if is_gone {
            self.fix = None;
            self.company.close(turn, out);
            self.docket.change_company(None, &bench, out);
            return;
        }
        self.company.change_site(me, self.fix.map(|fix| fix.tag), turn, out);
        let feed = |site: &Site| self.fix.and_then(|fix| site.tag_source(fix.tag));
        let is_counting = self.occupancy.has_fence_timeout();
        if !is_counting || self.unheard_ns == 0 || feed(old) != feed(site) {
            // Another clock, or a timeout that is new: silence counts from now.
            let heard_at = self.fix.map_or(turn.now, |fix| fix.received_at);
            let lag_ns = self.lag_ns(turn).saturating_sub(turn.now.since_ns(heard_at));
            self.unheard_ns = if is_counting { lag_ns } else { 0 };
            self.excuse(turn);
        }
        self.docket.change_site(old, &self.occupancy, &bench, out);
        if self.fix.is_some() {
            self.docket.look_home(&[], &self.occupancy, &bench, out);
        }
        self.docket.change_company(self.fix.as_ref(), &bench, out);
        self.docket.follow_pass(self.fix.as_ref(), &self.occupancy, &bench, out);
        // A deadline may have come nearer; if it has gone, the one under way finds nothing to do.
        self.arm(me, out);
    }

    /// Whether a gate's time was over at a moment. One that was over before the position came that
    /// set it is over when that comes; what happened with the position in force was not.
    fn has_ended_at(&self, crossing: &Crossing, at: Timestamp) -> bool {
        let is_timed = matches!(crossing.kind, CrossingKind::Dwelled | CrossingKind::Exited);
        let is_of_now = self.fix.is_some_and(|fix| fix.observed_at.0 == crossing.at_ns);
        is_timed && crossing.at_ns == at.0 && !is_of_now
    }

    pub(crate) fn with_place(&self, evidence: Evidence) -> Evidence {
        let Some(fix) = &self.fix else { return evidence };
        let tag: Option<TagRef> = Some(fix.tag);
        let (position, accuracy_mm) = (Some(fix.position), fix.accuracy_mm);
        Evidence { tag, position, accuracy_mm, ..evidence }
    }
}

/// Whether too long has passed between two fixes for a straight path to be believed.
fn is_out_of_sight(before: &Fix, fix: &Fix, site: &Site) -> bool {
    fix.observed_at.since_ns(before.observed_at) > site.largest_gap_ns()
}

/// Whether a fix of the tag that speaks is not older than the one in force.
pub(crate) fn is_next(current: &Fix, fix: &Fix) -> bool {
    fix.tag == current.tag && fix.observed_at >= current.observed_at
}

pub(crate) fn observation(fix: &Fix) -> Observation {
    Observation {
        position: fix.position,
        accuracy_mm: fix.accuracy_mm,
        observed_at_ns: fix.observed_at.0,
        received_at_ns: fix.received_at.0,
    }
}
