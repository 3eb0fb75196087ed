//! How long a feed may be silent whose owner did not say.
//!
//! A locating system that stops must be one alarm, not one for each of its tags, so a feed of tags
//! that are watched for silence is watched too, and one of doors that are. It may be silent for as long
//! as the most closely watched of them: if that one keeps its rule, so does the feed. A feed of doors
//! that may be quiet for a night is watched only by its owner's wish.

use std::collections::BTreeSet;

use ach_actors_model::{Condition, RuleConfig, SiteConfig, SubjectConfig, Who};

/// A rule by which tags may be silent for a time.
struct Limit<'a> {
    who: &'a Who,
    subjects: BTreeSet<u32>,
    after_ns: u64,
}

/// Gives a limit to every feed that has none and must have one.
pub(crate) fn fill(config: &mut SiteConfig) {
    let limits: Vec<Limit<'_>> = config.rules.iter().filter_map(limit_of).collect();
    let mut shortest_ns: Vec<Option<u64>> = vec![None; config.sources.len()];
    for tag in &config.tags {
        let Some(number) = tag.subject else { continue };
        let at = |number: u32| usize::try_from(number).ok();
        let subject = at(number).and_then(|at| config.subjects.get(at));
        let source = at(tag.source).and_then(|at| shortest_ns.get_mut(at));
        let (Some(subject), Some(shortest_ns)) = (subject, source) else { continue };
        for limit in limits.iter().filter(|limit| limit.selects(number, subject)) {
            *shortest_ns = Some(shortest_ns.unwrap_or(u64::MAX).min(limit.after_ns));
        }
    }
    for (door, after_ns) in config.rules.iter().flat_map(watched_doors) {
        let door = usize::try_from(door).ok().and_then(|at| config.doors.get(at));
        let source = door.and_then(|door| usize::try_from(door.source?).ok());
        if let Some(shortest_ns) = source.and_then(|at| shortest_ns.get_mut(at)) {
            *shortest_ns = Some(shortest_ns.unwrap_or(u64::MAX).min(after_ns));
        }
    }
    for (source, shortest_ns) in config.sources.iter_mut().zip(shortest_ns) {
        source.silence_ns = source.silence_ns.or(shortest_ns);
    }
}

/// Takes from every feed the limit that the site's own rules would give it. One whose owner says the same loses
/// it, too.
pub(crate) fn forget_derived(config: &mut SiteConfig) {
    let mut derived = config.clone();
    derived.sources.iter_mut().for_each(|source| source.silence_ns = None);
    fill(&mut derived);
    for (source, derived) in config.sources.iter_mut().zip(derived.sources) {
        if source.silence_ns == derived.silence_ns {
            source.silence_ns = None;
        }
    }
}

/// The doors that a rule lets be silent for a time.
fn watched_doors(rule: &RuleConfig) -> impl Iterator<Item = (u32, u64)> + '_ {
    let (doors, after_ns) = match &rule.condition {
        Condition::DoorLost { doors, after_ns } => (&doors[..], *after_ns),
        _ => (&[][..], 0),
    };
    doors.iter().map(move |&door| (door, after_ns))
}

fn limit_of(rule: &RuleConfig) -> Option<Limit<'_>> {
    let Condition::TagSilent { after_ns } = rule.condition else { return None };
    let subjects = rule.who.subjects.iter().copied().collect();
    Some(Limit { who: &rule.who, subjects, after_ns })
}

impl Limit<'_> {
    fn selects(&self, number: u32, subject: &SubjectConfig) -> bool {
        let Who { classes, labels_any, labels_none, .. } = self.who;
        let has = |label: &_| subject.labels.contains(label);
        (self.subjects.is_empty() || self.subjects.contains(&number))
            && (classes.is_empty() || classes.contains(&subject.class))
            && (labels_any.is_empty() || labels_any.iter().any(has))
            && !labels_none.iter().any(has)
    }
}
