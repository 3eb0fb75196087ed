//! Whom a rule is about, in words.

use ach_actors_model::{Name, SubjectClass};

use super::place_words::words_or;
use crate::census::Count;
use crate::{RulePlan, What, WhoPlan};

/// Most ids that are told one by one.
const IDS_MAX: usize = 5;

/// `It is about patients labelled dementia: 30 people today.`
pub(super) fn sentence(rule: &RulePlan, count: &Count) -> String {
    let who = &rule.who;
    let mut parts = vec![format!("{}: {} today", who_words(who), count_words(who, count.all))];
    let untagged = count.all - count.tagged;
    if untagged > 0 && untagged == count.all {
        parts.push("and none of them carries a tag or is ever heard".to_owned());
    } else if untagged > 0 {
        let words = if untagged == 1 { "carries no tag and is" } else { "carry no tag and are" };
        parts.push(format!("of whom {untagged} {words} never heard"));
    }
    if rule.what == What::TagsContradict {
        parts.push(match count.many_tagged {
            0 => "and none of them carries two tags, as this takes".to_owned(),
            1 => "and 1 of them carries two tags or more".to_owned(),
            many => format!("and {many} of them carry two tags or more"),
        });
    }
    if matches!(rule.what, What::BadgeElsewhere { .. }) {
        parts.push(match count.badged {
            0 => "and none of them has both a badge and a tag, as this takes".to_owned(),
            1 => "and 1 of them has both a badge and a tag".to_owned(),
            many => format!("and {many} of them have both a badge and a tag"),
        });
    }
    format!("It is about {}.", parts.join(", "))
}

pub(super) fn who_words(who: &WhoPlan) -> String {
    let mut words = class_words(who);
    if !who.labels.is_empty() {
        words = format!("{words} labelled {}", words_or(&plain(&who.labels)));
    }
    if !who.subjects.is_empty() {
        let ids = words_or(&cut(&plain(&who.subjects)));
        words = if who.classes.is_empty() && who.labels.is_empty() {
            ids
        } else {
            format!("{ids}, being {words}")
        };
    }
    if !who.not_labels.is_empty() {
        let those = if who.classes == [SubjectClass::Asset] { "what is" } else { "those" };
        words = format!("{words}, except {those} labelled {}", words_or(&plain(&who.not_labels)));
    }
    words
}

fn plain(names: &[Name]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn cut(ids: &[String]) -> Vec<String> {
    let mut told: Vec<String> = ids.iter().take(IDS_MAX).cloned().collect();
    if ids.len() > told.len() {
        told.push(format!("{} more", ids.len() - told.len()));
    }
    told
}

fn class_words(who: &WhoPlan) -> String {
    let noun = |class: &SubjectClass| match class {
        SubjectClass::Patient => "patients",
        SubjectClass::Staff => "staff",
        SubjectClass::Visitor => "visitors",
        SubjectClass::Asset => "equipment",
    };
    let nouns: Vec<&str> = who.classes.iter().map(noun).collect();
    match nouns.split_last() {
        None if who.labels.is_empty() && who.subjects.is_empty() => {
            "everybody and everything".to_owned()
        }
        None => "people and equipment".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

pub(super) fn count_words(who: &WhoPlan, count: usize) -> String {
    let has_things = who.classes.is_empty() || who.classes.contains(&SubjectClass::Asset);
    let has_people = who.classes.is_empty() || who.classes != [SubjectClass::Asset];
    match (count, has_people, has_things) {
        (0, true, _) => "nobody".to_owned(),
        (0, false, _) => "nothing".to_owned(),
        (1, true, false) => "1 person".to_owned(),
        (1, false, _) => "1 piece".to_owned(),
        (1, true, true) => "1 person or piece of equipment".to_owned(),
        (count, true, false) => format!("{count} people"),
        (count, false, _) => format!("{count} pieces"),
        (count, true, true) => format!("{count} people and pieces of equipment"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(classes: &[SubjectClass], labels: &str, not_labels: &str, subjects: &str) -> WhoPlan {
        let names =
            |text: &str| text.split_whitespace().map(|word| Name::new(word).unwrap()).collect();
        WhoPlan {
            classes: classes.to_vec(),
            labels: names(labels),
            not_labels: names(not_labels),
            subjects: names(subjects),
        }
    }

    #[test]
    fn people_are_told_as_they_are_selected() {
        use SubjectClass::{Asset, Patient, Staff, Visitor};
        for (who, expected) in [
            (who(&[], "", "", ""), "everybody and everything"),
            (who(&[Patient], "", "", ""), "patients"),
            (who(&[Patient, Staff, Visitor], "", "", ""), "patients, staff and visitors"),
            (who(&[Patient], "dementia", "", ""), "patients labelled dementia"),
            (who(&[], "pump bed", "", ""), "people and equipment labelled pump or bed"),
            (
                who(&[Patient], "dementia newborn child", "escorted", ""),
                "patients labelled dementia, newborn or child, except those labelled escorted",
            ),
            (who(&[Asset], "", "ambulance", ""), "equipment, except what is labelled ambulance"),
            (who(&[], "", "", "p-1 p-2"), "p-1 or p-2"),
            (who(&[Patient], "", "", "p-1"), "p-1, being patients"),
            (who(&[], "", "", "a b c d e f g"), "a, b, c, d, e or 2 more"),
        ] {
            assert_eq!(who_words(&who), expected);
        }
    }

    #[test]
    fn people_are_counted_in_their_own_words() {
        use SubjectClass::{Asset, Patient};
        for (classes, count, expected) in [
            (&[Patient][..], 0, "nobody"),
            (&[Patient], 1, "1 person"),
            (&[Patient], 14, "14 people"),
            (&[Asset], 0, "nothing"),
            (&[Asset], 1, "1 piece"),
            (&[Asset], 2, "2 pieces"),
            (&[], 1, "1 person or piece of equipment"),
            (&[Patient, Asset], 2, "2 people and pieces of equipment"),
        ] {
            assert_eq!(count_words(&who(classes, "", "", ""), count), expected);
        }
    }
}
