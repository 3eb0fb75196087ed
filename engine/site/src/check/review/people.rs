//! Whom a rule is about, compared by what it says: true of whoever is admitted tomorrow as well.

use std::collections::BTreeSet;

use ach_actors_model::{Name, SubjectClass};

use super::Steps;
use crate::WhoPlan;
use crate::census::{Census, suits};

/// A selection as sets.
#[derive(Debug)]
pub(super) struct People<'a> {
    who: &'a WhoPlan,
    /// All of them where the rule names none.
    classes: BTreeSet<SubjectClass>,
    /// Any of these; empty is everybody.
    pub(super) labels: BTreeSet<&'a Name>,
    not_labels: BTreeSet<&'a Name>,
    /// Any of these; empty is everybody.
    pub(super) subjects: BTreeSet<&'a Name>,
}

const CLASSES: [SubjectClass; 4] =
    [SubjectClass::Patient, SubjectClass::Staff, SubjectClass::Visitor, SubjectClass::Asset];

impl<'a> People<'a> {
    pub(super) fn of(who: &'a WhoPlan) -> People<'a> {
        let classes = if who.classes.is_empty() { &CLASSES[..] } else { &who.classes };
        People {
            who,
            classes: classes.iter().copied().collect(),
            labels: who.labels.iter().collect(),
            not_labels: who.not_labels.iter().collect(),
            subjects: who.subjects.iter().collect(),
        }
    }

    /// Whether they say the same.
    pub(super) fn is(&self, other: &People<'_>) -> bool {
        self.classes == other.classes
            && self.labels == other.labels
            && self.not_labels == other.not_labels
            && self.subjects == other.subjects
    }

    /// Whether whoever they are about, the other is about too.
    pub(super) fn are_among(&self, other: &People<'_>) -> bool {
        let is_within = |ours: &BTreeSet<&Name>, theirs: &BTreeSet<&Name>| {
            theirs.is_empty() || (!ours.is_empty() && ours.is_subset(theirs))
        };
        self.are_of_classes_of(other)
            && is_within(&self.labels, &other.labels)
            && other.not_labels.is_subset(&self.not_labels)
            && is_within(&self.subjects, &other.subjects)
    }

    /// Whether somebody can be of both: of a class both want, carrying a label both want and none of
    /// those they except. Two different labels are not taken for one person who carries both.
    /// `None` when that takes too many steps.
    pub(super) fn meet(
        &self,
        other: &People<'_>,
        census: &Census<'_>,
        steps: &Steps,
    ) -> Option<bool> {
        if self.classes.is_disjoint(&other.classes) {
            return Some(false);
        }
        let is_narrower = match (self.subjects.len(), other.subjects.len()) {
            (ours, theirs) if ours == 0 || theirs == 0 => theirs == 0,
            (ours, theirs) => ours <= theirs,
        };
        let (named, others) = if is_narrower { (self, other) } else { (other, self) };
        if !named.subjects.is_empty() {
            let is_of_both = |id: &&Name| {
                (others.subjects.is_empty() || others.subjects.contains(id))
                    && census
                        .subject(id)
                        .is_some_and(|one| suits(named.who, one) && suits(others.who, one))
            };
            let mut subjects = named.subjects.iter();
            return steps.take(named.subjects.len()).then(|| subjects.any(is_of_both));
        }
        let is_free =
            |label: &Name| !self.not_labels.contains(label) && !other.not_labels.contains(label);
        Some(match (self.labels.is_empty(), other.labels.is_empty()) {
            (true, true) => true,
            (false, true) => self.labels.iter().any(|label| is_free(label)),
            (true, false) => other.labels.iter().any(|label| is_free(label)),
            (false, false) => self.labels.intersection(&other.labels).any(|label| is_free(label)),
        })
    }

    /// Whether somebody of a class can be among them.
    pub(super) fn has_class(&self, class: SubjectClass) -> bool {
        self.classes.contains(&class)
    }

    /// Whether the other is about all their classes.
    pub(super) fn are_of_classes_of(&self, other: &People<'_>) -> bool {
        self.classes.is_subset(&other.classes)
    }

    /// Whether the other leaves out all that they do.
    pub(super) fn excepts_no_more_than(&self, other: &People<'_>) -> bool {
        self.not_labels.is_subset(&other.not_labels)
    }

    /// The labels by which somebody can be left out who is among them.
    pub(super) fn labels(&self) -> Vec<&'a Name> {
        self.labels.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_hospital;

    /// `patient+dementia-escorted`: class, labels, exceptions; `@` is a subject.
    fn who(text: &str) -> WhoPlan {
        let mut who = WhoPlan::default();
        for word in text.split_whitespace() {
            let name = |text: &str| Name::new(text).unwrap();
            match word.split_at(1) {
                ("+", label) => who.labels.push(name(label)),
                ("-", label) => who.not_labels.push(name(label)),
                ("@", id) => who.subjects.push(name(id)),
                ("p", _) => who.classes.push(SubjectClass::Patient),
                ("s", _) => who.classes.push(SubjectClass::Staff),
                _ => panic!("{word}"),
            }
        }
        who
    }

    #[test]
    fn selections_are_compared_by_what_they_say() {
        let site = sample_hospital().directory;
        let census = Census::new(&site);
        // Patient 1 of the sample carries the label dementia.
        for (ours, theirs, are_among, meet) in [
            ("", "", true, true),
            ("p", "", true, true),
            ("", "p", false, true),
            ("p", "s", false, false),
            ("p +dementia", "p", true, true),
            ("p +dementia", "+dementia +newborn", true, true),
            ("p +dementia", "p +newborn", false, false),
            ("p +dementia -escorted", "p +dementia", true, true),
            ("p +dementia", "p +dementia -escorted", false, true),
            ("p +dementia", "p -dementia", false, false),
            ("p +dementia +newborn", "p -dementia", false, true),
            ("@patient-001", "@patient-001 @patient-002", true, true),
            ("@patient-001", "@patient-002", false, false),
            ("@patient-001", "p +dementia", false, true),
            ("@patient-001", "p +newborn", false, false),
            ("@patient-001", "p", false, true),
            ("@patient-001 p", "p", true, true),
        ] {
            let (us, them) = (who(ours), who(theirs));
            let (us, them) = (People::of(&us), People::of(&them));
            assert_eq!(us.are_among(&them), are_among, "{ours} among {theirs}");
            let steps = Steps::new();
            assert_eq!(us.meet(&them, &census, &steps), Some(meet), "{ours} and {theirs}");
            assert_eq!(them.meet(&us, &census, &steps), Some(meet), "{theirs} and {ours}");
        }
    }
    /// Named ones are looked up, those of the shorter list.
    #[test]
    fn who_is_named_costs_a_step_each() {
        let site = sample_hospital().directory;
        let census = Census::new(&site);
        for (ours, theirs, expected) in [
            ("p", "p", 0),
            ("@patient-001 @patient-002", "p", 2),
            ("@patient-001 @patient-002", "s", 2),
            ("@patient-001 @patient-002 @patient-003", "@patient-004 @patient-005", 2),
        ] {
            let (us, them) = (who(ours), who(theirs));
            let (us, them) = (People::of(&us), People::of(&them));
            for (a, b) in [(&us, &them), (&them, &us)] {
                let steps = Steps::new();
                a.meet(b, &census, &steps).unwrap();
                assert_eq!(steps.0.get(), expected, "{ours} and {theirs}");
            }
        }
    }
}
