//! Badges of a subject that were granted access where it cannot have been.
//!
//! A grant is held against the latest position of the subject, and against those that come within a
//! minute of it: whoever is further from the door than he can go in the time between the two is
//! elsewhere. One grant is a moment and nothing that ends, so the alarm stands for ten minutes after
//! the last one at its door; it is over sooner when the subject is seen at the door within the minute, for then a
//! position or a clock was wrong.

use ach_actors_model::{
    AlarmNotice, AlarmReason, BadgeRef, DoorRef, EntityRef, Fix, NS_PER_MS, NS_PER_S, Place,
    RuleRef, SubjectRef, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::cases::Cases;
use crate::docket::{Bench, Docket};
use crate::evidence::Evidence;
use crate::site::{RuleCondition, RulePlan};
use crate::tag::ACCURACY_UNKNOWN_MM;
use crate::{Arrival, DeadlineKind, Message, MessageBody, Outbox, Subject, Turn};

/// A position says for so long, before and after, where somebody was at a grant: as for meetings.
const FRESH_NS: u64 = 60 * NS_PER_S;

/// Grants of one subject that are held against its next positions by one rule: nobody shows badges at more doors
/// in a minute. The oldest gives way.
const GRANT_COUNT_MAX: usize = 8;

/// How long an alarm stands after the last grant at its door: whoever tries a stolen badge tries it again, and
/// that is one alarm; a guard who was called needs some minutes.
const STANDS_NS: u64 = 600 * NS_PER_S;

/// Height of a storey, the least that is built: who changes floors goes at least so far.
const STOREY_MM: u64 = 3_000;

/// Hundredths of a storey that a floor is told in.
const STOREY: u64 = 100;

/// What is kept of grants to the badges of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct BadgeCase {
    /// Those that the next positions are held against, as they came. Bounded by a limit for each rule.
    grants: Vec<Grant>,
    /// Until when alarms stand; bounded by the pairs of rule and door.
    ends: Vec<End>,
    call: CallBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Grant {
    /// By which it is judged: what is near enough for one rule may be too far for another.
    rule: RuleRef,
    door: DoorRef,
    at: Timestamp,
    /// Whether it was told late.
    is_late: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct End {
    rule: RuleRef,
    door: DoorRef,
    at: Timestamp,
}

/// Where a subject was at a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whereabout {
    /// At the door.
    There,
    /// Where it may have come from, or gone to.
    Possible,
    /// Too far away.
    Elsewhere,
}

impl BadgeCase {
    /// Whether the next position is waited for.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.grants.is_empty()
    }

    fn wait(&mut self, grant: Grant) {
        let is_of = |known: &Grant| known.rule == grant.rule;
        if self.grants.iter().filter(|known| is_of(known)).count() >= GRANT_COUNT_MAX
            && let Some(oldest) = self.grants.iter().position(is_of)
        {
            self.grants.remove(oldest);
        }
        self.grants.push(grant);
    }

    fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.ends.is_empty() && self.call.is_idle()
    }
}

impl Subject {
    /// A badge of it was granted access at a door.
    pub(crate) fn show_badge(
        &mut self,
        me: SubjectRef,
        (door, arrival): (DoorRef, &Arrival),
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let evidence = self.with_place(Evidence::of_arrival(arrival));
        let bench = Bench { me, turn, judged_at: turn.now, evidence };
        self.docket.show_badge(door, arrival.happened_at(), self.fix.as_ref(), &bench, out);
    }
}

impl Docket {
    /// A badge of the subject was granted access at a door.
    fn show_badge(
        &mut self,
        door: DoorRef,
        at: Timestamp,
        fix: Option<&Fix>,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let mut rules = rules_at(door, bench).peekable();
        if rules.peek().is_none() {
            return;
        }
        let cases = self.cases.get_or_insert_default();
        let case = cases.badges.get_or_insert_default();
        for rule in rules {
            case.wait(Grant { rule, door, at, is_late: bench.evidence.is_late });
        }
        if let Some(fix) = fix {
            cases.judge_grants(fix, bench, out);
        }
    }

    /// The subject was seen.
    pub(crate) fn follow_badges(&mut self, fix: &Fix, bench: &Bench<'_>, out: &mut Outbox) {
        let badges = self.stirring().and_then(|cases| cases.badges.as_ref());
        if badges.is_some_and(|case| case.is_waiting())
            && let Some(cases) = &mut self.cases
        {
            cases.judge_grants(fix, bench, out);
        }
    }

    /// The time for which alarms about badges stand may be over.
    pub(crate) fn end_badge_alarms(
        &mut self,
        due_at: Timestamp,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let Some(cases) = self.cases.as_deref_mut() else { return };
        let Some(case) = &mut cases.badges else { return };
        if !case.call.take(due_at) {
            return;
        }
        let is_over = |end: &End| end.at <= due_at;
        for end in case.ends.iter().filter(|end| is_over(end)) {
            let (place, reason) = (Place::Door(end.door), AlarmReason::ConditionEnded);
            cases.episodes.end(Some(end.rule), place, reason, bench.turn, out);
        }
        case.ends.retain(|end| !is_over(end));
        cases.tidy_badges(bench, out);
    }
}

impl Cases {
    /// Another version of the site is in force, by which alarms about badges may have ended.
    pub(crate) fn change_badges(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let Some(case) = &mut self.badges else { return };
        case.grants.retain(|grant| rules_at(grant.door, bench).any(|rule| rule == grant.rule));
        self.tidy_badges(bench, out);
    }

