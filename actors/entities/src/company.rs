//! The tags of one subject: which of them speaks for it.
//!
//! One tag speaks, and goes on speaking. Two tags on one body say the same, so it does not matter
//! which; two that contradict each other are not on one body, and a subject that followed both
//! would leave and come back with every ping. The one that moves is worn:
//!
//! ```text
//!   speaks ---- another walks while it stays, or --------> left, if they are apart
//!          ---- another is heard beside where it fell
//!               silent, or is much more accurate,
//!               or it has been lost for long ------------> listens
//!   listens --- the speaker walks away from it ----------> left
//!   left ------ beside the speaker again ----------------> listens
//!          '--- walks while the speaker stays -----------> speaks
//! ```
//!
//! What lies still while another walks, a band that was cut off or a spare tag in a drawer, has
//! nothing to say until it moves itself. That tags of one subject contradict each other is an alarm
//! where a rule says so, one however many they are.

use ach_actors_model::{
    AlarmNotice, AlarmReason, Cause, EntityRef, Fix, NS_PER_MS, NS_PER_S, Place, SubjectRef,
    TagRef, Timestamp,
};
use ach_geo::Floor;
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::tag::ACCURACY_UNKNOWN_MM;
use crate::{Arrival, Outbox, Turn};

/// A position this many times less accurate than another is much less accurate.
const MUCH_LESS_ACCURATE: u32 = 4;
/// Beyond what both positions may be wrong by, so far apart are two tags that are not on one body,
/// and so far goes one that walks: from a bed to its door.
const APART_MM: u64 = 3_000;
/// A speaker not heard for this long gives way to a tag beside it: three pings of a tag that sends
/// one a second.
const STALE_NS: u64 = 3 * NS_PER_S;
/// One not heard for this long gives way to any that may be worn. Tags that send this seldom and
/// contradict each other without either moving cannot be told apart.
const LOST_NS: u64 = 30 * NS_PER_S;

/// Tags that are apart for this long contradict each other: longer than a confirmed jump, a gap in
/// the reception and the exit delays in use, and soon enough to find a band that was cut off.
const CONTRADICTION_NS: u64 = 60 * NS_PER_S;

/// The tags of a subject but the one that speaks, as far as they were heard. One word; most
/// subjects have one tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Company {
    rare: Option<Box<Rare>>,
}

/// What subjects of several tags have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
struct Rare {
    /// Bounded by the tags on the subject.
    others: Vec<Other>,
    /// Of tags that contradict each other; of each rule one is open at a time.
    episodes: Episodes,
    window_call: CallBack,
}

/// A tag that does not speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Other {
    tag: TagRef,
    /// Where it was, and where the speaker was, when they were last compared.
    from: Spot,
    speaker_from: Spot,
    /// It stayed where it was while the speaker walked away.
    is_left: bool,
    /// Since when it was found too far away whenever both were heard.
    apart_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Spot {
    x_mm: i32,
    y_mm: i32,
    floor: Option<Floor>,
    accuracy_mm: u32,
}

/// What a fix is to its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Nothing: its tag does not speak.
    Unheard,
    /// The next position.
    Follows,
    /// The next position, but far from the last one, which another tag told.
    Leaps,
}

#[cfg(test)]
impl Company {
    /// Of a subject whose other tag was heard.
    pub(crate) fn of_two() -> Company {
        Company { rare: Some(Box::default()) }
    }
}

impl Company {
    /// Whether no other tag was heard.
    pub(crate) fn is_empty(&self) -> bool {
        self.rare.is_none()
    }

