//! The rules one subject is under. Subjects that are under the same rules share one set.

use std::collections::BTreeMap;

use ach_actors_model::{Name, RuleConfig, RuleRef, SubjectClass, SubjectConfig};

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
    /// Shortest of the silences.
    pub(crate) shortest_silence_ns: Option<u64>,
}

impl RuleSet {
    pub(crate) fn new(
        rules: Vec<RuleRef>,
        plan: impl Fn(RuleRef) -> Option<RuleCondition>,
    ) -> Self {
        let mut set = RuleSet::default();
        for &rule in &rules {
            match plan(rule) {
                Some(RuleCondition::TagSilent { after_ns }) => set.silent.push((rule, after_ns)),
                Some(RuleCondition::BatteryLow { percent }) => set.battery.push((rule, percent)),
                Some(RuleCondition::BandCut) => set.band.push(rule),
                Some(RuleCondition::ButtonPressed) => set.button.push(rule),
                Some(RuleCondition::TagsContradict) => set.contradiction.push(rule),
                _ => {}
            }
        }
        set.shortest_silence_ns = set.silent.iter().map(|&(_, after_ns)| after_ns).min();
        set.rules = rules;
        set
    }

    pub(crate) fn contains(&self, rule: RuleRef) -> bool {
        self.rules.binary_search(&rule).is_ok()
    }
}

/// Finds the set of each subject, making each distinct one once.
///
/// Sorting a million subjects under a hundred rules label by label would take seconds, so subjects
/// of the same class and labels are sorted once, and only rules that name single subjects are
/// looked at for each.
#[derive(Debug)]
pub(crate) struct Sorter<'a> {
    /// Rules that name no single subjects, and the others by subject.
    by_traits: Vec<(RuleRef, &'a RuleConfig)>,
    by_subject: BTreeMap<u32, Vec<(RuleRef, &'a RuleConfig)>>,
    traits: BTreeMap<(SubjectClass, &'a [Name]), Vec<RuleRef>>,
    numbers: BTreeMap<Vec<RuleRef>, u32>,
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
            if config.who.subjects.is_empty() {
                sorter.by_traits.push((rule, config));
            }
            for &subject in &config.who.subjects {
                let named = sorter.by_subject.entry(subject).or_default();
                named.push((rule, config));
            }
        }
        let is_for_nobody = |&&(rule, config): &&(RuleRef, &RuleConfig)| {
            let who = &config.who;
            let is_everybody = who.classes.is_empty() && who.labels_any.is_empty();
            is_everybody && !matches!(sorter.condition(rule), Some(RuleCondition::TagSilent { .. }))
        };
        let nobody = sorter.by_traits.iter().filter(is_for_nobody).map(|&(rule, _)| rule).collect();
        sorter.number(nobody);
        sorter
    }

    /// The number of the set of the subject at position `at` of its configuration.
    pub(crate) fn sort(&mut self, at: usize, subject: &'a SubjectConfig) -> u32 {
        let key = (subject.class, subject.labels.as_slice());
        let by_traits = &self.by_traits;
        let mut rules = self
            .traits
            .entry(key)
            .or_insert_with(|| {
                let selected = by_traits.iter().filter(|(_, rule)| selects(rule, subject));
                selected.map(|&(rule, _)| rule).collect()
            })
            .clone();
        if let Some(named) = self.by_subject.get(&narrow(at)) {
            let selected = named.iter().filter(|(_, rule)| selects(rule, subject));
            rules.extend(selected.map(|&(rule, _)| rule));
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

    fn number(&mut self, mut rules: Vec<RuleRef>) -> u32 {
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
        let set = RuleSet::new(rules.clone(), |rule| self.condition(rule));
        self.sets.push(set);
        self.numbers.insert(rules, number);
        number
    }

    fn condition(&self, rule: RuleRef) -> Option<RuleCondition> {
        self.plans.get(rule.index())?.as_ref().map(|plan| plan.condition)
    }
}

/// Whether class and labels are selected; single subjects are the caller's business.
fn selects(rule: &RuleConfig, subject: &SubjectConfig) -> bool {
    let who = &rule.who;
    let has = |label: &Name| subject.labels.contains(label);
    (who.classes.is_empty() || who.classes.contains(&subject.class))
        && (who.labels_any.is_empty() || who.labels_any.iter().any(has))
        && !who.labels_none.iter().any(has)
}
