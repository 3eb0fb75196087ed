//! Pairs of rules: those that say the same, that one of them says for both, and that alarm twice for one
//! cause.
//!
//! Only rules that can meet are compared: that raise the same alarm, at places that meet, about
//! people of a common label. A rule for each patient, or for each ward, costs no pairs.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use ach_actors_model::{AlarmKind, Name};

use super::cover::Evidence;
use super::{Review, Reviewed};
use crate::What;
use crate::finding::FindingKind;
use crate::write::{alarm_word, priority_word};

/// Reviews all pairs; false when there were too many.
pub(super) fn review(review: &Review<'_>) -> bool {
    let mut told = Told::default();
    let mut groups: BTreeMap<AlarmKind, Vec<&Reviewed<'_>>> = BTreeMap::new();
    // An alarm is raised by one kind of rule, as the check of each rule has found.
    for rule in unlike(review, &mut told) {
        groups.entry(rule.plan.alarm).or_default().push(rule);
    }
    groups.into_values().all(|rules| Group::new(rules).compare(review, &mut told))
}

/// What was told of which rule: of each kind one finding, or the first would be lost among the rest.
#[derive(Default)]
struct Told(BTreeSet<(usize, FindingKind)>);

impl Told {
    fn tell(
        &mut self,
        review: &Review<'_>,
        rule: &Reviewed<'_>,
        kind: FindingKind,
        (problem, remedy): (&str, &str),
    ) {
        if self.0.insert((rule.number, kind)) {
            review.warn(rule, kind, problem, remedy);
        }
    }
}

/// Rules without those that repeat an earlier one word for word, which are told.
fn unlike<'r, 'a>(review: &'r Review<'a>, told: &mut Told) -> Vec<&'r Reviewed<'a>> {
    let mut first = HashMap::new();
    let mut unlike = Vec::with_capacity(review.rules.len());
    for rule in &review.rules {
        let plan = rule.plan;
        let said = (plan.what, plan.alarm, plan.priority, plan.gates, plan.is_tentative);
        let key = (said, plan.answer.delays, &plan.when, &plan.who, rule.places.number);
        if let Some(&earlier) = first.get(&key) {
            tell_repeated(review, rule, earlier, told);
        } else {
            first.insert(key, rule);
            unlike.push(rule);
        }
    }
    unlike
}

fn tell_repeated(
    review: &Review<'_>,
    rule: &Reviewed<'_>,
    earlier: &Reviewed<'_>,
    told: &mut Told,
) {
    let problem = format!("it says the same as rule `{}`: one cause, two alarms", earlier.plan.id);
    told.tell(review, rule, FindingKind::RepeatedRule, (&problem, "remove one of them"));
}

/// Rules that raise one alarm, by where they watch and whom they are about.
struct Group<'r, 'a> {
    rules: Vec<&'r Reviewed<'a>>,
    /// By the number of their places.
    sets: BTreeMap<usize, Set<'a>>,
    /// Numbers of places by a place they hold.
    by_place: BTreeMap<(u8, u32), Vec<usize>>,
}

/// Rules that watch the same places, by the narrowest thing they say of people; as positions in the
/// group.
#[derive(Default)]
struct Set<'a> {
    for_all: Vec<usize>,
    by_label: BTreeMap<&'a Name, Vec<usize>>,
    by_subject: BTreeMap<&'a Name, Vec<usize>>,
}

impl<'r, 'a> Group<'r, 'a> {
    fn new(rules: Vec<&'r Reviewed<'a>>) -> Group<'r, 'a> {
        let mut sets: BTreeMap<usize, Set<'a>> = BTreeMap::new();
        let mut by_place: BTreeMap<(u8, u32), Vec<usize>> = BTreeMap::new();
        for (at, rule) in rules.iter().enumerate() {
            let number = rule.places.number;
            if !sets.contains_key(&number) {
                for place in places(rule) {
                    by_place.entry(place).or_default().push(number);
                }
            }
            let set = sets.entry(number).or_default();
            if !rule.people.subjects.is_empty() {
                for &id in &rule.people.subjects {
                    set.by_subject.entry(id).or_default().push(at);
                }
            } else if rule.people.labels.is_empty() {
                set.for_all.push(at);
            } else {
                for &label in &rule.people.labels {
                    set.by_label.entry(label).or_default().push(at);
                }
            }
        }
        Group { rules, sets, by_place }
    }