    /// Takes a fix of a tag that does not speak; `speaker` is the fix in force.
    pub(crate) fn hear(
        &mut self,
        me: SubjectRef,
        fix: &Fix,
        speaker: &Fix,
        cause: Cause,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Voice {
        let (here, there) = (Spot::of(fix), Spot::of(speaker));
        let rare = self.rare.get_or_insert_default();
        let others = &mut rare.others;
        let known = others.iter().position(|other| other.tag == fix.tag);
        let place = known.unwrap_or(others.len());
        if known.is_none() {
            let (tag, from, speaker_from) = (fix.tag, here, there);
            others.push(Other { tag, from, speaker_from, is_left: false, apart_since: None });
        }
        rare.compare(me, place, (fix, speaker), cause, turn, out);
        let others = &mut rare.others;
        let Some(other) = others.get_mut(place) else { return Voice::Unheard };
        if !other.takes_over(fix, speaker) {
            return Voice::Unheard;
        }
        let is_apart = here.is_apart(&there);
        let is_left = is_apart && here.is_apart(&other.from);
        *other = Other { tag: speaker.tag, from: there, speaker_from: here, is_left, ..*other };
        for other in others.iter_mut() {
            other.speaker_from = here;
        }
        if is_apart { Voice::Leaps } else { Voice::Follows }
    }

    /// A tag speaks because the one that spoke was taken off.
    pub(crate) fn succeed(&mut self, tag: TagRef, turn: &Turn<'_>, out: &mut Outbox) {
        self.retain(|other| other.tag != tag, turn, out);
    }

    /// Forgets tags that are on the subject no more; `speaker` is the one that speaks.
    pub(crate) fn change_site(
        &mut self,
        me: SubjectRef,
        speaker: Option<TagRef>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let is_worn = |tag: TagRef| turn.site.tag_subject(tag) == Some(me);
        if let Some(rare) = &mut self.rare
            && !speaker.is_some_and(is_worn)
        {
            // All were compared with that one. What contradicts another of them is found anew.
            for other in &mut rare.others {
                other.apart_since = None;
            }
            rare.episodes.end_where(|_| Some(AlarmReason::TagRemoved), turn, out);
        }
        self.retain(|other| is_worn(other.tag), turn, out);
        if let Some(rare) = &mut self.rare {
            rare.end_unfounded(me, turn.now, turn, out);
        }
    }

    /// The windows of rules may have opened or closed: ends what no longer holds at this hour. What
    /// holds from now on is raised when a tag is heard that contradicts.
    pub(crate) fn change_hours(
        &mut self,
        me: SubjectRef,
        due_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        if let Some(rare) = &mut self.rare
            && rare.window_call.take(due_at)
        {
            rare.end_unfounded(me, due_at, turn, out);
        }
    }

    /// Forgets all tags: the subject has none any more.
    pub(crate) fn close(&mut self, turn: &Turn<'_>, out: &mut Outbox) {
        self.retain(|_| false, turn, out);
    }

    fn retain(&mut self, keeps: impl Fn(&Other) -> bool, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(rare) = &mut self.rare else { return };
        let was_known = rare.others.len();
        rare.others.retain(keeps);
        if rare.others.len() < was_known && !rare.has_contradiction(turn.now) {
            rare.episodes.end_where(|_| Some(AlarmReason::TagRemoved), turn, out);
        }
        // The count of its episodes stays.
        if rare.others.is_empty() && rare.episodes.is_empty() {
            self.rare = None;
        }
    }
}

impl Rare {
    /// Tells, once, that the tag at a place has been too far from the speaker for long, and that no
    /// tag is any more. What the speaker may have walked between the two positions is no
    /// contradiction, of a speaker not heard for long nothing is known, and of two that are one
    /// above the other one may have its floor wrong.
    fn compare(
        &mut self,
        me: SubjectRef,
        place: usize,
        (fix, speaker): (&Fix, &Fix),
        cause: Cause,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(other) = self.others.get_mut(place) else { return };
        let (here, there) = (Spot::of(fix), Spot::of(speaker));
        let lag_ns = fix.observed_at.since_ns(speaker.observed_at);
        let lag_ns = lag_ns.max(speaker.observed_at.since_ns(fix.observed_at));
        if !here.is_across(&there, 0) {
            if here.is_on_another_floor(&there) {
                return;
            }
            other.apart_since = None;
            if !self.has_contradiction(turn.now) {
                self.episodes.end_where(|_| Some(AlarmReason::ConditionEnded), turn, out);
            }
            return;
        }
        if lag_ns >= LOST_NS {
            // What is open stays: that nobody was heard beside the other brings them no nearer.
            if !self.episodes.has_open() {
                other.apart_since = None;
            }
            return;
        }
        let plan = turn.site.tag_plan(fix.tag);
        let speed_mm_per_s = plan.map_or(0, |plan| u64::from(plan.speed_limit_mm_per_s));
        let walked_mm = lag_ns / NS_PER_MS * speed_mm_per_s / 1_000;
        if !here.is_across(&there, walked_mm) {
            return;
        }
        other.apart_since.get_or_insert(turn.now);
        if self.has_contradiction(turn.now) {
            self.raise(me, fix, cause, turn, out);
        }
    }

    /// Raises what the subject's rules say of tags that contradict each other, unless it is open.
    fn raise(
        &mut self,
        me: SubjectRef,
        fix: &Fix,
        cause: Cause,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(rules) = turn.site.subject_rules(me) else { return };
        let Fix { observed_at, received_at, tag, position, accuracy_mm } = *fix;
        let evidence = Evidence::of_arrival(&Arrival { observed_at, received_at, cause });
        let (place, tag, position) = (Place::Tag(tag), Some(tag), Some(position));
        let evidence = Evidence { tag, position, accuracy_mm, ..evidence };
        for &rule in &rules.contradiction {
            let Some(plan) = turn.site.rule(rule) else { continue };
            let mut open = self.episodes.open_notices().iter();
            if open.all(|notice| notice.rule != Some(rule)) && turn.site.is_in_force(plan, turn.now)
            {
                let opening = Opening::by_rule(rule, plan, Some(me), place, evidence);
                self.episodes.open(&opening, turn, out);
            }
            let change_at = turn.site.next_change(plan, turn.now);
            self.window_call.order(change_at, EntityRef::Subject(me), out);
        }
    }

