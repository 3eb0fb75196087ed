//! Which alarm of one run is which of the other.
//!
//! Ids do not tell: they count the episodes of a rule, a subject and a place, and one episode more or less moves
//! all that follow. So alarms are put together by what they are about and when, from the most alike to the least:
//! the same rule at the same place at one moment; the same at nearly one moment; another rule; another place.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{AlarmKind, NS_PER_S, Place, SubjectRef, Timestamp};
use ach_engine_review::Episode;

/// Two alarms about one thing that were raised within this of each other are one, though they were never open
/// at a time: gates and delays of rules are of some seconds, the longest sensible ones of a minute.
pub const SAME_NS_MAX: u64 = 60 * NS_PER_S;

/// An alarm that comes by less than this sooner or later comes at the same moment: a node under load answers its
/// deadlines within a tenth of a second, and that is no matter of rules.
pub const MOVED_NS_MIN: u64 = NS_PER_S / 10;

/// An alarm as it was, as it would have been, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// As it was.
    pub was: Option<&'a Episode>,
    /// As it would have been.
    pub would: Option<&'a Episode>,
}

/// What other rules make of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Nothing.
    Same,
    /// Raised at the same moment, by another rule, at another place, with another priority, or with another end.
    Altered,
    /// Raised sooner.
    Earlier {
        /// By so much.
        ns: u64,
    },
    /// Raised later.
    Later {
        /// By so much.
        ns: u64,
    },
    /// It would not have been.
    Gone,
    /// It was not.
    Come,
}

impl Pair<'_> {
    /// What the other rules make of it.
    pub fn difference(&self) -> Difference {
        let (was, would) = match (self.was, self.would) {
            (Some(was), Some(would)) => (was, would),
            (None, Some(_)) => return Difference::Come,
            (_, None) => return Difference::Gone,
        };
        let sooner_ns = was.raised_at.since_ns(would.raised_at);
        let later_ns = would.raised_at.since_ns(was.raised_at);
        if sooner_ns >= MOVED_NS_MIN {
            Difference::Earlier { ns: sooner_ns }
        } else if later_ns >= MOVED_NS_MIN {
            Difference::Later { ns: later_ns }
        } else if is_alike(was, would) {
            Difference::Same
        } else {
            Difference::Altered
        }
    }

    /// When it was raised, the first time if twice.
    pub fn raised_at(&self) -> Timestamp {
        let raised_at = |episode: Option<&Episode>| episode.map(|episode| episode.raised_at);
        let first = [raised_at(self.was), raised_at(self.would)].into_iter().flatten().min();
        first.unwrap_or_default()
    }

    /// Whether one of the two was raised from `from` on and before `to`.
    pub(crate) fn is_within(&self, (from, to): (Timestamp, Timestamp)) -> bool {
        let is_within = |episode: &Episode| from <= episode.raised_at && episode.raised_at < to;
        self.was.is_some_and(is_within) || self.would.is_some_and(is_within)
    }
}

fn is_alike(was: &Episode, would: &Episode) -> bool {
    was.rule == would.rule
        && was.place == would.place
        && was.priority == would.priority
        && was.was_retracted() == would.was_retracted()
        && match (was.ended_at(), would.ended_at()) {
            (Some(was), Some(would)) => was.0.abs_diff(would.0) < MOVED_NS_MIN,
            (was, would) => was == would,
        }
}

/// What alarms that may be one have in common, less and less of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    kind: AlarmKind,
    subject: Option<SubjectRef>,
    /// A tag where nobody is known to carry it, a door where nobody is known to have opened it.
    place: Option<Place>,
    /// Not looked at where another rule will do.
    rule: Option<Arc<str>>,
}

/// How far alarms must be alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alike {
    Rule,
    Place,
    Subject,
}

impl Likeness {
    fn of(episode: &Episode, alike: Alike) -> Likeness {
        let has_place = alike != Alike::Subject || episode.subject.is_none();
        Likeness {
            kind: episode.kind,
            subject: episode.subject,
            place: has_place.then_some(episode.place),
            rule: episode.rule.clone().filter(|_| alike == Alike::Rule),
        }
    }
}

