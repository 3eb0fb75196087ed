//! Subjects that a rule keeps apart, and who are near each other.
//!
//! A pair is judged by one of the two: whom the rule is about, or of two it is about the one whose id
//! comes first. Whoever moves judges its own pairs and tells those near it that judge theirs, so that it is all the
//! same who comes to whom. A position that is old, coarse or of an unknown floor says nobody is near; that
//! two are apart is said by what is left of their distance when both are as far off as they may be.

use ach_actors_model::{AlarmReason, EntityRef, Fix, Place, RuleRef, SubjectRef, Timestamp};
use ach_geo::gate;
use serde::{Deserialize, Serialize};

use crate::cases::Cases;
use crate::docket::{Bench, Docket};
use crate::site::{RuleCondition, RuleSet};
use crate::whereabouts::{SIGHTING_AGE_MAX_NS, Sighting, Whereabouts};
use crate::{DeadlineKind, HealthChange, Message, MessageBody, Outbox, Site, Turn};

/// Whom one subject may be near to at once, by all rules that it judges: a hand's breadth has no room for
/// more. Those beyond are left out until one has gone. Who is not heard any more is not counted: such alarms stay
/// open until he is, and must not hide who comes.
const MEETING_COUNT_MAX: usize = 32;

/// Meetings of one subject in all, with those of whom one is not heard: a few kilobytes of state.
const MEETING_KEPT_MAX: usize = 256;

/// How often an open alarm is looked at when nobody told that one has moved, as one from afar may not. No
/// longer than a position says where somebody is, so that none is missed.
const RELOOK_NS: u64 = SIGHTING_AGE_MAX_NS;

/// Who is told that somebody has moved, at most: as many as may judge that they are near.
const TOLD_COUNT_MAX: usize = 64;

/// Two that are near each other, from the one that judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Meeting {
    pub(crate) rule: RuleRef,
    pub(crate) other: SubjectRef,
    since: Timestamp,
}

/// How near two are to each other, by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearness {
    Near,
    /// Beyond what is near and not surely apart, or near behind a wall.
    Between,
    Apart,
    Unknown,
}

impl Docket {
    /// Whether the subject comes near nobody whom it may not meet, and leaves none, though it has moved.
    pub(crate) fn passes_by(me: SubjectRef, fix: &Fix, turn: &Turn<'_>, out: &mut Outbox) -> bool {
        let rules = turn.site.subject_rules(me).filter(|rules| rules.is_kept_apart());
        let Some(rules) = rules else { return true };
        let by_itself = passes_by(me, fix, rules, turn);
        out.health.extend(by_itself.map(|sighting| located(me, sighting)));
        by_itself.is_some()
    }

    /// The subject has moved: looks at those it may not meet, and tells those who may not meet it.
    pub(crate) fn move_about(&mut self, fix: &Fix, bench: &Bench<'_>, out: &mut Outbox) {
        let (me, turn) = (bench.me, bench.turn);
        let rules = turn.site.subject_rules(me).filter(|rules| rules.is_kept_apart());
        let Some(rules) = rules else { return };
        let is_meeting = self.stirring().is_some_and(|cases| !cases.meetings.is_empty());
        let by_itself = if is_meeting { None } else { passes_by(me, fix, rules, turn) };
        if let Some(sighting) = by_itself {
            out.health.push(located(me, sighting));
            return;
        }
        let sighting = Sighting::of(fix, rules.is_sought);
        let table = turn.health.whereabouts();
        let before = table.sighting(me);
        out.health.push(located(me, sighting));
        let cases = self.cases.get_or_insert_default();
        let mut others = others(table, sighting, before, rules, turn.now);
        let partners = cases.meetings.iter().map(|meeting| meeting.other);
        others.extend(partners.filter(|other| !others.contains(other)).collect::<Vec<_>>());
        let mut told_count = 0;
        for other in others.into_iter().filter(|&other| other != me) {
            cases.judge_nearness(other, Some(sighting), bench, out);
            let is_judge = |rule: &RuleRef| judge_of(turn.site, *rule, me, other) == Some(other);
            if told_count < TOLD_COUNT_MAX && rules.met_by.iter().any(is_judge) {
                told_count += 1;
                let (to, cause) = (EntityRef::Subject(other), bench.evidence.cause);
                let body = MessageBody::Moved { subject: me };
                out.messages.push_back(Message { to, cause, body });
            }
        }
        cases.judge_meetings(Some(sighting), bench, out);
        self.close_empty();
    }

