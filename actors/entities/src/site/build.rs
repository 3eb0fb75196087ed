//! Makes the plans of a configuration's things, with refs for positions.

use std::collections::HashMap;
use std::sync::Arc;

use ach_actors_model::{
    AnswerConfig, Condition, ControlConfig, DoorRef, ResponseConfig, RuleConfig, RuleRef,
    SiteConfig, SourceRef, SubjectClass, SubjectRef, ZoneRef,
};
use ach_geo::{Floor, Gates, Line, Region, Watch, WatchIndex, WatchIndexError};

use super::compile::Refs;
use super::day_windows::DayWindows;
use super::names::narrow;
use super::plans::{
    AnchorPlan, ControlPlan, DoorPlan, LinePlan, ResponsePlan, RuleCondition, RulePlan, SourcePlan,
    WatchPlan, ZonePlan,
};
use super::{line_key, sill_key};

/// Numbers pairs of zone and gates.
#[derive(Debug)]
pub(super) struct Watches {
    pub(super) plans: Vec<WatchPlan>,
    numbers: HashMap<(ZoneRef, Gates), u32>,
}

impl Watches {
    /// Goes on from those of former versions.
    pub(super) fn new(mut plans: Vec<WatchPlan>) -> Watches {
        let mut numbers = HashMap::with_capacity(plans.len());
        for (number, plan) in (0..).zip(&mut plans) {
            plan.is_live = false;
            plan.is_plain = false;
            numbers.insert((plan.zone, plan.gates), number);
        }
        Watches { plans, numbers }
    }

    fn number(&mut self, zone: ZoneRef, gates: Gates, floor: Option<Floor>) -> u32 {
        let number = *self.numbers.entry((zone, gates)).or_insert(narrow(self.plans.len()));
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        if place >= self.plans.len() {
            self.plans.push(WatchPlan { zone, gates, floor, is_live: true, is_plain: false });
        } else if let Some(plan) = self.plans.get_mut(place) {
            plan.is_live = true;
            plan.floor = floor;
        }
        number
    }
}

/// The item at a position that the check has found to exist.
pub(super) fn at<T: Copy>(list: &[T], index: u32) -> Option<T> {
    list.get(usize::try_from(index).ok()?).copied()
}

pub(super) fn speed_limit(config: &SiteConfig, class: SubjectClass) -> Option<u32> {
    let of_class = config.speed_limits.iter().find(|limit| limit.class == class);
    of_class.map(|limit| limit.mm_per_s)
}

pub(super) fn only_floor(mut floors: impl Iterator<Item = Floor>) -> Option<Floor> {
    let first = floors.next()?;
    floors.all(|floor| floor == first).then_some(first)
}

pub(super) fn rules(
    config: &SiteConfig,
    refs: &Refs,
    count: usize,
    watches: &mut Watches,
) -> Vec<Option<RulePlan>> {
    let mut plans = vec![None; count];
    for (rule, given) in refs.rules.iter().zip(&config.rules) {
        if let Some(slot) = plans.get_mut(rule.index()) {
            *slot = Some(rule_plan(config, refs, given, watches));
        }
    }
    plans
}

/// What a rule says, less what it watches.
fn blank_plan(rule: &RuleConfig) -> RulePlan {
    RulePlan {
        condition: RuleCondition::of(&rule.condition),
        alarm: rule.alarm,
        priority: rule.priority,
        is_tentative: rule.is_tentative,
        answer: AnswerConfig { responses: Vec::new(), ..rule.answer.clone() },
        responses: Vec::new(),
        windows: DayWindows::new(&rule.when),
        zones: Vec::new(),
        lines: Vec::new(),
        doors: Vec::new(),
        line_tolerance_mm: rule.gates.map_or(0, |gates| gates.exit_tolerance_mm),
        line_gates: rule.gates.unwrap_or_default(),
    }
}