/// Puts the alarms of two runs together, each at most once, by when they were raised.
pub(crate) fn pair<'a>(was: &'a [Episode], would: &'a [Episode]) -> Vec<Pair<'a>> {
    let mut unpaired = Unpaired { was: was.iter().collect(), would: would.iter().collect() };
    let mut pairs = Vec::with_capacity(was.len().max(would.len()));
    let passes: [(Alike, IsSame); 4] = [
        (Alike::Rule, is_at_once),
        (Alike::Rule, is_one),
        (Alike::Place, is_one),
        (Alike::Subject, is_one),
    ];
    for (alike, is_same) in passes {
        unpaired = unpaired.pair(alike, is_same, &mut pairs);
    }
    pairs.extend(unpaired.was.into_iter().map(|was| Pair { was: Some(was), would: None }));
    pairs.extend(unpaired.would.into_iter().map(|would| Pair { was: None, would: Some(would) }));
    pairs.sort_by_key(Pair::raised_at);
    pairs
}

type IsSame = fn(&Episode, &Episode) -> bool;

fn is_at_once(was: &Episode, would: &Episode) -> bool {
    was.raised_at == would.raised_at
}

fn is_one(was: &Episode, would: &Episode) -> bool {
    let apart_ns = was.raised_at.0.abs_diff(would.raised_at.0);
    apart_ns <= SAME_NS_MAX || was.overlaps(would)
}

/// Alarms that have no other yet, each list in the order in which they were raised.
#[derive(Default)]
struct Unpaired<'a> {
    was: Vec<&'a Episode>,
    would: Vec<&'a Episode>,
}

