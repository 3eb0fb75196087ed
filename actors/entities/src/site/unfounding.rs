//! Whether an open alarm goes on when another version of the site comes into force, as far as the two
//! versions tell: what the actors ask, asked beforehand.

use std::mem::discriminant;

use ach_actors_model::{AlarmNotice, Place, RuleRef, SubjectRef, Timestamp};

use super::plans::{RuleCondition, RulePlan};
use super::{RuleSet, Site};
use crate::meeting::judge_of;

/// Why an open alarm ends with a version of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfounding {
    /// Its rule is not there any more.
    RuleGone,
    /// Its rule says something else, or raises another kind of alarm.
    RuleChanged,
    /// Its rule is not about its subject, or its tag, any more.
    NotSelected,
    /// Its rule does not watch its place any more.
    NotWatched,
    /// Its rule does not hold at this hour.
    OutOfHours,
    /// Its rule allows a longer silence or absence, or lets its door stand open or somebody be alone
    /// for longer, and that may not be over yet.
    LongerSilence,
    /// Its tag is gone, or on somebody else.
    TagMoved,
    /// Its subject is gone or has no tag any more, or too few to contradict each other.
    TagsGone,
}

impl Site {
    /// Why an alarm that is open by the version `old` ends when this one comes into force at `at`, if it
    /// does. What depends on where somebody is then is not foreseen: that a zone was redrawn. Alarms of
    /// the system itself have no rule, and are not judged here.
    pub fn unfounding(&self, old: &Site, alarm: &AlarmNotice, at: Timestamp) -> Option<Unfounding> {
        let rule = alarm.rule?;
        let Some(plan) = self.rule(rule) else { return Some(Unfounding::RuleGone) };
        let was = old.rule(rule).map(|old| old.condition);
        if was.as_ref().map(discriminant) != Some(discriminant(&plan.condition))
            || alarm.kind != plan.alarm
        {
            return Some(Unfounding::RuleChanged);
        }
        let unfounding = match plan.condition {
            RuleCondition::OverCapacity
            | RuleCondition::Motion { .. }
            | RuleCondition::DoorForced
            | RuleCondition::DoorHeld { .. }
            | RuleCondition::DoorTampered
            | RuleCondition::ReaderTampered
            | RuleCondition::DoorLost { .. }
            | RuleCondition::DoorBatteryLow { .. } => {
                (!self.is_place_of(rule, alarm.place)).then_some(Unfounding::NotWatched)
            }
            RuleCondition::Alone { .. } => self.unfounding_of_loner(rule, alarm),
            RuleCondition::Meets { .. } => self.unfounding_of_meeting(rule, alarm),
            RuleCondition::Tailgating => self.unfounding_of_passage(rule, alarm),
            RuleCondition::TagsContradict => self.unfounding_of_tags(rule, alarm),
            condition if condition.is_about_tags() => self.unfounding_of_tag(rule, alarm),
            _ => self.unfounding_of_subject(rule, plan, alarm),
        };
        unfounding.or_else(|| {
            let is_over = plan.condition.is_state() && !self.is_in_force(plan, at);
            let is_longer = was.is_some_and(|was| allows_longer(was, plan.condition));
            is_over
                .then_some(Unfounding::OutOfHours)
                .or_else(|| is_longer.then_some(Unfounding::LongerSilence))
        })
    }

    /// About a zone that is too full or in which something moves, or a door.
    fn is_place_of(&self, rule: RuleRef, place: Place) -> bool {
        match place {
            Place::Zone(zone) => self.zone_plan(zone).is_some_and(|zone| {
                let is_full = zone.capacity.is_some() && zone.capacity_rules.contains(&rule);
                is_full || zone.motion_rules.contains(&rule)
            }),
            Place::Door(door) => {
                let door = self.door_plan(door);
                door.is_some_and(|door| {
                    door.forced_rules.contains(&rule)
                        || door.passage_rules.contains(&rule)
                        || door.state_rules.contains(&rule)
                })
            }
            _ => false,
        }
    }

    fn unfounding_of_loner(&self, rule: RuleRef, alarm: &AlarmNotice) -> Option<Unfounding> {
        let Place::Zone(zone) = alarm.place else { return Some(Unfounding::NotWatched) };
        if !self.zone_plan(zone).is_some_and(|zone| zone.lone_rules.contains(&rule)) {
            return Some(Unfounding::NotWatched);
        }
        let subject = alarm.subject?;
        if self.tag_count(subject) == 0 {
            return Some(Unfounding::TagsGone);
        }
        self.unless_selected(subject, |rules| rules.contains(rule))
    }

