//! Whom a selection is about today: how many, and how many of them can be heard at all.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use ach_actors_model::{Name, SubjectClass};

use crate::{SiteDirectory, SubjectPlan, WhoPlan};

/// How many a selection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Count {
    pub(crate) all: usize,
    /// Those that carry a tag.
    pub(crate) tagged: usize,
    /// Patients of those.
    pub(crate) tagged_patients: usize,
    /// Those that carry two tags or more.
    pub(crate) many_tagged: usize,
    /// Those that carry a tag and have a badge.
    pub(crate) badged: usize,
}

impl Count {
    fn add(&mut self, subject: &SubjectPlan) {
        self.all += 1;
        let is_tagged = !subject.tags.is_empty();
        self.tagged += usize::from(is_tagged);
        self.tagged_patients += usize::from(is_tagged && subject.class == SubjectClass::Patient);
        self.many_tagged += usize::from(subject.tags.len() > 1);
        self.badged += usize::from(is_tagged && !subject.badges.is_empty());
    }
}

/// Subjects of one class with the same labels: to rules that name nobody they are all one.
#[derive(Debug)]
pub(crate) struct Cohort<'a> {
    pub(crate) members: Vec<&'a SubjectPlan>,
    count: Count,
}

impl<'a> Cohort<'a> {
    /// One of them, to ask what is true of all.
    pub(crate) fn example(&self) -> Option<&'a SubjectPlan> {
        self.members.first().copied()
    }
}

/// Everybody and everything, in cohorts by label: a hospital has a hundred thousand subjects and some
/// hundred cohorts. A selection is counted once, however many rules make it.
#[derive(Debug)]
pub(crate) struct Census<'a> {
    cohorts: Vec<Cohort<'a>>,
    by_id: BTreeMap<&'a Name, &'a SubjectPlan>,
    /// Numbers of cohorts, ascending.
    by_label: BTreeMap<&'a Name, Vec<usize>>,
    has_spare_tags: bool,
    counted: RefCell<BTreeMap<WhoPlan, Count>>,
    /// How many cohorts and named subjects were looked at: what it all costs.
    looked_at: Cell<u64>,
}

impl<'a> Census<'a> {
    pub(crate) fn new(directory: &'a SiteDirectory) -> Census<'a> {
        let mut by_id = BTreeMap::new();
        let mut by_traits: BTreeMap<(SubjectClass, Vec<&Name>), Cohort<'a>> = BTreeMap::new();
        for subject in directory.subjects() {
            by_id.entry(&subject.id).or_insert(subject);
            let mut labels: Vec<&Name> = subject.labels.iter().collect();
            labels.sort_unstable();
            labels.dedup();
            let cohort = by_traits
                .entry((subject.class, labels))
                .or_insert_with(|| Cohort { members: Vec::new(), count: Count::default() });
            cohort.members.push(subject);
            cohort.count.add(subject);
        }
        let mut by_label: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        for (number, (_, labels)) in by_traits.keys().enumerate() {
            for &label in labels {
                by_label.entry(label).or_default().push(number);
            }
        }
        let cohorts = by_traits.into_values().collect();
        let has_spare_tags = directory.feeds.iter().any(|feed| !feed.spare_tags.is_empty());
        let (counted, looked_at) = (RefCell::default(), Cell::default());
        Census { cohorts, by_id, by_label, has_spare_tags, counted, looked_at }
    }

    /// Whether there is nobody and nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.cohorts.is_empty()
    }

    /// Whether there are tags on nobody.
    pub(crate) fn has_spare_tags(&self) -> bool {
        self.has_spare_tags
    }

    /// What it all has cost so far.
    #[cfg(test)]
    pub(crate) fn looked_at(&self) -> u64 {
        self.looked_at.get()
    }