impl<'a> Unpaired<'a> {
    /// Pairs those that are alike and the same, the first with the first; what is left has none.
    fn pair(self, alike: Alike, is_same: IsSame, pairs: &mut Vec<Pair<'a>>) -> Unpaired<'a> {
        let mut groups: BTreeMap<Likeness, Unpaired<'a>> = BTreeMap::new();
        for was in self.was {
            groups.entry(Likeness::of(was, alike)).or_default().was.push(was);
        }
        for would in self.would {
            groups.entry(Likeness::of(would, alike)).or_default().would.push(would);
        }
        let mut left = Unpaired::default();
        for group in groups.into_values() {
            group.zip(is_same, pairs, &mut left);
        }
        left.was.sort_by_key(|episode| episode.raised_at);
        left.would.sort_by_key(|episode| episode.raised_at);
        left
    }

    fn zip(self, is_same: IsSame, pairs: &mut Vec<Pair<'a>>, left: &mut Unpaired<'a>) {
        let (mut was, mut would) =
            (self.was.into_iter().peekable(), self.would.into_iter().peekable());
        while let (Some(&one), Some(&other)) = (was.peek(), would.peek()) {
            if is_same(one, other) {
                pairs.push(Pair { was: Some(one), would: Some(other) });
                was.next();
                would.next();
            } else if one.raised_at <= other.raised_at {
                left.was.push(one);
                was.next();
            } else {
                left.would.push(other);
                would.next();
            }
        }
        left.was.extend(was);
        left.would.extend(would);
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{AlarmId, AlarmPriority, AlarmReason, ZoneRef};
    use ach_engine_review::Fate;

    use super::*;

    /// Told as `rule place from-to`, in seconds; without an end it is open for ever.
    fn episodes(told: &[&str]) -> Vec<Episode> {
        let moment = |text: &str| {
            let (whole, tenths) = text.split_once('.').unwrap_or((text, "0"));
            let number = |text: &str| text.parse::<u64>().unwrap();
            Timestamp(number(whole) * NS_PER_S + number(tenths) * NS_PER_S / 10)
        };
        let episode = |(number, told): (u32, &&str)| {
            let [rule, place, time] = told.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{told}")
            };
            let (from, to) = time.split_once('-').unwrap();
            let fate = match to {
                "" => Fate::Open,
                to => Fate::Cleared { at: moment(to), reason: Some(AlarmReason::ConditionEnded) },
            };
            Episode {
                id: AlarmId(number.into()),
                rule: Some(Arc::from(rule)),
                kind: AlarmKind::Loitering,
                priority: AlarmPriority::Low,
                subject: Some(SubjectRef(1)),
                tag: None,
                place: Place::Zone(ZoneRef(place.parse().unwrap())),
                raised_at: moment(from),
                was_tentative: false,
                was_quiet: false,
                was_drill: false,
                upheld_at: None,
                fate,
                acknowledged_at: None,
                acknowledged_by: None,
                closed_at: None,
                closed_by: None,
                cause: None,
                escalated_count: 0,
                over_at: None,
                incident: None,
            }
        };
        (0..).zip(told).map(episode).collect()
    }

    fn told(pair: &Pair<'_>) -> String {
        let number = |episode: Option<&Episode>| {
            episode.map_or("-".to_owned(), |episode| episode.id.0.to_string())
        };
        format!("{}={}", number(pair.was), number(pair.would))
    }

    /// Which of the first list is which of the second, by their places in them.
    #[track_caller]
    fn check(was: &[&str], would: &[&str], expected: &[&str]) {
        let (was, would) = (episodes(was), episodes(would));
        let found: Vec<String> = pair(&was, &would).iter().map(told).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn alarms_about_one_thing_at_one_time_are_one() {
        check(&["a 1 10-20"], &["a 1 10-20"], &["0=0"]);
        // Sooner or later, by up to a minute or while the other is open.
        check(&["a 1 10-20"], &["a 1 80-90"], &["0=-", "-=0"]);
        check(&["a 1 10-20"], &["a 1 70-90"], &["0=0"]);
        check(&["a 1 10-200"], &["a 1 180-190"], &["0=0"]);
        check(&["a 1 10-"], &["a 1 999-"], &["0=0"]);
    }

    #[test]
    fn what_is_raised_at_one_moment_goes_together_first() {
        // The first is gone and the second is the second, though the first is near enough to it.
        check(&["a 1 10-15", "a 1 30-40"], &["a 1 30-40"], &["0=-", "1=0"]);
        // One long alarm has become three short ones: the first of them is it.
        check(&["a 1 10-100"], &["a 1 10-20", "a 1 40-50", "a 1 80-90"], &["0=0", "-=1", "-=2"]);
        // And the other way round.
        check(&["a 1 10-20", "a 1 40-50"], &["a 1 12-100"], &["0=0", "1=-"]);
    }

    #[test]
    fn another_rule_or_place_is_looked_for_when_nothing_is_nearer() {
        check(&["a 1 10-20"], &["b 1 10-20"], &["0=0"]);
        check(&["a 1 10-20"], &["a 2 12-20"], &["0=0"]);
        check(&["a 1 10-20", "b 1 10-20"], &["b 1 10-20"], &["1=0", "0=-"]);
        check(&["a 1 10-20"], &["b 2 10-20", "b 1 11-20"], &["0=1", "-=0"]);
    }

    #[test]
    fn a_tenth_of_a_second_is_the_same_moment() {
        let difference = |was: &str, would: &str| {
            let (was, would) = (episodes(&[was]), episodes(&[would]));
            Pair { was: was.first(), would: would.first() }.difference()
        };
        assert_eq!(difference("a 1 10-20", "a 1 10-20"), Difference::Same);
        assert_eq!(difference("a 1 10-20", "a 1 10-21"), Difference::Altered);
        assert_eq!(difference("a 1 10-20", "a 1 10-"), Difference::Altered);
        let ns = NS_PER_S / 10;
        assert_eq!(difference("a 1 10-20", "a 1 10.1-20"), Difference::Later { ns });
        assert_eq!(difference("a 1 10.1-20", "a 1 10-20"), Difference::Earlier { ns });
        assert_eq!(difference("a 1 10-20", "b 1 10-20"), Difference::Altered);
    }
}