    /// Somebody near the subject has moved, or was near it before.
    pub(crate) fn hear_of(&mut self, other: SubjectRef, bench: &Bench<'_>, out: &mut Outbox) {
        let mine = bench.turn.health.whereabouts().sighting(bench.me);
        let cases = self.cases.get_or_insert_default();
        cases.judge_nearness(other, mine, bench, out);
        cases.judge_meetings(mine, bench, out);
        self.close_empty();
    }

    /// The time that a rule gives to a meeting may be over.
    pub(crate) fn end_term_of_meetings(
        &mut self,
        due_at: Timestamp,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let Some(cases) = &mut self.cases else { return };
        if cases.meeting_call.take(due_at) {
            let mine = bench.turn.health.whereabouts().sighting(bench.me);
            for Meeting { other, .. } in cases.meetings.clone() {
                cases.judge_nearness(other, mine, bench, out);
            }
            cases.judge_meetings(mine, bench, out);
        }
    }

    /// Another version of the site is in force: the subject may be kept apart from others now, or no more.
    pub(crate) fn change_company(
        &mut self,
        fix: Option<&Fix>,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let (me, turn) = (bench.me, bench.turn);
        let rules = turn.site.subject_rules(me);
        let rules = rules.filter(|rules| rules.is_kept_apart()).zip(fix);
        let known = turn.health.whereabouts().sighting(me);
        let sighting = rules.map(|(rules, fix)| match known {
            Some(known) => known.sought(rules.is_sought),
            None => Sighting::of(fix, rules.is_sought),
        });
        if known != sighting {
            out.health.push(HealthChange::Located { subject: me, sighting });
        }
        if let Some(cases) = &mut self.cases {
            cases.judge_meetings(sighting, bench, out);
        }
    }
}

impl Cases {
    /// Judges how near another one is, by each rule of which the subject is the judge.
    fn judge_nearness(
        &mut self,
        other: SubjectRef,
        mine: Option<Sighting>,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let (me, turn) = (bench.me, bench.turn);
        let Some(rules) = turn.site.subject_rules(me) else { return };
        let is_judge = |rule: &RuleRef| judge_of(turn.site, *rule, me, other) == Some(me);
        for &rule in rules.meets.iter().filter(|rule| is_judge(rule)) {
            let is_this = |meeting: &Meeting| meeting.rule == rule && meeting.other == other;
            match nearness(rule, other, mine, bench) {
                Nearness::Near if !self.meetings.iter().any(is_this) => {
                    if self.has_room(bench) {
                        self.meetings.push(Meeting { rule, other, since: turn.now });
                    }
                }
                Nearness::Apart => {
                    self.meetings.retain(|meeting| !is_this(meeting));
                    let (place, reason) = (Place::Subject(other), AlarmReason::ConditionEnded);
                    self.episodes.end(Some(rule), place, reason, turn, out);
                }
                Nearness::Near | Nearness::Between | Nearness::Unknown => {}
            }
        }
    }

    /// Whether one more may be near.
    fn has_room(&self, bench: &Bench<'_>) -> bool {
        let table = bench.turn.health.whereabouts();
        let is_heard = |meeting: &&Meeting| {
            let theirs = table.sighting(meeting.other);
            theirs.is_some_and(|theirs| theirs.is_fresh(bench.turn.now))
        };
        self.meetings.len() < MEETING_KEPT_MAX
            && self.meetings.iter().filter(is_heard).count() < MEETING_COUNT_MAX
    }