    /// False when it takes too many steps.
    fn compare(&self, review: &Review<'_>, told: &mut Told) -> bool {
        let mut meeting: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let number = rule.places.number;
            let numbers = match meeting.entry(number) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    let Some(numbers) = self.meeting(rule, review) else { return false };
                    unknown.insert(numbers)
                }
            };
            let sets = numbers.iter().filter_map(|number| self.sets.get(number));
            let mut others: Vec<usize> = Vec::new();
            for set in sets {
                if !review.steps.take(1 + set.add_candidates(rule, review, &mut others)) {
                    return false;
                }
            }
            others.sort_unstable();
            others.dedup();
            let others = others.into_iter().filter_map(|at| Some((at, *self.rules.get(at)?)));
            // A broader one does not look for the narrower; two of one breadth find each other.
            let is_new =
                |&(b, other): &(usize, &Reviewed<'_>)| b < at || breadth(other) > breadth(rule);
            for (_, other) in others.filter(is_new) {
                if !judge(review, rule, other, told) {
                    return false;
                }
            }
        }
        true
    }

    /// The numbers of places that meet those of a rule.
    fn meeting(&self, rule: &Reviewed<'_>, review: &Review<'_>) -> Option<Vec<usize>> {
        let mut numbers = Vec::new();
        if rule.places.count() == 0 {
            // Rules about tags watch everywhere, and all of them say so with the same empty places.
            numbers.extend(self.sets.keys());
        }
        for place in places(rule) {
            let found = self.by_place.get(&place).map_or(&[][..], Vec::as_slice);
            if !review.steps.take(1 + found.len()) {
                return None;
            }
            numbers.extend(found);
        }
        numbers.sort_unstable();
        numbers.dedup();
        Some(numbers)
    }
}

impl Set<'_> {
    /// Adds those that may be about somebody the rule is about, and are as broad or broader; how many.
    fn add_candidates(
        &self,
        rule: &Reviewed<'_>,
        review: &Review<'_>,
        others: &mut Vec<usize>,
    ) -> usize {
        let before = others.len();
        others.extend(&self.for_all);
        if rule.people.subjects.is_empty() {
            let alike = rule.people.labels.iter().filter_map(|label| self.by_label.get(*label));
            others.extend(alike.flatten());
        } else {
            for &id in &rule.people.subjects {
                others.extend(self.by_subject.get(id).into_iter().flatten());
                let labels = review.census.subject(id).map_or(&[][..], |subject| &subject.labels);
                let alike = labels.iter().filter_map(|label| self.by_label.get(label));
                others.extend(alike.flatten());
            }
        }
        others.len() - before
    }
}

fn places<'r>(rule: &'r Reviewed<'_>) -> impl Iterator<Item = (u8, u32)> + 'r {
    let zones = rule.places.zones.iter().map(|&zone| (0, zone));
    let doors = rule.places.doors.iter().map(|&door| (1, door));
    zones.chain(doors).chain(rule.places.lines.iter().map(|&line| (2, line)))
}

fn breadth(rule: &Reviewed<'_>) -> u8 {
    match (rule.people.subjects.is_empty(), rule.people.labels.is_empty()) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    }
}

fn is_within(ours: &[u32], theirs: &[u32]) -> bool {
    ours.iter().all(|place| theirs.binary_search(place).is_ok())
}

/// Whether all that the first is about, the second is about as well.
fn is_about_less(review: &Review<'_>, a: &Reviewed<'_>, b: &Reviewed<'_>) -> Option<bool> {
    if !a.people.are_among(&b.people) || !b.hours.cover(&a.hours) {
        return Some(false);
    }
    if a.places.number == b.places.number {
        return Some(true);
    }
    if matches!(a.plan.what, What::Away { .. }) {
        // What is in one of more zones is seldom away.
        return Some(false);
    }
    let (ours, theirs) = (&a.places, &b.places);
    review.steps.take(ours.count()).then(|| {
        is_within(&ours.zones, &theirs.zones)
            && is_within(&ours.doors, &theirs.doors)
            && is_within(&ours.lines, &theirs.lines)
    })
}

