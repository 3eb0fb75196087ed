//! Who lives where in a round: which subject of the site walks about which zone, under which of its rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{Condition, RuleConfig, SiteConfig, SubjectClass, SubjectConfig};
use ach_geo::Floor;

use crate::chance::Chance;
use crate::ground::{Ground, Side};

/// One subject at one zone.
#[derive(Debug, Clone)]
pub(crate) struct Haunt {
    /// Index in the site configuration, as all that follow.
    pub(crate) subject: usize,
    pub(crate) class: SubjectClass,
    pub(crate) tag: usize,
    pub(crate) zone: usize,
    /// Rules about entering or leaving that zone that he is under.
    pub(crate) rules: Vec<Watched>,
    pub(crate) ground: Arc<Ground>,
}

/// A rule that is about entering or leaving a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Index in the site configuration.
    pub(crate) rule: usize,
    /// On which side an alarm is raised.
    pub(crate) side: Side,
}

/// A rule that says something when one of its zones is entered or left.
#[derive(Debug)]
struct PlaceRule {
    watched: Watched,
    zones: Vec<usize>,
    subjects: Vec<usize>,
}

/// All that can be cast.
#[derive(Debug)]
pub(crate) struct Casting {
    classes: Vec<SubjectClass>,
    /// The first tag of each subject.
    tags: BTreeMap<usize, usize>,
    grounds: BTreeMap<usize, Arc<Ground>>,
    rules: Vec<PlaceRule>,
    /// Zones that nobody can walk about.
    left_out: u64,
}

impl Casting {
    pub(crate) fn new(config: &SiteConfig, chance: &mut Chance) -> Casting {
        // Whoever is on every floor is walked on the lowest.
        let lowest = config.zones.iter().filter_map(|zone| zone.floor).min().unwrap_or(Floor(0));
        let grounds: BTreeMap<usize, Arc<Ground>> = (0..)
            .zip(&config.zones)
            .filter_map(|(at, zone)| Some((at, Ground::new(zone, &config.doors, lowest, chance)?)))
            .collect();
        let mut tags = BTreeMap::new();
        for (at, tag) in (0..).zip(&config.tags) {
            if let Some(subject) = tag.subject.and_then(|subject| usize::try_from(subject).ok()) {
                tags.entry(subject).or_insert(at);
            }
        }
        let rules = (0..).zip(&config.rules);
        let rules = rules.filter_map(|(at, rule)| {
            let (side, zones) = places(rule)?;
            let zones = zones.iter().filter_map(|zone| usize::try_from(*zone).ok());
            let zones: Vec<usize> = zones.filter(|zone| grounds.contains_key(zone)).collect();
            let is_one = |at: &usize| {
                let subject = config.subjects.get(*at);
                subject.is_some_and(|subject| is_about(rule, *at, subject))
            };
            let subjects: Vec<usize> = tags.keys().copied().filter(is_one).collect();
            (!zones.is_empty() && !subjects.is_empty()).then_some(PlaceRule {
                watched: Watched { rule: at, side },
                zones,
                subjects,
            })
        });
        let rules: Vec<PlaceRule> = rules.collect();
        let left_out = crate::number::count(config.zones.len() - grounds.len());
        let classes = config.subjects.iter().map(|subject| subject.class).collect();
        Casting { classes, tags, grounds, rules, left_out }
    }

    /// How many can live at a time.
    pub(crate) fn subject_count(&self) -> usize {
        if self.grounds.is_empty() { 0 } else { self.tags.len() }
    }

    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The lives of one round. Half of them are for the rules, each in turn as long as somebody is left who is
    /// under it; the rest are for the zones, each in turn.
    pub(crate) fn round(&self, count: usize, chance: &mut Chance) -> Vec<Haunt> {
        let mut free: Vec<usize> = self.tags.keys().copied().collect();
        chance.shuffle(&mut free);
        let mut haunts = Vec::with_capacity(count);
        let mut is_one_found = true;
        while is_one_found && haunts.len() * 2 < count {
            is_one_found = false;
            for rule in &self.rules {
                let place = free.iter().position(|one| rule.subjects.binary_search(one).is_ok());
                let Some(place) = place.filter(|_| haunts.len() * 2 < count) else { continue };
                let subject = free.remove(place);
                let zone = chance.pick(&rule.zones).copied();
                haunts.extend(zone.and_then(|zone| self.haunt(subject, zone)));
                is_one_found = true;
            }
        }
        let mut zones: Vec<usize> = self.grounds.keys().copied().collect();
        chance.shuffle(&mut zones);
        let mut places = zones.iter().cycle();
        for subject in free {
            if haunts.len() >= count {
                break;
            }
            let zone = places.next().copied();
            haunts.extend(zone.and_then(|zone| self.haunt(subject, zone)));
        }
        haunts
    }