    /// About somebody who went through a door.
    pub(crate) fn unfounding_of_passage(
        &self,
        rule: RuleRef,
        alarm: &AlarmNotice,
    ) -> Option<Unfounding> {
        if !self.is_place_of(rule, alarm.place) {
            return Some(Unfounding::NotWatched);
        }
        let subject = alarm.subject?;
        if self.tag_count(subject) == 0 {
            return Some(Unfounding::TagsGone);
        }
        self.unless_selected(subject, |rules| rules.contains(rule))
    }

    fn unfounding_of_meeting(&self, rule: RuleRef, alarm: &AlarmNotice) -> Option<Unfounding> {
        let (Some(subject), Place::Subject(other)) = (alarm.subject, alarm.place) else {
            return Some(Unfounding::NotWatched);
        };
        if self.tag_count(subject) == 0 || self.tag_count(other) == 0 {
            return Some(Unfounding::TagsGone);
        }
        let is_kept = judge_of(self, rule, subject, other) == Some(subject);
        (!is_kept).then_some(Unfounding::NotSelected)
    }

    fn unfounding_of_tag(&self, rule: RuleRef, alarm: &AlarmNotice) -> Option<Unfounding> {
        let tag = match alarm.place {
            Place::Tag(tag) => Some(tag),
            _ => alarm.tag,
        };
        let plan = tag.and_then(|tag| self.tag_plan(tag));
        let Some(plan) = plan.filter(|plan| plan.subject() == alarm.subject) else {
            return Some(Unfounding::TagMoved);
        };
        let rules = self.rule_set(plan.rule_set);
        (!rules.is_some_and(|rules| rules.contains(rule))).then_some(Unfounding::NotSelected)
    }

    fn unfounding_of_tags(&self, rule: RuleRef, alarm: &AlarmNotice) -> Option<Unfounding> {
        let subject = alarm.subject?;
        if self.tag_count(subject) < 2 {
            return Some(Unfounding::TagsGone);
        }
        // All were compared with the one that speaks.
        let is_worn = |tag| self.tag_subject(tag) == Some(subject);
        if !alarm.tag.is_none_or(is_worn) {
            return Some(Unfounding::TagMoved);
        }
        self.unless_selected(subject, |rules| rules.contradiction.contains(&rule))
    }

    fn unfounding_of_subject(
        &self,
        rule: RuleRef,
        plan: &RulePlan,
        alarm: &AlarmNotice,
    ) -> Option<Unfounding> {
        let subject = alarm.subject?;
        if self.tag_count(subject) == 0 {
            return Some(Unfounding::TagsGone);
        }
        let is_watched = match alarm.place {
            Place::Zone(zone) => {
                plan.watch_of(zone).is_some_and(|watch| self.watch(watch).is_some())
            }
            Place::Line(line) => plan.lines.binary_search(&line).is_ok(),
            Place::Door(door) => plan.doors.binary_search(&door).is_ok(),
            _ => false,
        };
        if !is_watched {
            return Some(Unfounding::NotWatched);
        }
        self.unless_selected(subject, |rules| rules.contains(rule))
    }

    /// How many tags are on somebody the site has.
    pub(crate) fn tag_count(&self, subject: SubjectRef) -> usize {
        self.subject_class(subject).map_or(0, |_| self.subject_tags(subject).len())
    }

    fn unless_selected(
        &self,
        subject: SubjectRef,
        is_in: impl Fn(&RuleSet) -> bool,
    ) -> Option<Unfounding> {
        (!self.subject_rules(subject).is_some_and(is_in)).then_some(Unfounding::NotSelected)
    }
}

/// Whether a rule lets go on for longer what may not have gone on for so long yet.
fn allows_longer(was: RuleCondition, is: RuleCondition) -> bool {
    match (was, is) {
        (
            RuleCondition::TagSilent { after_ns: before_ns },
            RuleCondition::TagSilent { after_ns },
        )
        | (RuleCondition::DoorLost { after_ns: before_ns }, RuleCondition::DoorLost { after_ns })
        | (RuleCondition::Away { after_ns: before_ns }, RuleCondition::Away { after_ns })
        | (RuleCondition::Alone { after_ns: before_ns }, RuleCondition::Alone { after_ns })
        | (
            RuleCondition::Meets { after_ns: before_ns, .. },
            RuleCondition::Meets { after_ns, .. },
        ) => after_ns > before_ns,
        (
            RuleCondition::DoorHeld { after_ns: before_ns, also_unlocked: counted },
            RuleCondition::DoorHeld { after_ns, also_unlocked: counts },
        ) => after_ns > before_ns || (counted && !counts),
        _ => false,
    }
}
