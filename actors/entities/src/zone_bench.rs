//! What a zone judges by, and what may change its judgement.

use ach_actors_model::{RuleRef, SubjectRef, Timestamp, ZoneRef};

use crate::Turn;
use crate::evidence::Evidence;
use crate::site::{RuleSet, ZonePlan};

/// What may change who is in, or alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stir {
    /// Somebody came or went.
    Moved { subject: SubjectRef, is_in: bool, at: Timestamp },
    /// Nothing but time and the site.
    Time,
}

/// What a zone judges by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZoneBench<'a> {
    pub(crate) me: ZoneRef,
    pub(crate) plan: &'a ZonePlan,
    /// Ascending, as they are now.
    pub(crate) occupants: &'a [SubjectRef],
    pub(crate) evidence: &'a Evidence,
    pub(crate) judged_at: Timestamp,
    pub(crate) turn: &'a Turn<'a>,
}

impl ZoneBench<'_> {
    fn rules_of(&self, subject: SubjectRef) -> Option<&RuleSet> {
        self.turn.site.subject_rules(subject)
    }

    /// Whether somebody is one of the others that a rule names.
    pub(crate) fn is_company(&self, rule: RuleRef, subject: SubjectRef) -> bool {
        self.rules_of(subject).is_some_and(|rules| rules.matters_to(rule))
    }

    /// Whether a rule is about somebody.
    pub(crate) fn is_about(&self, rule: RuleRef, subject: SubjectRef) -> bool {
        self.rules_of(subject).is_some_and(|rules| rules.contains(rule))
    }

    /// How many of those in are company by a rule.
    pub(crate) fn company_of(&self, rule: RuleRef) -> u32 {
        let company = self.occupants.iter().filter(|&&subject| self.is_company(rule, subject));
        u32::try_from(company.count()).unwrap_or(u32::MAX)
    }
}