    fn haunt(&self, subject: usize, zone: usize) -> Option<Haunt> {
        let rules = self.rules.iter().filter(|rule| {
            rule.zones.contains(&zone) && rule.subjects.binary_search(&subject).is_ok()
        });
        Some(Haunt {
            subject,
            class: *self.classes.get(subject)?,
            tag: *self.tags.get(&subject)?,
            zone,
            rules: rules.map(|rule| rule.watched).collect(),
            ground: Arc::clone(self.grounds.get(&zone)?),
        })
    }
}

/// The zones whose entering or leaving a rule is about, and on which side it alarms. How long a stay lasts, and
/// lines, are about other things.
fn places(rule: &RuleConfig) -> Option<(Side, &[u32])> {
    match &rule.condition {
        Condition::Inside { zones } => Some((Side::In, zones)),
        Condition::Leaves { zones, .. } => Some((Side::Out, zones)),
        _ => None,
    }
}

/// Whether a rule is about a subject.
fn is_about(rule: &RuleConfig, at: usize, subject: &SubjectConfig) -> bool {
    let who = &rule.who;
    let has = |label| subject.labels.contains(label);
    let is_named = who.subjects.iter().any(|named| usize::try_from(*named) == Ok(at));
    (who.classes.is_empty() || who.classes.contains(&subject.class))
        && (who.labels_any.is_empty() || who.labels_any.iter().any(has))
        && !who.labels_none.iter().any(has)
        && (who.subjects.is_empty() || is_named)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ach_engine_site::sample_hospital;

    use super::*;

    #[test]
    fn half_of_a_round_is_for_the_rules_and_nobody_is_cast_twice() {
        let config = sample_hospital().directory.config(1).unwrap();
        let mut chance = Chance::new(5, 0);
        let casting = Casting::new(&config, &mut chance);
        assert_eq!((casting.subject_count(), casting.left_out()), (config.subjects.len(), 0));
        let haunts = casting.round(60, &mut chance);
        assert_eq!(haunts.len(), 60);
        let subjects: BTreeSet<usize> = haunts.iter().map(|haunt| haunt.subject).collect();
        assert_eq!(subjects.len(), 60);
        let mut ruled = BTreeSet::new();
        for haunt in &haunts {
            assert_eq!(config.tags[haunt.tag].subject, u32::try_from(haunt.subject).ok());
            for watched in &haunt.rules {
                let rule = &config.rules[watched.rule];
                ruled.insert(rule.id.as_str());
                let leaves = matches!(rule.condition, Condition::Leaves { .. });
                assert_eq!(watched.side, if leaves { Side::Out } else { Side::In });
                assert!(is_about(rule, haunt.subject, &config.subjects[haunt.subject]));
            }
        }
        assert!(haunts.iter().filter(|haunt| !haunt.rules.is_empty()).count() >= 30);
        // All rules about entering and leaving zones.
        assert_eq!(ruled.len(), 11, "{ruled:?}");
    }

    #[test]
    fn a_rule_is_about_those_it_names() {
        let mut config = sample_hospital().directory.config(1).unwrap();
        let (subject, mut rule) = (config.subjects.remove(0), config.rules.remove(0));
        let mut check = |edit: fn(&mut RuleConfig), expected: bool| {
            let who = rule.who.clone();
            edit(&mut rule);
            assert_eq!(is_about(&rule, 0, &subject), expected, "{:?} {subject:?}", rule.who);
            rule.who = who;
        };
        // A patient with dementia, and dementia-elopement.
        check(|_| {}, true);
        check(|rule| rule.who.labels_none = rule.who.labels_any.clone(), false);
        check(|rule| rule.who.classes = vec![SubjectClass::Staff], false);
        check(|rule| rule.who.labels_any = rule.who.labels_none.clone(), false);
        check(|rule| rule.who.subjects = vec![7], false);
        check(|rule| rule.who.subjects = vec![7, 0], true);
    }
}
