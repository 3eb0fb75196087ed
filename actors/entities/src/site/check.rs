//! Finds every mistake in a configuration before anything is made of it.

use ach_actors_model::{
    AlarmKind, Condition, ControlConfig, DelayConfig, DoorMode, Escalation, NS_PER_S, Name,
    ResponseConfig, RuleConfig, SiteConfig, Window,
};
use ach_geo::Gates;

use super::limits;
use super::mistake::{GateMistake, MISTAKE_COUNT_MAX, SiteError, SiteList, SiteMistake};

const DAY_S: u32 = 86_400;
const OFFSET_MAX_S: u32 = 18 * 3_600;

/// Collects mistakes.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    count: usize,
    listed: Vec<SiteMistake>,
}

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: SiteMistake) {
        self.count += 1;
        if self.listed.len() < MISTAKE_COUNT_MAX {
            self.listed.push(mistake);
        }
    }

    pub(crate) fn into_result(self) -> Result<(), SiteError> {
        match self.listed.first() {
            None => Ok(()),
            Some(first) => {
                let first = first.clone();
                Err(SiteError { count: self.count, first, listed: self.listed })
            }
        }
    }

    pub(crate) fn limit(&mut self, list: SiteList, count: usize, limit: usize) {
        if count > limit {
            self.add(SiteMistake::TooMany { list, count, limit });
        }
    }

    fn index(&mut self, list: SiteList, at: usize, target: SiteList, index: u32, count: usize) {
        if !usize::try_from(index).is_ok_and(|index| index < count) {
            self.add(SiteMistake::Dangling { list, at, target, index });
        }
    }

    fn gates(&mut self, list: SiteList, at: usize, gates: &Gates) {
        let confirm = gates.confirm;
        let reason = if confirm.needed == 0 || confirm.needed > confirm.of || confirm.of > 8 {
            GateMistake::Confirm { needed: confirm.needed, of: confirm.of }
        } else {
            let mm = gates.entry_margin_mm.max(gates.exit_tolerance_mm);
            let times = [gates.tolerance_timeout_ns, gates.fence_timeout_ns, gates.dwell_ns];
            let ns = times.into_iter().flatten().fold(gates.exit_delay_ns, u64::max);
            if mm > limits::GATE_DISTANCE_MAX_MM {
                GateMistake::Distance { mm }
            } else if ns > limits::DURATION_MAX_NS {
                GateMistake::Duration { ns }
            } else if let Some(ns) =
                gates.fence_timeout_ns.filter(|&ns| ns < limits::FENCE_TIMEOUT_MIN_NS)
            {
                GateMistake::FenceTimeout { ns }
            } else {
                return;
            }
        };
        self.add(SiteMistake::Gates { list, at, reason });
    }

    fn duration(&mut self, list: SiteList, at: usize, ns: u64) {
        if ns == 0 || ns > limits::DURATION_MAX_NS {
            self.add(SiteMistake::Duration { list, at, ns });
        }
    }

    fn badge_distance(&mut self, at: usize, within_mm: u32) {
        if !(1..=limits::BADGE_DISTANCE_MAX_MM).contains(&within_mm) {
            self.add(SiteMistake::BadgeDistance { at });
        }
    }

    fn labels(&mut self, labels: &[Name]) {
        self.limit(SiteList::Labels, labels.len(), limits::LABEL_COUNT_MAX);
    }

    fn points(&mut self, list: SiteList, at: usize, points: &[(i32, i32)]) {
        let is_far = |&(x_mm, y_mm): &(i32, i32)| {
            x_mm.unsigned_abs().max(y_mm.unsigned_abs()) > limits::COORDINATE_MAX_MM
        };
        if points.iter().any(is_far) {
            self.add(SiteMistake::Coordinate { list, at });
        }
        if points.first().is_none_or(|first| points.iter().all(|point| point == first)) {
            self.add(SiteMistake::NoLength { list, at });
        }
    }
}

