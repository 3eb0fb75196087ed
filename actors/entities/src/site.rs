//! A site, compiled for deciding.

mod build;
mod calendar;
mod check;
mod compile;
mod day_windows;
mod history;
mod limits;
mod lookup;
mod mistake;
mod names;
mod partners;
mod plans;
mod rule_set;
mod summary;
mod surroundings;
mod unfounding;

use ach_actors_model::{
    AlarmKind, AlarmNotice, AnswerConfig, DoorRef, DoorScope, EntityRef, LineRef, Name, Place,
    RuleRef, SourceRef, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use ach_geo::{Floor, WatchIndex};

use calendar::Calendar;
use names::{Names, TagIds};
pub use plans::ControlPlan;
use plans::{AnchorPlan, DoorPlan, LinePlan, ResponsePlan, SourcePlan, SubjectPlan};
use surroundings::Surroundings;

pub use history::{HistoryRef, SiteHistory};
pub use limits::ANCHOR_ZONE_COUNT_MAX;
pub(crate) use limits::SUBJECT_COUNT_MAX;
pub use mistake::{GateMistake, SiteError, SiteList, SiteMistake};
pub(crate) use plans::{RuleCondition, RulePlan, TagPlan, WatchPlan, ZonePlan};
pub(crate) use rule_set::RuleSet;
pub use summary::SiteSummary;
pub use unfounding::Unfounding;

/// A site configuration, checked, interned and indexed. Immutable; swapped whole.
///
/// Ids keep their refs from version to version, and a ref is never given to another id: what was
/// removed leaves a gap, which still has its name but nothing else.
#[derive(Debug)]
pub struct Site {
    id: Name,
    version: u32,
    largest_gap_ns: u64,
    calendar: Calendar,
    /// The one floor of a site that has no other: what does not tell its floor is there.
    only_floor: Option<Floor>,
    tag_ids: TagIds,
    tags: Vec<TagPlan>,
    subject_names: Names,
    subjects: Vec<SubjectPlan>,
    /// Tags of all subjects, by subject.
    subject_tags: Vec<TagRef>,
    zone_names: Names,
    zones: Vec<Option<ZonePlan>>,
    door_names: Names,
    doors: Vec<Option<DoorPlan>>,
    line_names: Names,
    lines: Vec<Option<LinePlan>>,
    rule_names: Names,
    rules: Vec<Option<RulePlan>>,
    source_names: Names,
    sources: Vec<Option<SourcePlan>>,
    /// Feeds that see every zone, ascending.
    sources_of_all: Vec<SourceRef>,
    anchor_names: Names,
    anchors: Vec<Option<AnchorPlan>>,
    badge_names: Names,
    /// Whose they are; `None` if they were removed.
    badges: Vec<Option<SubjectRef>>,
    watches: Vec<WatchPlan>,
    /// Those in the index, by zone.
    zone_watches: Vec<(ZoneRef, u32)>,
    /// Rules that judge by a watch, by watch: where each watch's begin, and the rules.
    watch_rules_from: Vec<u32>,
    watch_rules: Vec<RuleRef>,
    rule_sets: Vec<RuleSet>,
    index: WatchIndex,
    surroundings: Surroundings,
}

/// What the machines ask.
impl Site {
    pub(crate) fn index(&self) -> &WatchIndex {
        &self.index
    }

    pub(crate) fn tag_plan(&self, tag: TagRef) -> Option<&TagPlan> {
        self.tags.get(tag.index()).filter(|plan| plan.source().is_some())
    }

    /// What people owe the alarms of a rule that is in force.
    pub fn answer(&self, rule: RuleRef) -> Option<&AnswerConfig> {
        self.rule(rule).map(|plan| &plan.answer)
    }

    /// What people owe an alarm: by its rule, or of what may be somebody in need and has none, because
    /// its actor is set aside, the most that any rule about the like asks.
    pub fn answer_to(&self, notice: &AlarmNotice) -> Option<&AnswerConfig> {
        if let Some(rule) = notice.rule {
            return self.answer(rule);
        }
        if !matches!(notice.kind, AlarmKind::Duress | AlarmKind::BandCut | AlarmKind::DoorForced) {
            return None;
        }
        let alike = self.rules.iter().flatten().filter(|plan| plan.alarm == notice.kind);
        let asks_most =
            |answer: &&AnswerConfig| (answer.stays_until, answer.escalations.len(), answer.latches);
        alike.map(|plan| &plan.answer).max_by_key(asks_most)
    }

    /// Whether a place is in force, and not merely was once.
    pub fn has_place(&self, place: Place) -> bool {
        match place {
            // Nobody mutes a whole site.
            Place::Site => false,
            Place::Zone(zone) => self.has(EntityRef::Zone(zone)),
            Place::Door(door) => self.has(EntityRef::Door(door)),
            Place::Line(line) => self.line_plan(line).is_some(),
            Place::Tag(tag) => self.has(EntityRef::Tag(tag)),
            Place::Source(source) => self.has(EntityRef::Source(source)),
            Place::Anchor(anchor) => self.has(EntityRef::Anchor(anchor)),
            Place::Subject(subject) => self.has(EntityRef::Subject(subject)),
        }
    }

    /// What the alarms of a rule do at once.
    pub(crate) fn responses(&self, rule: RuleRef) -> &[ResponsePlan] {
        self.rule(rule).map_or(&[], |plan| &plan.responses)
    }

    pub(crate) fn rule(&self, rule: RuleRef) -> Option<&RulePlan> {
        self.rules.get(rule.index())?.as_ref()
    }

    /// The rules of a number found in a plan.
    pub(crate) fn rule_set(&self, number: u32) -> Option<&RuleSet> {
        self.rule_sets.get(usize::try_from(number).ok()?)
    }

    /// The rules a subject is under; `None` if it was removed.
    pub(crate) fn subject_rules(&self, subject: SubjectRef) -> Option<&RuleSet> {
        let plan = self.subjects.get(subject.index())?;
        plan.class?;
        self.rule_set(plan.rule_set)
    }

    pub(crate) fn watch(&self, watch: u32) -> Option<&WatchPlan> {
        self.watches.get(usize::try_from(watch).ok()?).filter(|plan| plan.is_live)
    }

    /// Rules that judge by a watch, ascending.
    pub(crate) fn watch_rules(&self, watch: u32) -> &[RuleRef] {
        let bounds = usize::try_from(watch).ok().and_then(|at| {
            let from = usize::try_from(*self.watch_rules_from.get(at)?).ok()?;
            let until = usize::try_from(*self.watch_rules_from.get(at + 1)?).ok()?;
            Some(from..until)
        });
        bounds.and_then(|bounds| self.watch_rules.get(bounds)).unwrap_or(&[])
    }

    pub(crate) fn zone_plan(&self, zone: ZoneRef) -> Option<&ZonePlan> {
        self.zones.get(zone.index())?.as_ref()
    }

    pub(crate) fn door_plan(&self, door: DoorRef) -> Option<&DoorPlan> {
        self.doors.get(door.index())?.as_ref()
    }

    pub(crate) fn line_plan(&self, line: LineRef) -> Option<&LinePlan> {
        self.lines.get(line.index())?.as_ref()
    }

    pub(crate) fn source_plan(&self, source: SourceRef) -> Option<&SourcePlan> {
        self.sources.get(source.index())?.as_ref()
    }

    /// The feeds that see a zone: those that see every one, and those that name it.
    pub(crate) fn sources_that_see(&self, zone: ZoneRef) -> impl Iterator<Item = SourceRef> + '_ {
        let plan = self.zone_plan(zone);
        let (of_all, named) = match plan {
            Some(plan) => (&self.sources_of_all[..], &plan.sources[..]),
            None => (&[][..], &[][..]),
        };
        of_all.iter().chain(named).copied()
    }

    pub(crate) fn anchor_plan(&self, anchor: ach_actors_model::AnchorRef) -> Option<&AnchorPlan> {
        self.anchors.get(anchor.index())?.as_ref()
    }

    pub(crate) fn largest_gap_ns(&self) -> u64 {
        self.largest_gap_ns
    }

    /// The floor of positions that do not tell theirs, where there is only one.
    pub(crate) fn only_floor(&self) -> Option<Floor> {
        self.only_floor
    }

    /// Whether the rule holds at this hour.
    pub(crate) fn is_in_force(&self, rule: &RulePlan, at: Timestamp) -> bool {
        self.calendar.is_open(&rule.windows, at)
    }

    /// How the node moves a door, if it does.
    pub fn control_plan(&self, door: DoorRef) -> Option<&ControlPlan> {
        self.door_plan(door)?.control.as_ref()
    }

    /// Whether a door that is moved has a label.
    pub fn has_door_label(&self, label: &Name) -> bool {
        let has = |plan: &DoorPlan| plan.control.is_some() && plan.labels.contains(label);
        self.doors.iter().flatten().any(has)
    }

    /// Whether a door is in a scope.
    pub fn is_door_in(&self, door: DoorRef, scope: &DoorScope) -> bool {
        let Some(plan) = self.door_plan(door) else { return false };
        match scope {
            DoorScope::Site => true,
            DoorScope::Zone(zone) => {
                plan.control.as_ref().is_some_and(|control| control.zones.contains(zone))
            }
            DoorScope::Label(label) => plan.labels.binary_search(label).is_ok(),
        }
    }

    /// Whether the hours of a door unlock it.
    pub(crate) fn is_unlocked_by_hours(&self, control: &ControlPlan, at: Timestamp) -> bool {
        self.calendar.is_open(&control.hours, at)
    }

    /// When that changes next.
    pub(crate) fn control_next_change(
        &self,
        control: &ControlPlan,
        at: Timestamp,
    ) -> Option<Timestamp> {
        self.calendar.next_change(&control.hours, at)
    }

    /// When that changes next.
    pub(crate) fn next_change(&self, rule: &RulePlan, at: Timestamp) -> Option<Timestamp> {
        self.calendar.next_change(&rule.windows, at)
    }

    /// Watches that go on from those of the former version, which somebody is in: pairs of former
    /// and new. A watch goes on from the one that stood for the same: as the zone's own, with the
    /// same gates, or for the same rule; one that stands for nothing old goes on from the zone's
    /// own. So one of the former version may go on in several.
    pub(crate) fn heirs_of(&self, old: &Site, watches: &[u32]) -> Vec<(u32, u32)> {
        let mut zones: Vec<ZoneRef> =
            watches.iter().filter_map(|&watch| Some(old.watch(watch)?.zone)).collect();
        zones.sort_unstable();
        zones.dedup();
        let mut heirs = Vec::new();
        for zone in zones {
            let from = self.zone_watches.partition_point(|&(of, _)| of < zone);
            let of_zone = self.zone_watches.iter().skip(from).take_while(|&&(of, _)| of == zone);
            for &(_, heir) in of_zone {
                let mut ancestors = self.ancestors_of(old, zone, heir).into_iter();
                let ancestor = ancestors.find(|ancestor| watches.contains(ancestor));
                heirs.extend(ancestor.map(|ancestor| (ancestor, heir)));
            }
        }
        heirs
    }

    /// The watches of the former version that one goes on from, best first.
    fn ancestors_of(&self, old: &Site, zone: ZoneRef, heir: u32) -> Vec<u32> {
        let plain = old.zone_plan(zone).map(|zone| zone.plain_watch);
        let is_plain = self.watch(heir).is_some_and(|watch| watch.is_plain);
        let mut ancestors: Vec<u32> = plain.filter(|_| is_plain).into_iter().collect();
        let with_same_gates = old.watch(heir).map(|_| heir);
        let rules = self.watch_rules(heir).iter().filter_map(|&rule| old.rule(rule));
        let of_rules = rules.filter_map(|rule| rule.watch_of(zone));
        ancestors.extend(with_same_gates);
        ancestors.extend(of_rules.filter(|&watch| old.watch(watch).is_some()));
        if ancestors.is_empty() {
            ancestors.extend(plain);
        }
        ancestors
    }
}

/// The key of a line in the index.
pub(crate) fn line_key(line: u32) -> u32 {
    line << 1
}

/// The key of a door's sill in the index.
pub(crate) fn sill_key(door: u32) -> u32 {
    (door << 1) | 1
}

/// What a key of the index stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Barrier {
    Line(LineRef),
    Sill(DoorRef),
}

impl Barrier {
    pub(crate) fn of_key(key: u32) -> Barrier {
        if key & 1 == 0 {
            Barrier::Line(LineRef(key >> 1))
        } else {
            Barrier::Sill(DoorRef(key >> 1))
        }
    }
}