    /// Ends what rules say no more: removed, edited, not about this subject, or of another hour.
    fn end_unfounded(
        &mut self,
        me: SubjectRef,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let own = turn.site.subject_rules(me).map_or(&[][..], |rules| &rules.contradiction);
        let reason = |notice: &AlarmNotice| {
            let rule = notice.rule.filter(|rule| own.contains(rule));
            let plan = rule.and_then(|rule| turn.site.rule(rule));
            let holds = plan.is_some_and(|plan| {
                plan.alarm == notice.kind && turn.site.is_in_force(plan, judged_at)
            });
            (!holds).then_some(AlarmReason::RuleRemoved)
        };
        self.episodes.end_where(reason, turn, out);
        for notice in self.episodes.open_notices() {
            let Some(plan) = notice.rule.and_then(|rule| turn.site.rule(rule)) else { continue };
            let change_at = turn.site.next_change(plan, judged_at);
            self.window_call.order(change_at, EntityRef::Subject(me), out);
        }
    }

    /// Whether any tag has been too far away for long.
    fn has_contradiction(&self, now: Timestamp) -> bool {
        let is_long = |since: Timestamp| now.since_ns(since) >= CONTRADICTION_NS;
        self.others.iter().any(|other| other.apart_since.is_some_and(is_long))
    }
}

impl Other {
    /// Compares its new fix with the speaker's latest, and tells whether it speaks from now on.
    fn takes_over(&mut self, fix: &Fix, speaker: &Fix) -> bool {
        let (here, there) = (Spot::of(fix), Spot::of(speaker));
        let is_apart = here.is_apart(&there);
        let is_walking = here.is_apart(&self.from);
        self.is_left &= is_apart;
        // Twice as far: of two on one body, the one heard last seems to have gone a little further.
        if is_walking && here.square_mm(&self.from) / 4 >= there.square_mm(&self.speaker_from) {
            return true;
        }
        if there.is_apart(&self.speaker_from) {
            self.is_left = is_apart && !is_walking;
            (self.from, self.speaker_from) = (here, there);
        }
        if self.is_left {
            return false;
        }
        let lost_ns = fix.observed_at.since_ns(speaker.observed_at);
        let is_beside = !is_apart && !is_much_less_accurate(fix, speaker);
        is_much_less_accurate(speaker, fix)
            || (lost_ns >= STALE_NS && is_beside)
            || lost_ns >= LOST_NS
    }
}

/// An accuracy of 0 is unknown, and compared with nothing.
fn is_much_less_accurate(one: &Fix, other: &Fix) -> bool {
    let limit_mm = other.accuracy_mm.saturating_mul(MUCH_LESS_ACCURATE);
    other.accuracy_mm > 0 && one.accuracy_mm > limit_mm
}

impl Spot {
    fn of(fix: &Fix) -> Spot {
        let position = &fix.position;
        Spot {
            x_mm: position.x_mm,
            y_mm: position.y_mm,
            floor: position.floor,
            accuracy_mm: if fix.accuracy_mm == 0 { ACCURACY_UNKNOWN_MM } else { fix.accuracy_mm },
        }
    }

    /// Whether it is further from another than two positions of one body are; another floor is.
    fn is_apart(&self, other: &Spot) -> bool {
        self.is_on_another_floor(other) || self.is_across(other, 0)
    }

    /// Whether it is further from another than two positions of one body are and `more_mm`, as on a
    /// plan of the site: whatever their floors.
    fn is_across(&self, other: &Spot, more_mm: u64) -> bool {
        let accuracies_mm = u64::from(self.accuracy_mm) + u64::from(other.accuracy_mm);
        let reach_mm = (APART_MM + accuracies_mm).saturating_add(more_mm);
        self.plan_square_mm(other) > reach_mm.saturating_mul(reach_mm)
    }

    fn is_on_another_floor(&self, other: &Spot) -> bool {
        matches!((self.floor, other.floor), (Some(a), Some(b)) if a != b)
    }

    /// The square of the distance; on another floor, more than any.
    fn square_mm(&self, other: &Spot) -> u64 {
        if self.is_on_another_floor(other) { u64::MAX } else { self.plan_square_mm(other) }
    }

    /// The square of the distance on a plan of the site.
    fn plan_square_mm(&self, other: &Spot) -> u64 {
        let across_mm = u64::from(self.x_mm.abs_diff(other.x_mm));
        let along_mm = u64::from(self.y_mm.abs_diff(other.y_mm));
        // Squares of 32 bit numbers; their sum saturates beyond any distance on a site.
        (across_mm * across_mm).saturating_add(along_mm * along_mm)
    }
}