/// Everything that can be said about a configuration by itself, except outlines and repeated ids,
/// which are found when they are made use of.
pub(crate) fn check(config: &SiteConfig, mistakes: &mut Mistakes) {
    counts(config, mistakes);
    if !(1..=limits::GAP_MAX_NS).contains(&config.largest_gap_ns) {
        mistakes.add(SiteMistake::LargestGap { ns: config.largest_gap_ns });
    }
    calendar(config, mistakes);
    devices(config, mistakes);
    places(config, mistakes);
    for (at, rule) in config.rules.iter().enumerate() {
        check_rule(config, at, rule, mistakes);
    }
}

fn counts(config: &SiteConfig, mistakes: &mut Mistakes) {
    for (list, count, limit) in [
        (SiteList::Sources, config.sources.len(), limits::SOURCE_COUNT_MAX),
        (SiteList::Anchors, config.anchors.len(), limits::ANCHOR_COUNT_MAX),
        (SiteList::Zones, config.zones.len(), limits::ZONE_COUNT_MAX),
        (SiteList::Doors, config.doors.len(), limits::DOOR_COUNT_MAX),
        (SiteList::Lines, config.lines.len(), limits::LINE_COUNT_MAX),
        (SiteList::Subjects, config.subjects.len(), limits::SUBJECT_COUNT_MAX),
        (SiteList::Tags, config.tags.len(), limits::TAG_COUNT_MAX),
        (SiteList::Rules, config.rules.len(), limits::RULE_COUNT_MAX),
        (SiteList::UtcOffsets, config.utc_offsets.len(), limits::UTC_OFFSET_COUNT_MAX),
        (SiteList::SpeedLimits, config.speed_limits.len(), limits::SPEED_LIMIT_COUNT_MAX),
        (SiteList::Holidays, config.holidays.len(), limits::HOLIDAY_COUNT_MAX),
        (SiteList::Badges, config.badges.len(), limits::BADGE_COUNT_MAX),
    ] {
        mistakes.limit(list, count, limit);
    }
    let anchor_zones = config.anchors.iter().map(|anchor| anchor.zones.len()).sum();
    mistakes.limit(SiteList::AnchorZones, anchor_zones, limits::ANCHORS_ZONE_COUNT_MAX);
    let source_zones = config.sources.iter().map(|source| source.zones.len()).sum();
    mistakes.limit(SiteList::SourceZones, source_zones, limits::SOURCE_ZONE_COUNT_MAX);
    let rule_places = config.rules.iter().map(|rule| place_count(&rule.condition)).sum();
    mistakes.limit(SiteList::RulePlaces, rule_places, limits::RULE_PLACE_COUNT_MAX);
    let named_by = |rule: &RuleConfig| {
        let others = rule.condition.others().map_or(0, |who| who.subjects.len());
        rule.who.subjects.len() + others
    };
    let named = config.rules.iter().map(named_by).sum();
    mistakes.limit(SiteList::RuleSubjects, named, limits::RULE_SUBJECT_COUNT_MAX);
}

fn place_count(condition: &Condition) -> usize {
    match condition {
        Condition::Inside { zones }
        | Condition::Stays { zones, .. }
        | Condition::OverCapacity { zones }
        | Condition::Away { zones, .. }
        | Condition::Alone { zones, .. }
        | Condition::Meets { zones, .. }
        | Condition::Motion { zones, .. } => zones.len(),
        Condition::Leaves { zones, lines } => zones.len() + lines.len(),
        Condition::DoorForced { doors }
        | Condition::DoorHeld { doors, .. }
        | Condition::DoorTampered { doors }
        | Condition::ReaderTampered { doors }
        | Condition::DoorLost { doors, .. }
        | Condition::DoorBatteryLow { doors, .. }
        | Condition::DoorNotFollowing { doors, .. }
        | Condition::Tailgating { doors, .. }
        | Condition::BadgeElsewhere { doors, .. } => doors.len(),
        Condition::TagSilent { .. }
        | Condition::BatteryLow { .. }
        | Condition::BandCut
        | Condition::ButtonPressed
        | Condition::TagsContradict => 0,
    }
}

