//! Buttons and bands that nobody listens to.

use ach_actors_model::SubjectClass;

use super::guard::Guard;
use super::{Review, rule_file};
use crate::census::suits;
use crate::finding::FindingKind;
use crate::{SubjectPlan, What};

/// The label of staff whose tags have no button.
const NO_BUTTON: &str = "no-button";
/// The label of patients whose tags are no bands.
const NO_BAND: &str = "no-band";

/// Reviews them; false when it took too many steps.
pub(super) fn review(review: &Review<'_>) -> bool {
    buttons(review) && bands(review)
}

fn has_tag_without(subject: &SubjectPlan, label: &str) -> bool {
    !subject.tags.is_empty() && subject.labels.iter().all(|other| other.as_str() != label)
}

/// Tags of staff have a button more often than not. Once a rule is about the buttons of some, the others
/// have been thought of.
fn buttons(review: &Review<'_>) -> bool {
    let rules = review.rules.iter().filter(|rule| rule.plan.what == What::ButtonPressed);
    let guard = Guard::of(rules);
    let mut all = 0;
    for cohort in review.census.cohorts() {
        if cohort.example().is_none_or(|one| one.class != SubjectClass::Staff) {
            continue;
        }
        let counts = |subject: &SubjectPlan| has_tag_without(subject, NO_BUTTON);
        let steps = &review.guard_steps;
        let Some(count) = guard.count(cohort, counts, suits, steps) else { return false };
        if count.guarded > 0 {
            return true;
        }
        all += count.all;
    }
    if all > 0 {
        let problem = match all {
            1 => "a member of staff carries a tag, and no rule is about its button".to_owned(),
            all => format!("{all} members of staff carry tags, and no rule is about their buttons"),
        };
        let remedy = "add a rule with what = \"button_pressed\" for staff, or label those \
                      `no-button` whose tags have none";
        review.check.report.warning(FindingKind::NoDuressRule, &rule_file(), &problem, remedy);
    }
    true
}

/// Who is protected against leaving is not, once the band is off.
fn bands(review: &Review<'_>) -> bool {
    let protecting = Guard::of(review.exit_rules());
    let rules = review.rules.iter().filter(|rule| rule.plan.what == What::BandCut);
    let guard = Guard::of(rules);
    let (mut all, mut unguarded) = (0, 0);
    for cohort in review.census.cohorts() {
        if cohort.example().is_none_or(|one| one.class != SubjectClass::Patient) {
            continue;
        }
        let counts = |subject: &SubjectPlan| has_tag_without(subject, NO_BAND);
        let steps = &review.guard_steps;
        let Some(protected) = protecting.count(cohort, counts, suits, steps) else {
            return false;
        };
        if protected.guarded == 0 {
            continue;
        }
        let Some(count) = guard.count(cohort, counts, suits, steps) else { return false };
        all += protected.guarded;
        unguarded += protected.guarded.saturating_sub(count.guarded);
    }
    if unguarded > 0 {
        let under = "a rule about a cut band: taking it off raises no alarm";
        let problem = match (unguarded, all) {
            (1, 1) => format!("the only protected patient with a tag is not under {under}"),
            (1, all) => format!("1 of {all} protected patients with a tag is not under {under}"),
            (none, all) if none == all => {
                format!("none of the {all} protected patients with a tag is under {under}")
            }
            (some, all) => {
                format!("{some} of {all} protected patients with a tag are not under {under}")
            }
        };
        let remedy = "add a rule with what = \"band_cut\" for them, or label those `no-band` whose \
                      tags are no bands";
        review.check.report.warning(FindingKind::NoBandRule, &rule_file(), &problem, remedy);
    }
    true
}
