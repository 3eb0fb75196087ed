//! A hospital of wards under a pack of rules as a large one has them: what being watched costs a ping.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, NS_PER_S, Name, RuleConfig, SiteConfig,
    SubjectConfig, Who, ZoneConfig,
};
use ach_geo::{Floor, Outline};

use crate::shard_site::{gates, name, site};
use crate::{Campus, Moves, SEED, ShardSteps, Size};

/// Wards, one a floor.
const WARDS: Size = Size { smoke: 2, full: 62 };
/// Subjects.
const SUBJECTS: Size = Size { smoke: 200, full: 10_000 };
/// Rooms of a ward: the campus has as many on a floor.
const WARD_ROOMS: usize = 100;
/// Ward's outline: past its outer walls, where nobody walks.
const WARD_MM: (i32, i32) = (130_000, 41_000);
const OUTSIDE_MM: i32 = -5_000;
/// Every so manyth subject is one that others must keep away from.
const KEPT_APART_EVERY: usize = 80;
const MINUTE_NS: u64 = 60 * NS_PER_S;

/// Wards with subjects in them.
#[derive(Debug, Clone)]
pub struct RulePack {
    /// Where they are.
    pub campus: Campus,
    /// The site with all rules.
    pub armed: SiteConfig,
    /// The same without any.
    pub bare: SiteConfig,
}

impl RulePack {
    /// Wards of a run.
    pub const WARDS: Size = WARDS;
    /// Subjects of a run.
    pub const SUBJECTS: Size = SUBJECTS;

    /// That many subjects in that many wards, each under the rules of its ward and of the site.
    pub fn new(wards: usize, subjects: usize) -> RulePack {
        let campus = Campus::new(wards * WARD_ROOMS);
        let floors = floors_of(&campus);
        // They stay on the floor on which they begin.
        let positions = campus.positions(Moves::Walks, subjects, 1, SEED);
        let mut bare = SiteConfig { rules: Vec::new(), ..site(&campus, subjects) };
        let ward_zones = bare.zones.len();
        bare.zones.extend(floors.iter().enumerate().map(ward_zone));
        for (number, (subject, position)) in bare.subjects.iter_mut().zip(&positions).enumerate() {
            let ward = floors.iter().position(|floor| Some(*floor) == position.floor);
            label(subject, number, ward.unwrap_or(0));
        }
        let mut rules = site_rules(ward_zones, wards);
        rules.extend((0..wards).flat_map(|ward| ward_rules(ward, ward_zones)));
        let armed = SiteConfig { rules, ..bare.clone() };
        RulePack { campus, armed, bare }
    }

    /// The subjects walk, under all rules or under none.
    pub fn steps(&self, is_armed: bool) -> ShardSteps {
        let site = if is_armed { &self.armed } else { &self.bare };
        let tags = site.tags.len();
        ShardSteps::under(site.clone(), &self.campus, tags, Moves::Walks, &mut |_, _, _| ())
    }
}

/// The floors, from the lowest.
fn floors_of(campus: &Campus) -> Vec<Floor> {
    let mut floors: Vec<Floor> = campus.rooms.iter().map(|(_, floor)| *floor).collect();
    floors.dedup();
    floors
}

fn ward_label(ward: usize) -> Name {
    name(&format!("ward-{ward}"))
}

fn kept_apart(ward: usize) -> Name {
    name(&format!("kept-apart-{ward}"))
}

fn label(subject: &mut SubjectConfig, number: usize, ward: usize) {
    subject.labels = vec![ward_label(ward)];
    if number.is_multiple_of(KEPT_APART_EVERY) {
        subject.labels.push(kept_apart(ward));
    }
}

fn ward_zone((ward, floor): (usize, &Floor)) -> ZoneConfig {
    let (x, y) = (OUTSIDE_MM + WARD_MM.0, OUTSIDE_MM + WARD_MM.1);
    let outer_mm = vec![(OUTSIDE_MM, OUTSIDE_MM), (x, OUTSIDE_MM), (x, y), (OUTSIDE_MM, y)];
    ZoneConfig {
        id: ward_label(ward),
        labels: Vec::new(),
        floor: Some(*floor),
        outline: Outline::Polygon { outer_mm, holes_mm: Vec::new() },
        height: None,
        capacity: Some(1_000),
        motion_source: None,
        gates: gates(),
    }
}