fn rule_plan(
    config: &SiteConfig,
    refs: &Refs,
    rule: &RuleConfig,
    watches: &mut Watches,
) -> RulePlan {
    let mut plan = blank_plan(rule);
    let is_leaving = matches!(rule.condition, Condition::Leaves { .. } | Condition::Away { .. });
    let mut judged = |zones: &[u32], dwell_ns: Option<u64>| {
        let mut pairs: Vec<(ZoneRef, u32)> = Vec::with_capacity(zones.len());
        for &place in zones {
            let zone = usize::try_from(place).ok().and_then(|place| config.zones.get(place));
            let (Some(zone), Some(zone_ref)) = (zone, at(&refs.zones, place)) else { continue };
            let mut gates = rule.gates.unwrap_or(zone.gates);
            gates.dwell_ns = dwell_ns.or(gates.dwell_ns);
            if is_leaving {
                gates = heard_to_leave(gates);
            }
            pairs.push((zone_ref, watches.number(zone_ref, gates, zone.floor)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    };
    match &rule.condition {
        Condition::Inside { zones }
        | Condition::Away { zones, .. }
        | Condition::Meets { zones, .. } => {
            plan.zones = judged(zones, None);
        }
        Condition::Leaves { zones, lines } => {
            plan.zones = judged(zones, None);
            plan.lines = lines.iter().filter_map(|&line| at(&refs.lines, line)).collect();
        }
        Condition::Stays { zones, after_ns } => plan.zones = judged(zones, Some(*after_ns)),
        Condition::OverCapacity { zones }
        | Condition::Alone { zones, .. }
        | Condition::Motion { zones, .. } => {
            let zones = zones.iter().filter_map(|&zone| at(&refs.zones, zone));
            // Judged by the zones themselves, so there is no watch to judge by.
            plan.zones = zones.map(|zone| (zone, u32::MAX)).collect();
        }
        _ => {}
    }
    let doors = rule.condition.doors().iter();
    plan.doors = doors.filter_map(|&door| at(&refs.doors, door)).collect();
    let responses = rule.answer.responses.iter();
    plan.responses = responses.map(|given| response_plan(config, refs, given)).collect();
    plan.zones.sort_unstable();
    plan.zones.dedup();
    plan.lines.sort_unstable();
    plan.lines.dedup();
    plan.doors.sort_unstable();
    plan.doors.dedup();
    plan
}

/// What a response comes to: doors that the node does not move are none of its business.
fn response_plan(config: &SiteConfig, refs: &Refs, given: &ResponseConfig) -> ResponsePlan {
    let is_moved = |place: u32| {
        let door = usize::try_from(place).ok().and_then(|place| config.doors.get(place));
        door.is_some_and(|door| door.control.is_some())
    };
    let moved = given.doors.iter().filter(|&&door| is_moved(door));
    let mut doors: Vec<DoorRef> = moved.filter_map(|&door| at(&refs.doors, door)).collect();
    doors.sort_unstable();
    doors.dedup();
    ResponsePlan { doors, mode: given.mode, for_ns: given.for_ns, tell: given.tell.clone() }
}

/// Not to be heard is no evidence of having left, and whoever is heard again outside must not have
/// been forgotten. The time within the tolerance is limited as it was.
fn heard_to_leave(gates: Gates) -> Gates {
    let tolerance_timeout_ns = gates.tolerance_timeout_ns.filter(|&timeout_ns| timeout_ns > 0);
    Gates {
        tolerance_timeout_ns: tolerance_timeout_ns.or(gates.fence_timeout_ns),
        fence_timeout_ns: None,
        ..gates
    }
}

/// Watches by zone.
pub(super) fn zone_watches(watches: &[WatchPlan]) -> Vec<(ZoneRef, u32)> {
    let live = (0..).zip(watches).filter(|(_, plan)| plan.is_live);
    let mut pairs: Vec<(ZoneRef, u32)> = live.map(|(watch, plan)| (plan.zone, watch)).collect();
    pairs.sort_unstable();
    pairs
}

pub(super) fn zones(
    config: &SiteConfig,
    refs: &Refs,
    rules: &[Option<RulePlan>],
    count: usize,
    watches: &mut Watches,
) -> Vec<Option<ZonePlan>> {
    let mut plans = vec![None; count];
    for (&zone, given) in refs.zones.iter().zip(&config.zones) {
        let plain_watch = watches.number(zone, given.gates, given.floor);
        let place = usize::try_from(plain_watch).unwrap_or(usize::MAX);
        if let Some(watch) = watches.plans.get_mut(place) {
            watch.is_plain = true;
        }
        let plan = ZonePlan {
            capacity: given.capacity,
            plain_watch,
            capacity_rules: Vec::new(),
            lone_rules: Vec::new(),
            motion_rules: Vec::new(),
            motion_source: given.motion_source.and_then(|source| at(&refs.sources, source)),
            sources: Vec::new(),
        };
        if let Some(slot) = plans.get_mut(zone.index()) {
            *slot = Some(plan);
        }
    }
    for (rule, plan) in numbered(rules) {
        for &(zone, _) in plan.zones.iter().filter(|_| plan.condition.is_judged_by_zones()) {
            let Some(Some(zone)) = plans.get_mut(zone.index()) else { continue };
            match plan.condition {
                RuleCondition::Alone { .. } => zone.lone_rules.push(rule),
                RuleCondition::Motion { .. } => zone.motion_rules.push(rule),
                _ => zone.capacity_rules.push(rule),
            }
        }
    }
    for (&source, given) in refs.sources.iter().zip(&config.sources) {
        for zone in zone_refs(&given.zones, refs) {
            if let Some(Some(zone)) = plans.get_mut(zone.index()) {
                zone.sources.push(source);
            }
        }
    }
    for plan in plans.iter_mut().flatten() {
        plan.sources.sort_unstable();
    }
    plans
}

/// Zones by their positions, ascending.
fn zone_refs(places: &[u32], refs: &Refs) -> Vec<ZoneRef> {
    let mut zones: Vec<ZoneRef> =
        places.iter().filter_map(|&place| at(&refs.zones, place)).collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

fn numbered(rules: &[Option<RulePlan>]) -> impl Iterator<Item = (RuleRef, &RulePlan)> {
    let numbered = (0..).map(RuleRef).zip(rules);
    numbered.filter_map(|(rule, plan)| plan.as_ref().map(|plan| (rule, plan)))
}

pub(super) fn doors(
    config: &SiteConfig,
    refs: &Refs,
    rules: &[Option<RulePlan>],
    count: usize,
) -> Vec<Option<DoorPlan>> {
    let mut plans = vec![None; count];
    for (&door, given) in refs.doors.iter().zip(&config.doors) {
        let source = given.source.and_then(|source| at(&refs.sources, source));
        if let Some(slot) = plans.get_mut(door.index()) {
            let (forced_rules, passage_rules) = (Vec::new(), Vec::new());
            let state_rules = Vec::new();
            let control = given.control.as_ref().map(|control| control_plan(control, refs));
            let mut labels = given.labels.clone();
            labels.sort_unstable();
            *slot = Some(DoorPlan {
                source,
                forced_rules,
                passage_rules,
                state_rules,
                control,
                labels,
            });
        }
    }
    for (rule, plan) in numbered(rules) {
        for door in &plan.doors {
            let Some(Some(door)) = plans.get_mut(door.index()) else { continue };
            match plan.condition {
                RuleCondition::DoorForced => door.forced_rules.push(rule),
                RuleCondition::Tailgating => door.passage_rules.push(rule),
                // Judged by whom the badge was given to.
                RuleCondition::BadgeElsewhere { .. } => {}
                _ => door.state_rules.push(rule),
            }
        }
    }
    plans
}

fn control_plan(given: &ControlConfig, refs: &Refs) -> ControlPlan {
    ControlPlan {
        rests: given.rests,
        hours: DayWindows::new(&given.unlocked_when),
        on_lockdown: given.on_lockdown,
        opens_on_evacuation: given.opens_on_evacuation,
        opens_on_fire: given.opens_on_fire,
        moves_in_drill: given.moves_in_drill,
        fire_area: given.fire_area.clone(),
        interlock: given.interlock.clone(),
        zones: zone_refs(&given.zones, refs),
    }
}

pub(super) fn lines(
    config: &SiteConfig,
    refs: &Refs,
    rules: &[Option<RulePlan>],
    count: usize,
) -> Vec<Option<LinePlan>> {
    let mut plans = vec![None; count];
    for (&line, given) in refs.lines.iter().zip(&config.lines) {
        let points_mm = given.points_mm.clone();
        if let Some(slot) = plans.get_mut(line.index()) {
            *slot = Some(LinePlan { floor: given.floor, points_mm, rules: Vec::new() });
        }
    }
    for (rule, plan) in numbered(rules) {
        for line in &plan.lines {
            if let Some(Some(line)) = plans.get_mut(line.index()) {
                line.rules.push(rule);
            }
        }
    }
    plans
}

pub(super) fn sources(config: &SiteConfig, refs: &Refs, count: usize) -> Vec<Option<SourcePlan>> {
    let mut plans = vec![None; count];
    for (&source, given) in refs.sources.iter().zip(&config.sources) {
        if let Some(slot) = plans.get_mut(source.index()) {
            *slot = Some(SourcePlan { silence_ns: given.silence_ns });
        }
    }
    plans
}

/// Feeds that see every zone: those that have tags and name no zone.
pub(super) fn sources_of_all(config: &SiteConfig, refs: &Refs) -> Vec<SourceRef> {
    let mut has_tags = vec![false; config.sources.len()];
    for tag in &config.tags {
        let source = usize::try_from(tag.source).ok().and_then(|at| has_tags.get_mut(at));
        if let Some(has_tags) = source {
            *has_tags = true;
        }
    }
    let sources = refs.sources.iter().zip(&config.sources).zip(has_tags);
    let mut all: Vec<SourceRef> = sources
        .filter(|((_, given), has_tags)| *has_tags && given.zones.is_empty())
        .map(|((&source, _), _)| source)
        .collect();
    all.sort_unstable();
    all
}

/// The subject of each badge that is in force.
pub(super) fn badges(config: &SiteConfig, refs: &Refs, count: usize) -> Vec<Option<SubjectRef>> {
    let mut plans = vec![None; count];
    for (&badge, given) in refs.badges.iter().zip(&config.badges) {
        if let Some(slot) = plans.get_mut(badge.index()) {
            *slot = at(&refs.subjects, given.subject);
        }
    }
    plans
}

pub(super) fn anchors(config: &SiteConfig, refs: &Refs, count: usize) -> Vec<Option<AnchorPlan>> {
    let mut plans = vec![None; count];
    for (&anchor, given) in refs.anchors.iter().zip(&config.anchors) {
        let Some(source) = at(&refs.sources, given.source) else { continue };
        let zones = zone_refs(&given.zones, refs);
        if let Some(slot) = plans.get_mut(anchor.index()) {
            *slot = Some(AnchorPlan { source, zones, silence_ns: given.silence_ns });
        }
    }
    plans
}

/// Rules by the watch they judge by: where each watch's begin, one more than there are watches, and
/// the rules.
pub(super) fn watch_rules(
    rules: &[Option<RulePlan>],
    watch_count: usize,
) -> (Vec<u32>, Vec<RuleRef>) {
    let mut pairs: Vec<(u32, RuleRef)> = Vec::new();
    for (rule, plan) in numbered(rules) {
        if !plan.condition.is_judged_by_zones() {
            pairs.extend(plan.zones.iter().map(|&(_, watch)| (watch, rule)));
        }
    }
    pairs.sort_unstable();
    let mut from = Vec::with_capacity(watch_count + 1);
    let mut place = 0;
    for watch in 0..=narrow(watch_count) {
        place += pairs.iter().skip(place).take_while(|&&(of, _)| of < watch).count();
        from.push(narrow(place));
    }
    (from, pairs.into_iter().map(|(_, rule)| rule).collect())
}

/// The index over every live watch, line and sill. `regions` are those of the zones, by position.
pub(super) fn index(
    config: &SiteConfig,
    refs: &Refs,
    plans: &[WatchPlan],
    regions: &[Option<Arc<Region>>],
) -> Result<WatchIndex, WatchIndexError> {
    let by_zone: HashMap<ZoneRef, &Arc<Region>> = refs
        .zones
        .iter()
        .zip(regions)
        .filter_map(|(&zone, region)| Some((zone, region.as_ref()?)))
        .collect();
    let mut watches = Vec::with_capacity(plans.len());
    for (key, plan) in (0..).zip(plans).filter(|(_, plan)| plan.is_live) {
        if let Some(&region) = by_zone.get(&plan.zone) {
            watches.push(Watch { key, region: Arc::clone(region), gates: plan.gates });
        }
    }
    let mut barriers = Vec::new();
    for (line, given) in refs.lines.iter().zip(&config.lines) {
        let (key, floor) = (line_key(line.0), given.floor);
        let pieces = given.points_mm.iter().zip(given.points_mm.iter().skip(1));
        for (&from_mm, &to_mm) in pieces.filter(|(from, to)| from != to) {
            barriers.push(Line { key, floor, from_mm, to_mm });
        }
    }
    for (door, given) in refs.doors.iter().zip(&config.doors) {
        let (from_mm, to_mm) = given.sill_mm;
        barriers.push(Line { key: sill_key(door.0), floor: given.floor, from_mm, to_mm });
    }
    WatchIndex::build(watches, barriers)
}