fn calendar(config: &SiteConfig, mistakes: &mut Mistakes) {
    if config.utc_offsets.is_empty() {
        mistakes.add(SiteMistake::NoUtcOffset);
    }
    let mut earliest_ns = 0;
    for (at, offset) in config.utc_offsets.iter().enumerate() {
        let is_first_in_place = at > 0 || offset.from.0 == 0;
        if !is_first_in_place
            || offset.from.0 < earliest_ns
            || offset.offset_s.unsigned_abs() > OFFSET_MAX_S
        {
            mistakes.add(SiteMistake::UtcOffset { at });
        }
        earliest_ns = offset.from.0.saturating_add(u64::from(DAY_S) * NS_PER_S);
    }
    let pairs = config.holidays.iter().zip(config.holidays.iter().skip(1));
    for (at, (before, day)) in (1..).zip(pairs) {
        if day <= before {
            mistakes.add(SiteMistake::Holiday { at });
        }
    }
    for (at, limit) in config.speed_limits.iter().enumerate() {
        let mut earlier = config.speed_limits.iter().take(at);
        if limit.mm_per_s == 0 || earlier.any(|earlier| earlier.class == limit.class) {
            mistakes.add(SiteMistake::SpeedLimit { at });
        }
    }
}

fn devices(config: &SiteConfig, mistakes: &mut Mistakes) {
    let source_count = config.sources.len();
    for (at, source) in config.sources.iter().enumerate() {
        let list = SiteList::Sources;
        for &zone in &source.zones {
            mistakes.index(list, at, SiteList::Zones, zone, config.zones.len());
        }
        if let Some(ns) = source.silence_ns {
            mistakes.duration(list, at, ns);
        }
    }
    for (at, anchor) in config.anchors.iter().enumerate() {
        let list = SiteList::Anchors;
        mistakes.index(list, at, SiteList::Sources, anchor.source, source_count);
        let limit = limits::ANCHOR_ZONE_COUNT_MAX;
        mistakes.limit(SiteList::ZonesOfAnchor, anchor.zones.len(), limit);
        for &zone in &anchor.zones {
            mistakes.index(list, at, SiteList::Zones, zone, config.zones.len());
        }
        if let Some(ns) = anchor.silence_ns {
            mistakes.duration(list, at, ns);
        }
    }
    for (at, tag) in config.tags.iter().enumerate() {
        mistakes.index(SiteList::Tags, at, SiteList::Sources, tag.source, source_count);
        if let Some(subject) = tag.subject {
            let subject_count = config.subjects.len();
            mistakes.index(SiteList::Tags, at, SiteList::Subjects, subject, subject_count);
        }
    }
    for (at, badge) in config.badges.iter().enumerate() {
        let subject_count = config.subjects.len();
        mistakes.index(SiteList::Badges, at, SiteList::Subjects, badge.subject, subject_count);
    }
}

fn places(config: &SiteConfig, mistakes: &mut Mistakes) {
    for (at, zone) in config.zones.iter().enumerate() {
        if let Some(source) = zone.motion_source {
            mistakes.index(SiteList::Zones, at, SiteList::Sources, source, config.sources.len());
        }
        mistakes.labels(&zone.labels);
        mistakes.gates(SiteList::Zones, at, &zone.gates);
    }
    for (at, door) in config.doors.iter().enumerate() {
        mistakes.labels(&door.labels);
        mistakes.points(SiteList::Doors, at, &[door.sill_mm.0, door.sill_mm.1]);
        if let Some(source) = door.source {
            let source_count = config.sources.len();
            mistakes.index(SiteList::Doors, at, SiteList::Sources, source, source_count);
        }
        if let Some(control) = &door.control {
            check_control(config, at, control, door.source.is_some(), mistakes);
        }
    }
    for (at, line) in config.lines.iter().enumerate() {
        mistakes.labels(&line.labels);
        let limit = limits::LINE_POINT_COUNT_MAX;
        mistakes.limit(SiteList::Points, line.points_mm.len(), limit);
        mistakes.points(SiteList::Lines, at, &line.points_mm);
    }
    for subject in &config.subjects {
        mistakes.labels(&subject.labels);
    }
}

