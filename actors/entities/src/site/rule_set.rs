//! The rules one subject is under. Subjects that are under the same rules share one set.

use std::collections::BTreeMap;

use ach_actors_model::{Name, RuleConfig, RuleRef, SubjectClass, SubjectConfig, SubjectRef, Who};

use super::check::Mistakes;
use super::limits;
use super::mistake::{SiteError, SiteList};
use super::names::narrow;
use super::plans::{RuleCondition, RulePlan};

/// Rules by what they look at, each list ascending by rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RuleSet {
    /// All of them.
    pub(crate) rules: Vec<RuleRef>,
    /// Tag silent, with the longest silence in nanoseconds.
    pub(crate) silent: Vec<(RuleRef, u64)>,
    /// Battery low, with the limit in percent.
    pub(crate) battery: Vec<(RuleRef, u8)>,
    pub(crate) band: Vec<RuleRef>,
    pub(crate) button: Vec<RuleRef>,
    /// Tags contradict.
    pub(crate) contradiction: Vec<RuleRef>,
    /// Away.
    pub(crate) away: Vec<RuleRef>,
    /// Meets.
    pub(crate) meets: Vec<RuleRef>,
    /// Badge elsewhere.
    pub(crate) badge_elsewhere: Vec<RuleRef>,
    /// Rules about others that these subjects matter to: as company of who would be alone, or as those whom
    /// somebody may not meet.
    pub(crate) matters_to: Vec<RuleRef>,
    /// Those of them of kind meets.
    pub(crate) met_by: Vec<RuleRef>,
    /// The furthest at which a meeting by any of these rules may begin.
    pub(crate) near_mm: u32,
    /// The furthest at which it may end.
    pub(crate) reach_mm: u32,
    /// The nearest at which it may end.
    pub(crate) apart_mm: u32,
    /// Whom these subjects may not meet, each other among them; nothing if these are many.
    pub(crate) partners: Option<Vec<SubjectRef>>,
    /// Whether somebody may not meet these subjects among many, and so looks for them by where they are.
    pub(crate) is_sought: bool,
    /// Shortest of the silences.
    pub(crate) shortest_silence_ns: Option<u64>,
}

impl RuleSet {
    pub(crate) fn new(
        selections: &[(Role, RuleRef)],
        plan: impl Fn(RuleRef) -> Option<RuleCondition>,
    ) -> Self {
        let of_role = |wanted: Role| selections.iter().filter(move |&&(role, _)| role == wanted);
        let rules: Vec<RuleRef> = of_role(Role::About).map(|&(_, rule)| rule).collect();
        let matters_to = of_role(Role::Other).map(|&(_, rule)| rule).collect();
        let mut set = RuleSet { matters_to, ..RuleSet::default() };
        for &rule in &rules {
            match plan(rule) {
                Some(RuleCondition::TagSilent { after_ns }) => set.silent.push((rule, after_ns)),
                Some(RuleCondition::BatteryLow { percent }) => set.battery.push((rule, percent)),
                Some(RuleCondition::BandCut) => set.band.push(rule),
                Some(RuleCondition::ButtonPressed) => set.button.push(rule),
                Some(RuleCondition::TagsContradict) => set.contradiction.push(rule),
                Some(RuleCondition::Away { .. }) => set.away.push(rule),
                Some(RuleCondition::Meets { .. }) => set.meets.push(rule),
                Some(RuleCondition::BadgeElsewhere { .. }) => set.badge_elsewhere.push(rule),
                _ => {}
            }
        }
        set.shortest_silence_ns = set.silent.iter().map(|&(_, after_ns)| after_ns).min();
        for &rule in &set.matters_to {
            if let Some(RuleCondition::Meets { .. }) = plan(rule) {
                set.met_by.push(rule);
            }
        }
        set.apart_mm = u32::MAX;
        for &rule in set.meets.iter().chain(&set.met_by) {
            if let Some(RuleCondition::Meets { within_mm, apart_mm, .. }) = plan(rule) {
                set.near_mm = set.near_mm.max(within_mm);
                set.reach_mm = set.reach_mm.max(apart_mm);
                set.apart_mm = set.apart_mm.min(apart_mm);
            }
        }
        set.rules = rules;
        set
    }

    pub(crate) fn contains(&self, rule: RuleRef) -> bool {
        self.rules.binary_search(&rule).is_ok()
    }

    /// Whether rules keep them apart from others, or others from them.
    pub(crate) fn is_kept_apart(&self) -> bool {
        !(self.meets.is_empty() && self.met_by.is_empty())
    }

    /// Whether they are among the others a rule is about.
    pub(crate) fn matters_to(&self, rule: RuleRef) -> bool {
        self.matters_to.binary_search(&rule).is_ok()
    }
}

/// What a subject is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// The rule is about it.
    About,
    /// It is one of the others that the rule names.
    Other,
}

/// One selection of a rule.
#[derive(Debug, Clone, Copy)]
struct Selection<'a> {
    role: Role,
    rule: RuleRef,
    who: &'a Who,
}

/// What subjects are sorted by once.
type Traits<'a> = (SubjectClass, &'a [Name]);