/// Judges two rules whose places meet; false when it takes too many steps.
fn judge(review: &Review<'_>, a: &Reviewed<'_>, b: &Reviewed<'_>, told: &mut Told) -> bool {
    // Without other company, or in other rooms, is another cause.
    let is_elsewhere =
        matches!(a.plan.what, What::Meets { .. }) && a.places.number != b.places.number;
    // Whom a rule counts says whom of those at a door it is about.
    let counts_others = a.plan.what == What::Tailgating && !a.people.is(&b.people);
    let is_other = a.plan.others_meant() != b.plan.others_meant() || is_elsewhere || counts_others;
    if !a.hours.meet(&b.hours) || is_other {
        return true;
    }
    match a.people.meet(&b.people, review.census, &review.steps) {
        Some(true) => {}
        Some(false) => return true,
        None => return false,
    }
    let (Some(evidence), Some(less_by_a), Some(less_by_b)) =
        (review.evidence(a, b), is_about_less(review, a, b), is_about_less(review, b, a))
    else {
        return false;
    };
    if a.plan.priority != b.plan.priority {
        let (high, low, evidence) = if a.plan.priority > b.plan.priority {
            (a, b, evidence)
        } else {
            (b, a, opposite(evidence))
        };
        // More of the same raises the priority: that is meant.
        let is_fuller = high.plan.what == What::OverCapacity
            && high.people.are_among(&low.people)
            && !high.people.is(&low.people);
        if evidence != Evidence::More && !is_fuller {
            tell_conflict(review, high, low, told);
        }
        return true;
    }
    // A tentative one has the first word.
    let a_adds = a.plan.is_tentative && !b.plan.is_tentative;
    let b_adds = b.plan.is_tentative && !a.plan.is_tentative;
    let covers_a = less_by_a && !a_adds && matches!(evidence, Evidence::Same | Evidence::More);
    let covers_b = less_by_b && !b_adds && matches!(evidence, Evidence::Same | Evidence::Less);
    let (first, later) = if a.number < b.number { (a, b) } else { (b, a) };
    match (covers_a, covers_b) {
        (true, true) => tell_repeated(review, later, first, told),
        (true, false) => tell_covered(review, a, b, told),
        (false, true) => tell_covered(review, b, a, told),
        (false, false) => {}
    }
    true
}

fn opposite(evidence: Evidence) -> Evidence {
    match evidence {
        Evidence::More => Evidence::Less,
        Evidence::Less => Evidence::More,
        Evidence::Same | Evidence::Other => evidence,
    }
}

fn tell_covered(review: &Review<'_>, rule: &Reviewed<'_>, by: &Reviewed<'_>, told: &mut Told) {
    let by = &by.plan.id;
    let problem = format!("whenever it alarms, rule `{by}` does so too: one cause, two alarms");
    let remedy = format!("remove it, or leave out of `{by}` whom it is about");
    told.tell(review, rule, FindingKind::CoveredRule, (&problem, &remedy));
}