/// A door that is moved is wired, and does in a lockdown what a lockdown is for.
fn check_control(
    config: &SiteConfig,
    at: usize,
    control: &ControlConfig,
    is_wired: bool,
    mistakes: &mut Mistakes,
) {
    mistakes.limit(SiteList::Windows, control.unlocked_when.len(), limits::WINDOW_COUNT_MAX);
    mistakes.limit(SiteList::ZonesOfDoor, control.zones.len(), limits::DOOR_ZONE_COUNT_MAX);
    for &zone in &control.zones {
        mistakes.index(SiteList::Doors, at, SiteList::Zones, zone, config.zones.len());
    }
    let opens_in_lockdown = control.on_lockdown == Some(DoorMode::Unlocked);
    let is_wrong = control.unlocked_when.iter().any(is_wrong_window);
    let is_blocked = control.rests == DoorMode::Blocked;
    if !is_wired || opens_in_lockdown || is_wrong || is_blocked {
        mistakes.add(SiteMistake::Control { at });
    }
}

fn is_wrong_window(window: &Window) -> bool {
    window.weekdays == 0 || window.from_s >= DAY_S || window.until_s > DAY_S
}

/// Steps in which an alarm is passed on come one after the other.
fn check_answer(at: usize, rule: &RuleConfig, mistakes: &mut Mistakes) {
    check_delays(at, rule, mistakes);
    let answer = &rule.answer;
    let steps = &answer.escalations;
    mistakes.limit(SiteList::Escalations, steps.len(), limits::ESCALATION_COUNT_MAX);
    for step in steps {
        mistakes.duration(SiteList::Rules, at, step.after_ns);
    }
    let is_later = |pair: &[Escalation]| match pair {
        [before, after] => before.after_ns < after.after_ns,
        _ => true,
    };
    if !steps.windows(2).all(is_later) {
        mistakes.add(SiteMistake::EscalationOrder { at });
    }
    if let Some(again_after_ns) = answer.again_after_ns {
        mistakes.duration(SiteList::Rules, at, again_after_ns);
    }
}

/// Only what lasts can wait, for no longer than is of use, and nothing a life may hang on.
fn check_delays(at: usize, rule: &RuleConfig, mistakes: &mut Mistakes) {
    let DelayConfig { on_ns, off_ns } = rule.answer.delays;
    let in_time = |ns: u64| (limits::DELAY_MIN_NS..=limits::DELAY_MAX_NS).contains(&ns);
    let may_wait = !rule.answer.is_life_safety;
    let may_begin_late = may_wait && !rule.is_tentative && rule.condition.may_begin_late();
    let may_end_late = may_wait && rule.condition.may_end_late();
    let is_sound = |ns: u64, may: bool| ns == 0 || (may && in_time(ns));
    if !is_sound(on_ns, may_begin_late) || !is_sound(off_ns, may_end_late) {
        mistakes.add(SiteMistake::Delay { at });
    }
}

/// A response locks doors that there are, for no longer than a day, and never opens one.
fn check_responses(
    config: &SiteConfig,
    at: usize,
    responses: &[ResponseConfig],
    mistakes: &mut Mistakes,
) {
    mistakes.limit(SiteList::Responses, responses.len(), limits::RESPONSE_COUNT_MAX);
    let doors = || responses.iter().flat_map(|response| &response.doors);
    let tell_count: usize = responses.iter().map(|response| response.tell.len()).sum();
    mistakes.limit(SiteList::LockedDoors, doors().count(), limits::RESPONSE_DOOR_COUNT_MAX);
    mistakes.limit(SiteList::ToldAtOnce, tell_count, limits::RESPONSE_TELL_COUNT_MAX);
    for &door in doors() {
        mistakes.index(SiteList::Rules, at, SiteList::Doors, door, config.doors.len());
    }
    let is_sound = |response: &ResponseConfig| {
        let lease = 1..=limits::RESPONSE_LEASE_MAX_NS;
        response.doors.is_empty()
            || (response.mode != DoorMode::Unlocked && lease.contains(&response.for_ns))
    };
    if !responses.iter().all(is_sound) {
        mistakes.add(SiteMistake::Response { at });
    }
}