/// Finds the set of each subject, making each distinct one once.
///
/// Sorting a million subjects under a hundred rules label by label would take seconds, so subjects
/// of the same class and labels are sorted once, and only rules that name single subjects are
/// looked at for each.
#[derive(Debug)]
pub(crate) struct Sorter<'a> {
    /// Selections that name no single subjects, and the others by subject.
    by_traits: Vec<Selection<'a>>,
    by_subject: BTreeMap<u32, Vec<Selection<'a>>>,
    traits: BTreeMap<Traits<'a>, Vec<(Role, RuleRef)>>,
    numbers: BTreeMap<Vec<(Role, RuleRef)>, u32>,
    plans: &'a [Option<RulePlan>],
    sets: Vec<RuleSet>,
    /// In all sets together.
    rule_count: usize,
}

impl<'a> Sorter<'a> {
    /// `rules` are the rules of a configuration with their refs. The first set is that of tags on
    /// nobody: rules for everybody, silence excepted, for such a tag may lie in a drawer.
    pub(crate) fn new(
        rules: impl Iterator<Item = (RuleRef, &'a RuleConfig)>,
        plans: &'a [Option<RulePlan>],
    ) -> Sorter<'a> {
        let mut sorter = Sorter {
            by_traits: Vec::new(),
            by_subject: BTreeMap::new(),
            traits: BTreeMap::new(),
            numbers: BTreeMap::new(),
            plans,
            sets: Vec::new(),
            rule_count: 0,
        };
        for (rule, config) in rules {
            sorter.add(Selection { role: Role::About, rule, who: &config.who });
            if let Some(who) = config.condition.others() {
                sorter.add(Selection { role: Role::Other, rule, who });
            }
        }
        let is_for_nobody = |&&Selection { role, rule, who }: &&Selection<'_>| {
            let is_everybody = who.classes.is_empty() && who.labels_any.is_empty();
            role == Role::About
                && is_everybody
                && !matches!(sorter.condition(rule), Some(RuleCondition::TagSilent { .. }))
        };
        let nobody = sorter.by_traits.iter().filter(is_for_nobody);
        let nobody = nobody.map(|selection| (selection.role, selection.rule)).collect();
        sorter.number(nobody);
        sorter
    }

    fn add(&mut self, selection: Selection<'a>) {
        if selection.who.subjects.is_empty() {
            self.by_traits.push(selection);
        }
        for &subject in &selection.who.subjects {
            self.by_subject.entry(subject).or_default().push(selection);
        }
    }

    /// The number of the set of the subject at position `at` of its configuration.
    pub(crate) fn sort(&mut self, at: usize, subject: &'a SubjectConfig) -> u32 {
        let key = (subject.class, subject.labels.as_slice());
        let by_traits = &self.by_traits;
        let mut rules = self
            .traits
            .entry(key)
            .or_insert_with(|| {
                let selected = by_traits.iter().filter(|selection| selection.selects(subject));
                selected.map(|selection| (selection.role, selection.rule)).collect()
            })
            .clone();
        if let Some(named) = self.by_subject.get(&narrow(at)) {
            let selected = named.iter().filter(|selection| selection.selects(subject));
            rules.extend(selected.map(|selection| (selection.role, selection.rule)));
        }
        self.number(rules)
    }

    /// The sets. Of too many those beyond the limit were not made.
    ///
    /// # Errors
    ///
    /// Which limit is passed.
    pub(crate) fn into_sets(self) -> Result<Vec<RuleSet>, SiteError> {
        let mut mistakes = Mistakes::default();
        let (sets, rules) = (self.numbers.len(), self.rule_count);
        mistakes.limit(SiteList::RuleSets, sets, limits::RULE_SET_COUNT_MAX);
        mistakes.limit(SiteList::RuleSetRules, rules, limits::RULE_SET_RULE_COUNT_MAX);
        mistakes.into_result()?;
        Ok(self.sets)
    }

    fn number(&mut self, mut rules: Vec<(Role, RuleRef)>) -> u32 {
        rules.sort_unstable();
        rules.dedup();
        if let Some(&number) = self.numbers.get(&rules) {
            return number;
        }
        if self.sets.len() > limits::RULE_SET_COUNT_MAX
            || self.rule_count > limits::RULE_SET_RULE_COUNT_MAX
        {
            return 0;
        }
        self.rule_count += rules.len();
        let number = narrow(self.sets.len());
        let set = RuleSet::new(&rules, |rule| self.condition(rule));
        self.sets.push(set);
        self.numbers.insert(rules, number);
        number
    }

    fn condition(&self, rule: RuleRef) -> Option<RuleCondition> {
        self.plans.get(rule.index())?.as_ref().map(|plan| plan.condition)
    }
}

impl Selection<'_> {
    /// Whether class and labels are selected; single subjects are the caller's business.
    fn selects(&self, subject: &SubjectConfig) -> bool {
        let who = self.who;
        let has = |label: &Name| subject.labels.contains(label);
        (who.classes.is_empty() || who.classes.contains(&subject.class))
            && (who.labels_any.is_empty() || who.labels_any.iter().any(has))
            && !who.labels_none.iter().any(has)
    }
}