fn tell_conflict(review: &Review<'_>, high: &Reviewed<'_>, low: &Reviewed<'_>, told: &mut Told) {
    let problem = format!(
        "it raises `{}` with priority {} where rule `{}` raises it with {}: one cause, two alarms",
        alarm_word(low.plan.alarm),
        priority_word(low.plan.priority),
        high.plan.id,
        priority_word(high.plan.priority),
    );
    // Whoever is left out here must be watched there, everywhere and always.
    let is_watched = high.places.number == low.places.number
        && high.hours.cover(&low.hours)
        && low.people.are_of_classes_of(&high.people)
        && high.people.excepts_no_more_than(&low.people);
    let labels = high.people.labels();
    let is_by_label = high.people.subjects.is_empty()
        && !labels.is_empty()
        && labels.iter().all(|label| !low.plan.who.labels.contains(label));
    let remedy = if is_watched && is_by_label {
        let labels: Vec<String> = labels.iter().map(|label| format!("\"{label}\"")).collect();
        format!("leave out here whom the other is about: not_labels = [{}]", labels.join(", "))
    } else {
        "make one rule of both, or let their people, places or hours differ".to_owned()
    };
    told.tell(review, low, FindingKind::ConflictingRules, (&problem, &remedy));
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{AlarmPriority, SubjectClass, Window};

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::census::Census;
    use crate::check::review::reviewed;
    use crate::check::{Check, Origins};
    use crate::text::Report;
    use crate::{RulePlan, SiteDirectory, WherePlan, WhoPlan, sample_hospital};

    /// Chance that comes again with its seed (splitmix64).
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut bits = self.0;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (bits ^ (bits >> 31)) % limit
        }

        /// Some of a few words.
        fn some(&mut self, words: &[&str]) -> Vec<Name> {
            let chosen: Vec<&&str> = words.iter().filter(|_| self.below(3) == 0).collect();
            chosen.into_iter().map(|word| Name::new(word).unwrap()).collect()
        }

        fn rule(&mut self, number: usize) -> RulePlan {
            let mut zones = self.some(&["icu", "nursery", "lobby", "chapel"]);
            let zones_labelled = self.some(&["high-risk"]);
            if zones.is_empty() && zones_labelled.is_empty() {
                zones.push(Name::new("shop").unwrap());
            }
            let subjects = match self.below(3) {
                0 => self.some(&["patient-001", "patient-002", "infant-001", "nurse-001"]),
                _ => Vec::new(),
            };
            let classes = match self.below(3) {
                0 => vec![SubjectClass::Patient],
                1 => vec![SubjectClass::Patient, SubjectClass::Staff],
                _ => Vec::new(),
            };
            let when = match self.below(3) {
                0 => vec![Window { weekdays: 0x7F, from_s: 72_000, until_s: 21_600 }],
                1 => vec![Window { weekdays: 0x1F, from_s: 28_800, until_s: 64_800 }],
                _ => Vec::new(),
            };
            RulePlan {
                id: Name::new(&format!("rule-{number}")).unwrap(),
                name: String::new(),
                who: WhoPlan {
                    classes,
                    labels: self.some(&["dementia", "newborn", "nurse"]),
                    not_labels: self.some(&["escorted", "newborn"]),
                    subjects,
                },
                place: WherePlan { zones, zones_labelled, ..WherePlan::default() },
                when,
                what: What::Stays { after_ns: (1 + self.below(2)) * 60_000_000_000 },
                alarm: AlarmKind::Loitering,
                priority: [AlarmPriority::High, AlarmPriority::Low]
                    [usize::try_from(self.below(2)).unwrap()],
                gates: None,
                is_tentative: false,
                answer: ach_actors_model::AnswerConfig::default(),
                others: None,
                responses: Vec::new(),
            }
        }
    }

    /// What is told of which rule, by the index of pairs or by looking at each of them.
    fn told(site: &SiteDirectory, is_plain: bool) -> BTreeSet<(usize, FindingKind)> {
        let (report, origins) = (Report::default(), Origins::default());
        let check = Check { directory: site, origins: &origins, report: &report };
        let (catalogue, census) = (Catalogue::new(site), Census::new(site));
        let rules = reviewed(&check, &catalogue).unwrap();
        let review = Review::new(&check, &catalogue, &census, rules);
        let mut told = Told::default();
        let unlike = unlike(&review, &mut told);
        if is_plain {
            for (at, a) in unlike.iter().enumerate() {
                for b in &unlike[..at] {
                    let is_common = |zone: &u32| b.places.zones.contains(zone);
                    if a.places.zones.iter().any(is_common) {
                        assert!(judge(&review, a, b, &mut told));
                    }
                }
            }
        } else {
            assert!(Group::new(unlike).compare(&review, &mut told));
        }
        told.0
    }

    /// Oracle: look at every pair.
    #[test]
    fn no_pair_that_can_meet_is_left_out() {
        let mut site = sample_hospital().directory;
        let mut kinds = BTreeSet::new();
        for seed in 0..40 {
            let mut chance = Chance(seed);
            site.rules = (0..40).map(|number| chance.rule(number)).collect();
            let found = told(&site, false);
            assert_eq!(found, told(&site, true), "seed {seed}");
            kinds.extend(found.into_iter().map(|(_, kind)| kind));
        }
        assert!(kinds.contains(&FindingKind::CoveredRule), "{kinds:?}");
        assert!(kinds.contains(&FindingKind::ConflictingRules), "{kinds:?}");
    }
}