    /// Alarms about meetings that have lasted too long, and orders a call for the next that may.
    pub(crate) fn judge_meetings(
        &mut self,
        mine: Option<Sighting>,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let mut next_at: Option<Timestamp> = None;
        let entity = EntityRef::Subject(bench.me);
        for meeting in std::mem::take(&mut self.meetings) {
            let Meeting { rule, other, since } = meeting;
            let Some(plan) = bench.plan(rule) else { continue };
            let RuleCondition::Meets { after_ns, .. } = plan.condition else { continue };
            let place = Place::Subject(other);
            let due_at = since.plus_ns(after_ns);
            if due_at > bench.judged_at {
                // Open only if the rule gave less time before.
                self.episodes.end_not_yet(rule, place, bench.turn, out);
                next_at = Some(next_at.map_or(due_at, |next_at| next_at.min(due_at)));
                self.meetings.push(meeting);
                continue;
            }
            self.window_call.order(bench.next_change(plan), entity, out);
            let is_in_force = bench.is_in_force(plan);
            if !is_in_force {
                self.episodes.end(Some(rule), place, AlarmReason::RuleRemoved, bench.turn, out);
            }
            if self.episodes.get(Some(rule), place).is_none() {
                let nearness = nearness(rule, other, mine, bench);
                if matches!(nearness, Nearness::Unknown | Nearness::Apart) {
                    // Whoever is not seen any more meets nobody.
                    continue;
                }
                if is_in_force {
                    self.open(&bench.opening(rule, plan, place, gate::DWELL), bench, out);
                }
            }
            if is_in_force {
                let look_at = bench.turn.now.plus_ns(RELOOK_NS);
                next_at = Some(next_at.map_or(look_at, |next_at| next_at.min(look_at)));
            }
            self.meetings.push(meeting);
        }
        self.meeting_call.order_for(DeadlineKind::Term, next_at, entity, out);
    }
}

/// Somebody whom rules keep apart from others was seen somewhere.
pub(crate) fn located(subject: SubjectRef, sighting: Sighting) -> HealthChange {
    HealthChange::Located { subject, sighting: Some(sighting) }
}

/// Where somebody is seen whom a fix brings near none of the few whom he may not meet, and who leaves none: then that is
/// all that comes of it. Nothing if it does, or if they are many.
pub(crate) fn passes_by(
    me: SubjectRef,
    fix: &Fix,
    rules: &RuleSet,
    turn: &Turn<'_>,
) -> Option<Sighting> {
    let few = rules.partners.as_deref()?;
    let table = turn.health.whereabouts();
    let (sighting, before) = (Sighting::of(fix, rules.is_sought), table.sighting(me));
    let look_mm = rules.near_mm.max(rules.reach_mm);
    let is_far = |theirs: &Sighting| {
        theirs.is_plainly_beyond(&sighting, look_mm)
            && before.is_none_or(|before| theirs.is_plainly_beyond(&before, look_mm))
    };
    let is_near = |theirs: Sighting| {
        !is_far(&theirs)
            && (theirs.is_near(sighting, rules.near_mm, turn.now)
                || before.is_some_and(|before| is_left(&theirs, before, sighting, rules)))
    };
    let mut others = few.iter().filter(|&&other| other != me);
    let is_by_itself = others.all(|&other| !table.sighting(other).is_some_and(is_near));
    is_by_itself.then_some(sighting)
}

/// Whether somebody who may have been near another one before may not be any more. While he may be, and is not so near
/// that a meeting begins, nothing changes between them.
fn is_left(theirs: &Sighting, before: Sighting, now: Sighting, rules: &RuleSet) -> bool {
    theirs.may_be_near(before, rules.reach_mm) && !theirs.may_be_near(now, rules.apart_mm)
}

