//! More go through a door than there was leave for.
//!
//! The alarm is about whom there was no leave for, and lasts until the door is closed, leave is told that
//! was given in time, or whoever it is about goes back. One that is told after the closing is over at once.

use std::sync::Arc;

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmReason, Cause, DoorRef, Fix, Place, RuleRef, SubjectRef, Timestamp,
};

use crate::door::Door;
use crate::door_control::DoorControl;
use crate::episodes::Opening;
use crate::evidence::Evidence;
use crate::leave::Leave;
use crate::passages::{Asked, Passage, Passages, Traveller};
use crate::{Arrival, Effect, Outbox, Site, Turn};

/// A subject was seen to go through a door's sill.
#[derive(Debug, Clone, Copy)]
pub struct DoorPassage<'a> {
    /// Who.
    pub subject: SubjectRef,
    /// When it was last seen before the sill.
    pub since: Timestamp,
    /// Where it was seen behind it.
    pub fix: &'a Fix,
    /// Whether it went to the left of the sill.
    pub is_leftward: bool,
    /// Which input that goes back to.
    pub cause: Cause,
}

impl Door {
    /// Somebody was seen to go through it.
    pub(crate) fn see_passage(
        &mut self,
        me: DoorRef,
        seen: DoorPassage<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let DoorPassage { subject, since, fix, is_leftward, cause } = seen;
        let control = self.control.as_deref();
        // A fire panel may let a door go that the node does not move and that tells no lock.
        let is_told_unlocked = self.is_fire_told
            || control.is_some_and(|control: &DoorControl| control.is_unlocked_at(fix.observed_at));
        let told_at = turn.now;
        let passage = Passage { subject, since, fix: *fix, is_leftward, told_at, is_told_unlocked };
        let rules = passage_rules(turn.site, me);
        let Some(passages) = passages_of(&mut self.passages, &self.leave, rules) else { return };
        let Some(which) = passages.find(&passage, turn.now) else {
            passages.keep_loose(passage, turn.now);
            return;
        };
        let before = self.too_many(me, which, turn.site).unwrap_or_default();
        if let Some(passages) = self.passages.as_deref_mut() {
            passages.add(which, passage);
        }
        let (observed_at, received_at) = (fix.observed_at, fix.received_at);
        let arrival = Arrival { observed_at, received_at, cause };
        self.tell_too_many(me, which, &before, &arrival, turn, out);
        if self.passages.as_deref().and_then(Passages::current) != Some(which) {
            // It may have taken a pass that somebody of the opening that goes on had.
            self.recount(me, &arrival, turn, out);
        }
    }

    /// It opened, and was closed again where that is known.
    pub(crate) fn begin_passages(
        &mut self,
        me: DoorRef,
        until: Option<Timestamp>,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let rules = passage_rules(turn.site, me);
        let Some(passages) = passages_of(&mut self.passages, &self.leave, rules) else { return };
        let who = |rule, subject| traveller(turn.site, rule, subject);
        let asked = Asked { rules, leave: &self.leave, who: &who };
        let which = passages.open(arrival.happened_at(), until, &asked, turn.now);
        self.tell_too_many(me, which, &[], arrival, turn, out);
    }

    /// A pass was given.
    pub(crate) fn count_pass(
        &mut self,
        me: DoorRef,
        from: Timestamp,
        until: Timestamp,
        site: &Site,
    ) {
        // What it begins with knows of this one.
        let is_new = self.passages.is_none();
        let rules = passage_rules(site, me);
        let passages = passages_of(&mut self.passages, &self.leave, rules);
        if let Some(passages) = passages.filter(|_| !is_new) {
            passages.give(from, until);
        }
    }

    /// Leave is known better: of the opening that goes on it is judged anew.
    pub(crate) fn recount(
        &mut self,
        me: DoorRef,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let current = self.passages.as_deref().and_then(Passages::current);
        if let Some(which) = current {
            self.tell_too_many(me, which, &[], arrival, turn, out);
        }
    }

    /// Another version of the site is in force: forgets what no rule asks for any more.
    pub(crate) fn change_passages(
        &mut self,
        me: DoorRef,
        old: &Site,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let site = turn.site;
        let (was, is) = (passage_rules(old, me), passage_rules(site, me));
        self.passages = self.passages.take().filter(|_| !is.is_empty());
        if let Some(passages) = self.passages.as_deref_mut() {
            passages.change_rules(was, is, turn.now);
        }
        let reason = |notice: &AlarmNotice| {
            let rule = notice.rule.filter(|_| notice.kind == AlarmKind::Tailgating)?;
            site.unfounding_of_passage(rule, notice).map(|_| AlarmReason::RuleRemoved)
        };
        self.episodes.end_where(reason, turn, out);
    }

