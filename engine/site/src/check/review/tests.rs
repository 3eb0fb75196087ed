//! The review of a site of the greatest size, by the steps it takes.

use ach_actors_model::{AlarmKind, AlarmPriority, AnswerConfig, Name, SubjectClass, TagId};
use ach_geo::{Floor, Outline};

use super::*;
use crate::check::Origins;
use crate::finding::Finding;
use crate::text::Report;
use crate::{
    FloorPlan, PersonalName, SiteDirectory, SubjectPlan, TagPlan, WhoPlan, ZoneKind, ZonePlan,
};

const RULES: usize = crate::read::RULES_MAX;
const SUBJECTS: usize = 100_000;
const ZONES: usize = 1_000;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn zone(number: usize) -> ZonePlan {
    ZonePlan {
        id: name(&format!("zone-{number}")),
        name: format!("Zone {number}"),
        kind: ZoneKind::Ward,
        labels: vec![name("high-risk"), name(&format!("wing-{}", number % 10))],
        is_on_every_floor: false,
        outline: Outline::Circle { center_mm: (0, 0), radius_mm: 5_000 },
        height: None,
        capacity: None,
        motion_feed: None,
        gates: None,
    }
}

fn site(label: impl Fn(usize) -> String, rules: Vec<RulePlan>) -> SiteDirectory {
    let mut site = SiteDirectory::new(name("large"), "Large", "UTC");
    let people = (0..SUBJECTS).map(|number| SubjectPlan {
        id: name(&format!("p-{number}")),
        name: PersonalName(String::new()),
        class: SubjectClass::Patient,
        labels: vec![name(&label(number))],
        tags: vec![TagPlan { id: TagId(u64::try_from(number).unwrap()), feed: name("rtls") }],
        badges: Vec::new(),
    });
    site.people = people.collect();
    site.floors.push(FloorPlan {
        id: name("ground"),
        name: "Ground".to_owned(),
        floor: Floor(0),
        zones: (0..ZONES).map(zone).collect(),
        doors: Vec::new(),
        lines: Vec::new(),
        anchors: Vec::new(),
    });
    site.rules = rules;
    site
}

fn leaves(number: usize, who: WhoPlan, place: WherePlan) -> RulePlan {
    RulePlan {
        id: name(&format!("rule-{number}")),
        name: String::new(),
        who,
        place,
        when: Vec::new(),
        what: What::Leaves,
        alarm: AlarmKind::Elopement,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
        others: None,
        responses: Vec::new(),
    }
}

fn of_label(label: &str) -> WhoPlan {
    WhoPlan { labels: vec![name(label)], ..WhoPlan::default() }
}

fn zone_of(number: usize) -> WherePlan {
    WherePlan { zones: vec![name(&format!("zone-{}", number % ZONES))], ..WherePlan::default() }
}

/// Reviews the rules of a site; what was found, and the steps it took.
fn reviewed_in_steps(site: &SiteDirectory) -> (Vec<Finding>, u64) {
    let (report, origins) = (Report::default(), Origins::default());
    let check = Check { directory: site, origins: &origins, report: &report };
    let (catalogue, census) = (Catalogue::new(site), Census::new(site));
    let steps = review(&check, &catalogue, &census) + census.looked_at();
    (report.into_findings(), steps)
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    let mut kinds: Vec<FindingKind> = findings.iter().map(|finding| finding.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// As a hospital group would have it: a rule for each of some thousand labels, each in its ward.
#[test]
fn as_many_rules_by_label_as_there_may_be_take_some_steps_each() {
    let rules = (0..RULES)
        .map(|number| leaves(number, of_label(&format!("group-{number}")), zone_of(number)));
    let site = site(|number| format!("group-{}", number % RULES), rules.collect());
    let (found, steps) = reviewed_in_steps(&site);
    assert_eq!(kinds(&found), [FindingKind::NoBandRule]);
    assert!(steps < 200_000, "{steps}");
}

/// All watch one zone, each for one patient: a place in common is not yet a pair.
#[test]
fn as_many_rules_for_a_patient_each_as_there_may_be_take_some_steps_each() {
    let rules = (0..RULES).map(|number| {
        let who = WhoPlan { subjects: vec![name(&format!("p-{number}"))], ..WhoPlan::default() };
        leaves(number, who, zone_of(0))
    });
    let site = site(|_| "all".to_owned(), rules.collect());
    let (found, steps) = reviewed_in_steps(&site);
    assert_eq!(kinds(&found), [FindingKind::UnguardedZone, FindingKind::NoBandRule]);
    assert!(steps < 400_000, "{steps}");
}

/// Each of them is looked up; looking through the names for each would take five thousand million comparisons.
#[test]
fn two_rules_that_name_everybody_take_some_steps_a_name() {
    let rules = (0..2).map(|number| {
        let subjects = (0..SUBJECTS).map(|number| name(&format!("p-{number}"))).collect();
        let who = WhoPlan { subjects, ..WhoPlan::default() };
        let place = WherePlan { zones_labelled: vec![name("high-risk")], ..WherePlan::default() };
        let tentative = number == 1;
        RulePlan { is_tentative: tentative, ..leaves(number, who, place) }
    });
    let site = site(|_| "all".to_owned(), rules.collect());
    let (found, steps) = reviewed_in_steps(&site);
    assert_eq!(kinds(&found), [FindingKind::CoveredRule, FindingKind::NoBandRule]);
    assert!(steps < 10 * u64::try_from(SUBJECTS).unwrap(), "{steps}");
}

/// The same some thousand times is told, and not compared.
#[test]
fn as_many_rules_that_say_the_same_as_there_may_be_are_no_pairs() {
    let rules = (0..RULES).map(|number| leaves(number, of_label("all"), zone_of(0)));
    let site = site(|_| "all".to_owned(), rules.collect());
    let (found, steps) = reviewed_in_steps(&site);
    let repeated = found.iter().filter(|finding| finding.kind == FindingKind::RepeatedRule);
    assert_eq!(repeated.count(), RULES - 1);
    assert!(steps < 200_000, "{steps}");
}

/// Rules that all may meet, made to be compared in eight million pairs.
#[test]
fn rules_made_to_take_for_ever_end_and_say_so() {
    let rules = (0..RULES).map(|number| {
        let not_labels = vec![name(&format!("never-{number}"))];
        let who = WhoPlan { not_labels, ..of_label("all") };
        let place = WherePlan { zones_labelled: vec![name("wing-1")], ..WherePlan::default() };
        leaves(number, who, place)
    });
    let site = site(|_| "all".to_owned(), rules.collect());
    let (found, steps) = reviewed_in_steps(&site);
    assert!(kinds(&found).contains(&FindingKind::RulesNotCompared), "{:?}", kinds(&found));
    assert!(steps < 2 * STEPS_MAX, "{steps}");
}

/// Lists in a finding stay short.
#[test]
fn long_lists_are_cut() {
    let words: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
    let check = |count: usize, expected: &str| assert_eq!(listed(&words[..count]), expected);
    check(0, "");
    check(1, "a");
    check(2, "a and b");
    check(3, "a, b and c");
    check(5, "a, b, c and 2 more");
}