/// Whom somebody may begin to meet where he is, and then those whom he has left.
fn others(
    table: &Whereabouts,
    sighting: Sighting,
    before: Option<Sighting>,
    rules: &RuleSet,
    now: Timestamp,
) -> Vec<SubjectRef> {
    let few = rules.partners.as_deref();
    let mut others: Vec<SubjectRef> = match few {
        Some(few) => table.around_among(few, sighting, rules.near_mm, now).collect(),
        None => table.around(sighting, rules.near_mm, now).collect(),
    };
    others.sort_unstable();
    others.dedup();
    let Some(before) = before else { return others };
    let mut left: Vec<SubjectRef> = match few {
        Some(few) => table.about_among(few, before, rules.reach_mm).collect(),
        None => table.about(before, rules.reach_mm).collect(),
    };
    left.sort_unstable();
    left.dedup();
    left.retain(|other| {
        let is_left = |theirs: Sighting| is_left(&theirs, before, sighting, rules);
        others.binary_search(other).is_err() && table.sighting(*other).is_some_and(is_left)
    });
    others.extend(left);
    others
}

/// Which of two judges whether they meet by a rule: whom it is about; of two it is about, the one whose id comes first.
/// `None` if it does not keep them apart.
pub(crate) fn judge_of(
    site: &Site,
    rule: RuleRef,
    a: SubjectRef,
    b: SubjectRef,
) -> Option<SubjectRef> {
    let judges = |who: SubjectRef, other: SubjectRef| {
        let is_about = site.subject_rules(who).is_some_and(|rules| rules.meets.contains(&rule));
        let is_met = site.subject_rules(other).is_some_and(|rules| rules.matters_to(rule));
        is_about && is_met && !site.subject_tags(other).is_empty()
    };
    match (judges(a, b), judges(b, a)) {
        // By their ids, for alarms must not be known by numbers that differ between nodes.
        (true, true) => Some(if site.subject_name(a) <= site.subject_name(b) { a } else { b }),
        (true, false) => Some(a),
        (false, true) => Some(b),
        (false, false) => None,
    }
}

fn nearness(
    rule: RuleRef,
    other: SubjectRef,
    mine: Option<Sighting>,
    bench: &Bench<'_>,
) -> Nearness {
    let theirs = bench.turn.health.whereabouts().sighting(other);
    let condition = bench.plan(rule).map(|plan| plan.condition);
    let (Some(mine), Some(theirs), Some(RuleCondition::Meets { within_mm, apart_mm, .. })) =
        (mine, theirs, condition)
    else {
        return Nearness::Unknown;
    };
    let now = bench.turn.now;
    // Who lies still sends seldom: where he was seen last will do, if the other one has gone.
    let is_heard = mine.is_fresh(now) || theirs.is_fresh(now);
    if is_heard && (mine.is_on_another_floor(&theirs) || mine.is_beyond(&theirs, apart_mm)) {
        return Nearness::Apart;
    }
    let says_where = |sighting: &Sighting| {
        sighting.is_fresh(now) && sighting.knows_floor() && sighting.error_mm() <= within_mm
    };
    if !says_where(&mine) || !says_where(&theirs) {
        return Nearness::Unknown;
    }
    if mine.is_within(&theirs, within_mm) && share_zone(rule, &mine, &theirs, bench) {
        Nearness::Near
    } else {
        Nearness::Between
    }
}

/// Whether two are in the same one of a rule's zones, by their outlines; always, if it has none.
fn share_zone(rule: RuleRef, mine: &Sighting, theirs: &Sighting, bench: &Bench<'_>) -> bool {
    let Some(plan) = bench.plan(rule).filter(|plan| !plan.zones.is_empty()) else { return true };
    let index = bench.turn.site.index();
    let mut zones_of_mine: Vec<u32> = Vec::new();
    index.watches_at(&mine.position(), |watch| zones_of_mine.push(watch.key));
    let mut is_shared = false;
    index.watches_at(&theirs.position(), |watch| {
        is_shared |= zones_of_mine.contains(&watch.key)
            && plan.zones.iter().any(|&(_, of_rule)| of_rule == watch.key);
    });
    is_shared
}