    pub(crate) fn subject(&self, id: &Name) -> Option<&'a SubjectPlan> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn cohorts(&self) -> &[Cohort<'a>] {
        &self.cohorts
    }

    /// How many a selection is about.
    pub(crate) fn count(&self, who: &WhoPlan) -> Count {
        if let Some(count) = self.counted.borrow().get(who) {
            return *count;
        }
        let count =
            if who.subjects.is_empty() { self.count_cohorts(who) } else { self.count_named(who) };
        self.counted.borrow_mut().insert(who.clone(), count);
        count
    }

    fn count_named(&self, who: &WhoPlan) -> Count {
        let mut ids: Vec<&Name> = who.subjects.iter().collect();
        ids.sort_unstable();
        ids.dedup();
        self.look_at(ids.len());
        let mut count = Count::default();
        for subject in ids.into_iter().filter_map(|id| self.subject(id)) {
            if suits(who, subject) {
                count.add(subject);
            }
        }
        count
    }

    fn count_cohorts(&self, who: &WhoPlan) -> Count {
        let mut numbers: Vec<usize> = if who.labels.is_empty() {
            (0..self.cohorts.len()).collect()
        } else {
            let carriers = who.labels.iter().filter_map(|label| self.by_label.get(label));
            carriers.flatten().copied().collect()
        };
        numbers.sort_unstable();
        numbers.dedup();
        self.look_at(numbers.len());
        let mut count = Count::default();
        for cohort in numbers.into_iter().filter_map(|number| self.cohorts.get(number)) {
            if cohort.example().is_some_and(|subject| suits(who, subject)) {
                count.all += cohort.count.all;
                count.tagged += cohort.count.tagged;
                count.tagged_patients += cohort.count.tagged_patients;
                count.many_tagged += cohort.count.many_tagged;
                count.badged += cohort.count.badged;
            }
        }
        count
    }

    fn look_at(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.looked_at.set(self.looked_at.get().saturating_add(count));
    }
}

/// Whether a selection is about a subject, if it names nobody or has been found to name this one. To look
/// through the names for each of them would take as many steps as they are, squared.
pub(crate) fn suits(who: &WhoPlan, subject: &SubjectPlan) -> bool {
    has_traits(who, subject) && !carries(subject, &who.not_labels)
}

/// Whether its class and labels are selected, exceptions aside.
pub(crate) fn has_traits(who: &WhoPlan, subject: &SubjectPlan) -> bool {
    (who.classes.is_empty() || who.classes.contains(&subject.class))
        && (who.labels.is_empty() || carries(subject, &who.labels))
}

/// Whether it carries one of the labels.
pub(crate) fn carries(subject: &SubjectPlan, labels: &[Name]) -> bool {
    labels.iter().any(|label| subject.labels.contains(label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_hospital;

    fn is_selected(who: &WhoPlan, subject: &SubjectPlan) -> bool {
        suits(who, subject) && (who.subjects.is_empty() || who.subjects.contains(&subject.id))
    }

    /// Oracle: ask each subject.
    #[test]
    fn a_selection_counts_whom_it_is_about() {
        let site = sample_hospital().directory;
        let census = Census::new(&site);
        assert!(census.cohorts().len() < 60, "{}", census.cohorts().len());
        let name = |text: &str| Name::new(text).unwrap();
        let mut selections: Vec<WhoPlan> = site.rules.iter().map(|rule| rule.who.clone()).collect();
        selections.push(WhoPlan {
            subjects: vec![name("nurse-001"), name("nurse-001"), name("patient-001")],
            classes: vec![SubjectClass::Staff],
            ..WhoPlan::default()
        });
        for who in &selections {
            let chosen = || site.subjects().filter(|subject| is_selected(who, subject));
            let count = Count {
                all: chosen().count(),
                tagged: chosen().filter(|subject| !subject.tags.is_empty()).count(),
                tagged_patients: chosen()
                    .filter(|one| !one.tags.is_empty() && one.class == SubjectClass::Patient)
                    .count(),
                many_tagged: chosen().filter(|subject| subject.tags.len() > 1).count(),
                badged: chosen()
                    .filter(|one| !one.tags.is_empty() && !one.badges.is_empty())
                    .count(),
            };
            assert_eq!(census.count(who), count, "{who:?}");
        }
        let before = census.looked_at();
        for who in &selections {
            census.count(who);
        }
        assert_eq!(census.looked_at(), before, "what was counted is known");
    }
}