    /// Holds a position against the grants of about the same time.
    fn judge_grants(&mut self, fix: &Fix, bench: &Bench<'_>, out: &mut Outbox) {
        let Cases { badges, episodes, .. } = &mut *self;
        let Some(BadgeCase { grants, ends, .. }) = badges.as_deref_mut() else { return };
        grants.retain(|grant| {
            let Some(plan) = bench.plan(grant.rule) else { return false };
            if apart_ns(grant.at, fix.observed_at) > FRESH_NS {
                return fix.observed_at < grant.at;
            }
            let place = Place::Door(grant.door);
            match whereabout(grant, plan, fix, bench) {
                Whereabout::There => {
                    let (rule, reason) = (Some(grant.rule), AlarmReason::ConditionEnded);
                    episodes.end(rule, place, reason, bench.turn, out);
                    return false;
                }
                Whereabout::Elsewhere if is_believed(fix, bench) && bench.is_in_force(plan) => {
                    let mut opening = bench.opening(grant.rule, plan, place, 0);
                    opening.evidence.is_late |= grant.is_late;
                    episodes.open(&opening, bench.turn, out);
                    let at = bench.turn.now.plus_ns(STANDS_NS);
                    ends.retain(|end| (end.rule, end.door) != (grant.rule, grant.door));
                    ends.push(End { rule: grant.rule, door: grant.door, at });
                }
                Whereabout::Elsewhere | Whereabout::Possible => {}
            }
            true
        });
        self.tidy_badges(bench, out);
    }

    /// Forgets ends of alarms that are not open, and orders a call for the next.
    fn tidy_badges(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let Some(case) = &mut self.badges else { return };
        let open = self.episodes.open_notices();
        let is_of = |notice: &AlarmNotice, end: &End| {
            notice.rule == Some(end.rule) && notice.place == Place::Door(end.door)
        };
        case.ends.retain(|end| open.iter().any(|notice| is_of(notice, end)));
        let next_at = case.ends.iter().map(|end| end.at).min();
        case.call.order_for(DeadlineKind::Term, next_at, EntityRef::Subject(bench.me), out);
        if case.is_empty() {
            self.badges = None;
        }
    }
}

/// The rules about badges that the subject is under and that watch a door.
fn rules_at<'a>(door: DoorRef, bench: &'a Bench<'_>) -> impl Iterator<Item = RuleRef> + use<'a> {
    let rules = bench.turn.site.subject_rules(bench.me);
    let rules = rules.map_or(&[][..], |rules| rules.badge_elsewhere.as_slice());
    let watches = move |plan: &RulePlan| plan.doors.binary_search(&door).is_ok();
    rules.iter().copied().filter(move |&rule| bench.plan(rule).is_some_and(watches))
}

/// Whether a position says where somebody was: not while its feed is silent, nor where nobody sees.
fn is_believed(fix: &Fix, bench: &Bench<'_>) -> bool {
    let turn = bench.turn;
    let source = turn.site.tag_source(fix.tag);
    let is_heard = !source.is_some_and(|source| turn.health.is_silent(source));
    is_heard && (!turn.may_be_blind() || !turn.is_blind_at(&fix.position))
}

fn apart_ns(one: Timestamp, other: Timestamp) -> u64 {
    one.since_ns(other).max(other.since_ns(one))
}

/// Where somebody was at a grant, by a rule and a position of about that time.
fn whereabout(grant: &Grant, plan: &RulePlan, fix: &Fix, bench: &Bench<'_>) -> Whereabout {
    let site = bench.turn.site;
    let RuleCondition::BadgeElsewhere { within_mm } = plan.condition else {
        return Whereabout::Possible;
    };
    let Some(way) = site.way_to_door(grant.door, &fix.position) else {
        return Whereabout::Possible;
    };
    let error_mm = if fix.accuracy_mm == 0 { ACCURACY_UNKNOWN_MM } else { fix.accuracy_mm };
    let there_mm = u64::from(within_mm) + u64::from(error_mm);
    if way.storeys == Some(0) && way.plan_mm <= there_mm {
        return Whereabout::There;
    }
    let Some(tag) = site.tag_plan(fix.tag) else { return Whereabout::Possible };
    let apart_ms = apart_ns(grant.at, fix.observed_at).div_ceil(NS_PER_MS);
    let gone_mm = apart_ms.saturating_mul(u64::from(tag.speed_limit_mm_per_s)).div_ceil(1_000);
    // A locating system may take the next floor for this one. Neither way is longer than the real one.
    let climb_mm =
        way.storeys.unwrap_or(0).saturating_sub(STOREY).saturating_mul(STOREY_MM) / STOREY;
    if way.plan_mm.max(climb_mm) > there_mm.saturating_add(gone_mm) {
        Whereabout::Elsewhere
    } else {
        Whereabout::Possible
    }
}

/// Tells whoever has a badge that it was granted access, if any rule looks at that.
pub(crate) fn tell_holder(
    me: DoorRef,
    badge: Option<BadgeRef>,
    arrival: &Arrival,
    turn: &Turn<'_>,
    out: &mut Outbox,
) {
    let holder = badge.and_then(|badge| turn.site.badge_subject(badge));
    let rules = |subject| turn.site.subject_rules(subject);
    let holder =
        holder.filter(|&holder| rules(holder).is_some_and(|it| !it.badge_elsewhere.is_empty()));
    let Some(holder) = holder else { return };
    let (observed_at, received_at) = (arrival.happened_at(), arrival.received_at);
    let body = MessageBody::BadgeGranted { door: me, observed_at, received_at };
    let to = EntityRef::Subject(holder);
    out.messages.push_back(Message { to, cause: arrival.cause, body });
}