    /// Who was one too many in an opening, by which rule; `None` where more went through than are counted.
    fn too_many(&self, me: DoorRef, which: usize, site: &Site) -> Option<Vec<(RuleRef, Passage)>> {
        let who = |rule, subject| traveller(site, rule, subject);
        let asked = Asked { rules: passage_rules(site, me), leave: &self.leave, who: &who };
        let mut found = self.passages.as_deref()?.too_many(which, &asked)?;
        // Whose last tag was taken off has used what leave it had, and is nobody's business any more.
        found.retain(|(_, passage)| site.tag_count(passage.subject) > 0);
        Some(found)
    }

    /// Raises what is new of an opening, and ends what is so no more.
    fn tell_too_many(
        &mut self,
        me: DoorRef,
        which: usize,
        before: &[(RuleRef, Passage)],
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        // In a crowd nothing new is said, and what stands goes on until the door is closed.
        let Some(after) = self.too_many(me, which, turn.site) else { return };
        let is_about = |notice: &AlarmNotice, &(rule, passage): &(RuleRef, Passage)| {
            notice.rule == Some(rule) && notice.subject == Some(passage.subject)
        };
        let is_open = self.passages.as_deref().is_some_and(|passages| passages.is_open(which));
        let mut raised = Vec::new();
        for found in &after {
            let mut notices = self.episodes.open_notices().iter();
            let is_known = notices.any(|notice| is_about(notice, found))
                || before
                    .iter()
                    .any(|(rule, passage)| *rule == found.0 && passage.subject == found.1.subject);
            if !is_known && self.raise_passage(me, *found, arrival, turn, out) {
                raised.push(*found);
            }
        }
        let reason = |notice: &AlarmNotice| {
            let is_over = if is_open {
                notice.kind == AlarmKind::Tailgating
                    && !after.iter().any(|found| is_about(notice, found))
            } else {
                raised.iter().any(|found| is_about(notice, found))
            };
            is_over.then_some(AlarmReason::ConditionEnded)
        };
        self.episodes.end_where(reason, turn, out);
    }

    /// Raises the alarm about one, if the rule held when that was; tells whether it did.
    fn raise_passage(
        &mut self,
        me: DoorRef,
        (rule, passage): (RuleRef, Passage),
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> bool {
        let at = passage.fix.observed_at;
        let plan = turn.site.rule(rule).filter(|plan| turn.site.is_in_force(plan, at));
        let Some(plan) = plan else { return false };
        let seen = Arrival { observed_at: at, ..*arrival };
        let evidence = Evidence {
            tag: Some(passage.fix.tag),
            position: Some(passage.fix.position),
            accuracy_mm: passage.fix.accuracy_mm,
            ..Evidence::of_arrival(&seen)
        };
        let who = Some(passage.subject);
        let opening = Opening::by_rule(rule, plan, who, Place::Door(me), evidence)
            .at_drill(self.is_drilled());
        let told_from = out.effects.len();
        self.episodes.open_about_one(&opening, turn, out);
        let known = Arc::new(self.leave.evidence(at, turn.site));
        for effect in out.effects.iter_mut().skip(told_from) {
            if let Effect::Alarm(notice) = effect {
                notice.door = Some(Arc::clone(&known));
            }
        }
        true
    }
}

/// What is counted at a door; nothing where no rule asks for it.
fn passages_of<'a>(
    passages: &'a mut Option<Box<Passages>>,
    leave: &Leave,
    rules: &[RuleRef],
) -> Option<&'a mut Passages> {
    let is_asked = !rules.is_empty();
    is_asked.then(|| &mut **passages.get_or_insert_with(|| Box::new(Passages::new(leave))))
}

/// The rules that ask who goes through a door.
pub(crate) fn passage_rules(site: &Site, me: DoorRef) -> &[RuleRef] {
    site.door_plan(me).map_or(&[], |door| &door.passage_rules)
}

/// What somebody who goes through a door is to a rule.
pub(crate) fn traveller(site: &Site, rule: RuleRef, subject: SubjectRef) -> Option<Traveller> {
    let rules = site.subject_rules(subject)?;
    if rules.contains(rule) {
        return Some(Traveller::Counted);
    }
    rules.matters_to(rule).then_some(Traveller::Beside)
}