fn rule(id: &str, labels: Vec<Name>, condition: Condition, alarm: AlarmKind) -> RuleConfig {
    RuleConfig {
        id: name(id),
        who: Who { labels_any: labels, ..Who::default() },
        when: Vec::new(),
        condition,
        alarm,
        priority: AlarmPriority::Medium,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    }
}

/// Four, about everybody.
fn site_rules(ward_zones: usize, wards: usize) -> Vec<RuleConfig> {
    let zones = (ward_zones..ward_zones + wards).map(number).collect();
    let everybody = [
        (Condition::BatteryLow { percent: 10 }, AlarmKind::BatteryLow),
        (Condition::BandCut, AlarmKind::BandCut),
        (Condition::OverCapacity { zones }, AlarmKind::OverCapacity),
        (Condition::TagSilent { after_ns: 30 * MINUTE_NS }, AlarmKind::TagSilent),
    ];
    let rules = everybody.into_iter().enumerate();
    rules
        .map(|(number, (what, alarm))| rule(&format!("site-{number}"), Vec::new(), what, alarm))
        .collect()
}

/// Eight, about those of a ward: who leaves it, where in it they may not be or not for long, what is not
/// returned to it, who is alone in its laboratory, who comes near somebody kept apart, silence and duress.
fn ward_rules(ward: usize, ward_zones: usize) -> Vec<RuleConfig> {
    let own = vec![number(ward_zones + ward)];
    let room = |room: usize| vec![number(ward * WARD_ROOMS + room)];
    let with = Who { labels_any: vec![ward_label(ward)], ..Who::default() };
    let whom = Who { labels_any: vec![kept_apart(ward)], ..Who::default() };
    let whats = [
        (Condition::Leaves { zones: own.clone(), lines: Vec::new() }, AlarmKind::Elopement),
        (Condition::Inside { zones: room(7) }, AlarmKind::UnauthorisedEntry),
        (
            Condition::Stays { zones: [room(11), room(60)].concat(), after_ns: 10 * MINUTE_NS },
            AlarmKind::Loitering,
        ),
        (
            Condition::Away { zones: own, after_ns: 24 * 60 * MINUTE_NS },
            AlarmKind::AssetNotReturned,
        ),
        (
            Condition::Alone { zones: room(42), with, after_ns: 15 * MINUTE_NS },
            AlarmKind::LoneWorker,
        ),
        (
            Condition::Meets {
                zones: Vec::new(),
                whom,
                within_mm: 1_500,
                apart_mm: 2_500,
                after_ns: 10 * NS_PER_S,
            },
            AlarmKind::ForbiddenMeeting,
        ),
        (Condition::TagSilent { after_ns: 5 * MINUTE_NS }, AlarmKind::TagSilent),
        (Condition::ButtonPressed, AlarmKind::Duress),
    ];
    let rules = whats.into_iter().enumerate();
    rules
        .map(|(number, (what, alarm))| {
            rule(&format!("ward-{ward}-{number}"), vec![ward_label(ward)], what, alarm)
        })
        .collect()
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_is_of_the_size_that_is_told_and_rules_are_about_whom_they_name() {
        let pack = RulePack::new(RulePack::WARDS.full, RulePack::SUBJECTS.smoke);
        assert_eq!(pack.armed.rules.len(), 500);
        assert!(pack.bare.rules.is_empty());
        for subject in &pack.armed.subjects {
            let about = |rule: &&RuleConfig| {
                let labels = &rule.who.labels_any;
                labels.is_empty() || labels.iter().any(|label| subject.labels.contains(label))
            };
            assert_eq!(pack.armed.rules.iter().filter(about).count(), 12, "{subject:?}");
        }
    }

    #[test]
    fn rules_that_are_armed_alarm_and_change_nothing_else() {
        let pack = RulePack::new(RulePack::WARDS.smoke, RulePack::SUBJECTS.smoke);
        let [armed, bare] = [true, false].map(|is_armed| {
            let mut steps = pack.steps(is_armed);
            for _ in 0..60 {
                let entries = steps.next_round();
                steps.step(&entries);
            }
            steps.shard().status()
        });
        assert_eq!(armed.pings, bare.pings);
        assert!(armed.alarm_open_count > 0, "{armed:?}");
        assert_eq!(bare.alarm_open_count, 0, "{bare:?}");
    }
}