/// What the system itself raises, and no rule may.
const SYSTEM_ALARMS: [AlarmKind; 8] = [
    AlarmKind::FeedSilent,
    AlarmKind::ZoneBlind,
    AlarmKind::ActorQuarantined,
    AlarmKind::ClockSkewed,
    AlarmKind::SelfTest,
    AlarmKind::AuditTrouble,
    AlarmKind::NodeClockOff,
    AlarmKind::SelftestFailed,
];

fn check_rule(config: &SiteConfig, at: usize, rule: &RuleConfig, mistakes: &mut Mistakes) {
    let list = SiteList::Rules;
    for who in [Some(&rule.who), rule.condition.others()].into_iter().flatten() {
        mistakes.labels(&who.labels_any);
        mistakes.labels(&who.labels_none);
        for &subject in &who.subjects {
            mistakes.index(list, at, SiteList::Subjects, subject, config.subjects.len());
        }
    }
    mistakes.limit(SiteList::Windows, rule.when.len(), limits::WINDOW_COUNT_MAX);
    if rule.when.iter().any(is_wrong_window) {
        mistakes.add(SiteMistake::Window { at });
    }
    if let Some(gates) = &rule.gates {
        mistakes.gates(list, at, gates);
    }
    check_answer(at, rule, mistakes);
    check_responses(config, at, &rule.answer.responses, mistakes);
    if SYSTEM_ALARMS.contains(&rule.alarm) {
        mistakes.add(SiteMistake::SystemAlarm { at });
    }
    let mut zones = |zones: &[u32]| {
        for &zone in zones {
            mistakes.index(list, at, SiteList::Zones, zone, config.zones.len());
        }
    };
    match &rule.condition {
        Condition::Inside { zones: it } | Condition::OverCapacity { zones: it } => zones(it),
        Condition::Leaves { zones: left, lines } => {
            zones(left);
            for &line in lines {
                mistakes.index(list, at, SiteList::Lines, line, config.lines.len());
            }
        }
        Condition::Stays { zones: stayed, after_ns }
        | Condition::Away { zones: stayed, after_ns }
        | Condition::Alone { zones: stayed, after_ns, .. }
        | Condition::Motion { zones: stayed, after_ns, .. } => {
            zones(stayed);
            mistakes.duration(list, at, *after_ns);
        }
        &Condition::Meets { zones: ref met, within_mm, apart_mm, after_ns, .. } => {
            zones(met);
            mistakes.duration(list, at, after_ns);
            if within_mm == 0 || within_mm > apart_mm || apart_mm > limits::MEETING_DISTANCE_MAX_MM
            {
                mistakes.add(SiteMistake::MeetingDistance { at });
            }
        }
        &Condition::BadgeElsewhere { within_mm, .. } => mistakes.badge_distance(at, within_mm),
        Condition::TagSilent { after_ns }
        | Condition::DoorHeld { after_ns, .. }
        | Condition::DoorLost { after_ns, .. }
        | Condition::DoorNotFollowing { after_ns, .. } => mistakes.duration(list, at, *after_ns),
        &Condition::BatteryLow { percent } | &Condition::DoorBatteryLow { percent, .. } => {
            if !(1..=99).contains(&percent) {
                mistakes.add(SiteMistake::Percent { at, percent });
            }
        }
        Condition::DoorForced { .. }
        | Condition::DoorTampered { .. }
        | Condition::ReaderTampered { .. }
        | Condition::BandCut
        | Condition::ButtonPressed
        | Condition::TagsContradict
        | Condition::Tailgating { .. } => {}
    }
    for &door in rule.condition.doors() {
        mistakes.index(list, at, SiteList::Doors, door, config.doors.len());
    }
}
