//! Rules of one kind, found by the subject they are about.

use std::collections::BTreeMap;

use ach_actors_model::Name;

use super::{Reviewed, Steps};
use crate::census::Cohort;
use crate::{SubjectPlan, WhoPlan};

/// Whether a selection is about a subject, in the sense that is asked for, by all but its names: rules that
/// name somebody are found by these.
pub(super) type Selects = fn(&WhoPlan, &SubjectPlan) -> bool;

/// Some rules, by the narrowest thing they say of people.
#[derive(Default)]
pub(super) struct Guard<'a> {
    for_all: Vec<&'a WhoPlan>,
    by_label: BTreeMap<&'a Name, Vec<&'a WhoPlan>>,
    by_subject: BTreeMap<&'a Name, Vec<&'a WhoPlan>>,
}

impl<'a> Guard<'a> {
    pub(super) fn of<'r>(rules: impl Iterator<Item = &'r Reviewed<'a>>) -> Guard<'a>
    where
        'a: 'r,
    {
        let mut guard = Guard::default();
        for who in rules.map(|rule| &rule.plan.who) {
            let narrow = if who.subjects.is_empty() { &who.labels } else { &who.subjects };
            let by =
                if who.subjects.is_empty() { &mut guard.by_label } else { &mut guard.by_subject };
            if narrow.is_empty() {
                guard.for_all.push(who);
            }
            for name in narrow {
                by.entry(name).or_default().push(who);
            }
        }
        guard.for_all.sort_unstable();
        guard.for_all.dedup();
        guard
    }

    /// How many of a cohort, of those that count, the rules are about. `None` when that takes too many
    /// steps.
    pub(super) fn count(
        &self,
        cohort: &Cohort<'_>,
        counts: impl Fn(&SubjectPlan) -> bool,
        selects: Selects,
        steps: &Steps,
    ) -> Option<Guarded> {
        let example = cohort.example()?;
        let all = cohort.members.iter().filter(|subject| counts(subject)).count();
        let alike = example.labels.iter().filter_map(|label| self.by_label.get(label)).flatten();
        for who in self.for_all.iter().chain(alike) {
            if !steps.take(1) {
                return None;
            }
            if selects(who, example) {
                return Some(Guarded { all, guarded: all });
            }
        }
        if !steps.take(cohort.members.len()) {
            return None;
        }
        let is_named = |subject: &&&SubjectPlan| {
            let named = self.by_subject.get(&subject.id);
            counts(subject) && named.into_iter().flatten().any(|who| selects(who, subject))
        };
        Some(Guarded { all, guarded: cohort.members.iter().filter(is_named).count() })
    }
}

/// How many of a cohort count, and how many of them rules are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guarded {
    pub(super) all: usize,
    pub(super) guarded: usize,
}
